import type { ScheduledRun } from "@shared/contracts";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CalendarClock } from "lucide-react";
import { client, need } from "../../api/client.ts";
import { cn } from "../../lib/cn.ts";
import { ago, duration, instant, moment } from "../../lib/format.ts";
import { Problem } from "../problems.tsx";
import { Card, Empty, SkeletonRows } from "../ui/surface.tsx";

const LOOKS: Record<ScheduledRun["outcome"], { word: string; look: string }> = {
  ok: { word: "Went well", look: "bg-applied-soft text-applied" },
  running: { word: "Under way", look: "bg-validating-soft text-validating" },
  failed: { word: "Failed", look: "bg-failed-soft text-failed" },
  stuck: { word: "Stuck", look: "bg-failed-soft text-failed" },
  missed: { word: "Missed", look: "bg-failed-soft text-failed" },
  skipped: { word: "Left out", look: "bg-hover text-ink-2" },
};

/** The table of schedules: what runs when, and what became of it the last time. */
export function Schedules() {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["schedules"],
    queryFn: ({ signal }) => need(client.logs.schedules({ signal })),
    refetchInterval: 15_000,
  });
  if (isPending) return <SkeletonRows rows={4} />;
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  if (data.schedules.length === 0) return <Empty icon={<CalendarClock />} title="Nothing is scheduled" />;
  return (
    <Card>
      <ul>
        {data.schedules.map(({ name, cron, next_at: nextAt, last }) => (
          <li key={name} className="border-b border-line px-4 py-3 last:border-0">
            <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
              <span className="font-medium">{name}</span>
              <span className="font-mono text-xs text-ink-3">{cron} UTC</span>
              {last === null ? (
                <span className="text-xs text-ink-3">has not run here yet</span>
              ) : (
                <span
                  className={cn(
                    "inline-flex h-5 items-center rounded px-1.5 text-2xs font-medium",
                    LOOKS[last.outcome].look,
                  )}
                >
                  {LOOKS[last.outcome].word}
                </span>
              )}
              <Link
                to="/logs"
                search={{ q: name, source: "system:schedule" }}
                className="ml-auto text-xs text-accent-ink hover:underline"
              >
                Its runs
              </Link>
            </p>
            <p className="mt-1 text-xs text-ink-3">
              {last === null ? null : (
                <>
                  due {moment(last.due_at)} ({ago(Date.now() - instant(last.due_at))} ago)
                  {last.started_at !== null && last.ended_at !== null
                    ? `, took ${duration(instant(last.ended_at) - instant(last.started_at))}`
                    : ""}{" "}
                  ·{" "}
                </>
              )}
              {nextAt === null ? "not due again" : `next ${moment(nextAt)}`}
            </p>
            {last !== null && last.outcome !== "ok" && last.message !== null ? (
              <p className="mt-1 text-xs break-words text-ink-2">{last.message}</p>
            ) : null}
          </li>
        ))}
      </ul>
    </Card>
  );
}
