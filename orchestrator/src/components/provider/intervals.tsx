import type { ProviderStatus } from "@shared/contracts";
import { cn } from "../../lib/cn.ts";
import { count, percent } from "../../lib/format.ts";

type Estimates = ProviderStatus["success"];
export const TASK_TYPES = ["generate", "fix", "refactor", "optimize"] as const;
type TaskType = (typeof TASK_TYPES)[number];
type Estimate = NonNullable<Estimates[TaskType]>;

const share = (value: number): number => Math.min(100, Math.max(0, value * 100));
const words = (type: TaskType, estimate: Estimate): string =>
  `${type}: ${percent(share(estimate.mean), 0)}, between ${percent(share(estimate.low), 0)} and ${percent(share(estimate.high), 0)}, by ${count(Math.round(estimate.outcomes))} outcomes`;

/**
 * Where a share lies: the mean as a mark, the interval as a bar, on a scale of 0 to 100 %. What nothing was measured of
 * is dashed: it is the registry's word alone.
 */
function Interval({ estimate, className }: { estimate: Estimate; className?: string }) {
  const [low, mean, high] = [share(estimate.low), share(estimate.mean), share(estimate.high)];
  const measured = estimate.outcomes >= 1;
  return (
    <svg viewBox="0 0 100 12" preserveAspectRatio="none" className={cn("block h-3 w-full", className)} aria-hidden>
      <line x1="0" x2="100" y1="6" y2="6" stroke="var(--line)" strokeWidth="1" vectorEffect="non-scaling-stroke" />
      {[25, 50, 75].map((at) => (
        <line
          key={at}
          x1={at}
          x2={at}
          y1={at === 50 ? 2 : 4}
          y2={at === 50 ? 10 : 8}
          stroke="var(--line-strong)"
          strokeWidth="1"
          vectorEffect="non-scaling-stroke"
        />
      ))}
      <line
        x1={low}
        x2={Math.max(high, low + 0.5)}
        y1="6"
        y2="6"
        stroke={measured ? "var(--ink-2)" : "var(--ink-3)"}
        strokeWidth={measured ? 4 : 2}
        strokeOpacity={measured ? 0.45 : 1}
        {...(measured ? {} : { strokeDasharray: "3 3" })}
        vectorEffect="non-scaling-stroke"
      />
      <line
        x1={mean}
        x2={mean}
        y1="1"
        y2="11"
        stroke={measured ? "var(--ink)" : "var(--ink-3)"}
        strokeWidth="2"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}

/** Success by type of task, each with the interval it lies in at 90 %. */
export function Success({ success, full = false }: { success: Estimates; full?: boolean }) {
  return (
    <ul
      aria-label="Success by type of task"
      className={cn("grid content-start gap-x-3", full ? "gap-y-2.5" : "gap-y-0.5")}
    >
      {TASK_TYPES.map((type) => {
        const estimate = success[type];
        return (
          <li
            key={type}
            className={cn(
              "grid items-center gap-2",
              full ? "grid-cols-[4.5rem_minmax(0,1fr)_9.5rem]" : "grid-cols-[3.75rem_minmax(0,1fr)_2.25rem]",
            )}
            title={estimate ? words(type, estimate) : `${type}: not known`}
          >
            <span className={cn(full ? "text-sm text-ink-2" : "text-2xs text-ink-3")}>{type}</span>
            {estimate ? <Interval estimate={estimate} /> : <span className="h-px bg-line" />}
            <span className={cn("nums text-right", full ? "text-sm" : "text-2xs text-ink-2")}>
              {estimate ? percent(share(estimate.mean), 0) : "–"}
              {estimate && full ? (
                <span className="text-xs text-ink-3">
                  {" "}
                  {percent(share(estimate.low), 0)}–{percent(share(estimate.high), 0)} ·{" "}
                  {count(Math.round(estimate.outcomes))}
                </span>
              ) : null}
              {estimate ? <span className="sr-only">{words(type, estimate)}</span> : null}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
