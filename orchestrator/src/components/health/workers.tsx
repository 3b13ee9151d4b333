import type { HealthSummary, WorkerHealth } from "@shared/contracts";
import { Play } from "lucide-react";
import { cn } from "../../lib/cn.ts";
import { duration, instant, percent, when } from "../../lib/format.ts";
import { StatusTag } from "../status.tsx";
import { Button } from "../ui/button.tsx";
import { DAYS } from "./queries.ts";
import { UptimeBars } from "./uptime.tsx";

export const nameOf = (worker: WorkerHealth): string => worker.worker_name;
const standingOf = ({ status, flapping }: WorkerHealth): string =>
  flapping && status !== "down" ? "flapping" : status;

/** Each Worker with its days; a click opens its latest check. */
export function WorkerRows({
  workers,
  summary,
  cursor,
  onOpen,
  onRun,
  running,
}: {
  workers: readonly WorkerHealth[];
  summary: Omit<HealthSummary, "ok"> | undefined;
  cursor: string | null;
  onOpen: (worker: WorkerHealth) => void;
  onRun: (worker: WorkerHealth) => void;
  running: boolean;
}) {
  const days = new Map((summary?.workers ?? []).map((each) => [each.worker_name, each]));
  return (
    <ul aria-label="Workers" className="border-t border-line">
      {workers.map((worker) => {
        const of = days.get(worker.worker_name);
        const { latest } = worker;
        return (
          <li
            key={worker.worker_name}
            data-row={worker.worker_name}
            data-worker={worker.worker_name}
            className={cn(
              "grid grid-cols-[1fr_auto] items-center gap-x-4 gap-y-2 border-b border-line px-4 py-3 last:border-0 lg:grid-cols-[minmax(13rem,1fr)_minmax(0,2fr)_11rem_auto]",
              cursor === worker.worker_name ? "bg-accent-soft" : "hover:bg-hover",
            )}
          >
            <button type="button" onClick={() => onOpen(worker)} className="min-w-0 text-left">
              <span className="flex items-center gap-2">
                <StatusTag status={standingOf(worker)} />
                <span className="min-w-0 truncate font-medium">{worker.worker_name}</span>
              </span>
              <span className="mt-0.5 block truncate text-xs text-ink-3">
                {latest === null
                  ? "not checked yet"
                  : `${latest.code ?? "passed"} · ${when(instant(latest.finished_at ?? latest.created_at))}`}
              </span>
            </button>
            <div className="col-span-2 row-start-2 lg:col-span-1 lg:row-start-auto">
              {summary ? (
                <UptimeBars days={of?.days ?? []} to={summary.to} count={DAYS} uptime={of?.uptime ?? null} />
              ) : null}
            </div>
            <dl className="nums col-span-2 row-start-3 flex gap-4 text-xs lg:col-span-1 lg:row-start-auto lg:justify-end">
              <div>
                <dt className="sr-only">Checks passed in {DAYS} days</dt>
                <dd className="font-semibold">{percent(of?.uptime, 2)}</dd>
              </div>
              <div className="text-ink-3">
                <dt className="sr-only">How long the latest check took</dt>
                <dd>{duration(latest?.duration_ms)}</dd>
              </div>
            </dl>
            <div className="col-start-2 row-start-1 lg:col-start-auto lg:row-start-auto">
              {worker.kind === "worker" ? (
                <Button
                  onClick={() => onRun(worker)}
                  disabled={running}
                  aria-label={`Run a check of ${worker.worker_name}`}
                >
                  <Play />
                  Run
                </Button>
              ) : (
                <span className="text-xs text-ink-3">heartbeat</span>
              )}
            </div>
          </li>
        );
      })}
    </ul>
  );
}
