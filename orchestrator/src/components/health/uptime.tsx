import type { HealthDay } from "@shared/contracts";
import { cn } from "../../lib/cn.ts";
import { dayLabel, duration, percent, plural } from "../../lib/format.ts";

const DAY_MS = 86_400_000;

/** Every day of the range, the ones without a check too. */
function daysOf(days: readonly HealthDay[], to: string, count: number): { day: string; seen: HealthDay | null }[] {
  const byDay = new Map(days.map((day) => [day.day, day]));
  const end = Date.parse(`${to}T00:00:00Z`);
  return Array.from({ length: count }, (_, at) => {
    const day = new Date(end - (count - 1 - at) * DAY_MS).toISOString().slice(0, 10);
    return { day, seen: byDay.get(day) ?? null };
  });
}

function toldOf(day: string, seen: HealthDay | null): string {
  if (seen === null || seen.checks === 0) return `${dayLabel(day)}: not checked`;
  const share = percent((100 * seen.passed) / seen.checks);
  return `${dayLabel(day)}: ${share} of ${plural(seen.checks, "check")} passed, ${duration(seen.mean_duration_ms)} each`;
}

/** A bar a day: its height is how much passed, its colour whether all did. Days without a check are a low line. */
export function UptimeBars({
  days,
  to,
  count,
  uptime,
}: {
  days: readonly HealthDay[];
  to: string;
  count: number;
  uptime: number | null;
}) {
  const bars = daysOf(days, to, count);
  const label =
    uptime === null ? `No check in ${count} days` : `${percent(uptime, 2)} of checks passed in ${count} days`;
  return (
    <div role="img" aria-label={label} className="flex h-7 w-full items-end gap-px">
      {bars.map(({ day, seen }) => {
        const share = seen === null || seen.checks === 0 ? null : seen.passed / seen.checks;
        return (
          <span
            key={day}
            title={toldOf(day, seen)}
            className={cn(
              "min-w-0 flex-1 rounded-[1px]",
              share === null
                ? "h-0.5 bg-line-strong"
                : share === 1
                  ? "bg-applied"
                  : share >= 0.5
                    ? "bg-validating"
                    : "bg-failed",
            )}
            {...(share === null ? {} : { style: { height: `${Math.max(20, Math.round(share * 100))}%` } })}
          />
        );
      })}
    </div>
  );
}

/** The latest outcomes, oldest first: a full mark passed, a hollow one failed. */
export function RecentOutcomes({ recent }: { recent: string }) {
  if (recent === "") return <span className="text-ink-3">none yet</span>;
  const failed = Array.from(recent).filter((outcome) => outcome === "F").length;
  return (
    <span
      role="img"
      aria-label={`Of the last ${recent.length} checks ${failed === 0 ? "none" : failed} failed`}
      className="inline-flex items-center gap-0.5"
    >
      {Array.from(recent, (outcome, at) => (
        <span
          key={at}
          className={cn(
            "h-3 w-1.5 rounded-[1px]",
            outcome === "P" ? "bg-applied" : "border border-failed bg-failed-soft",
          )}
        />
      ))}
    </span>
  );
}
