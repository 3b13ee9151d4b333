import type { Alert } from "@shared/contracts";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { BellOff } from "lucide-react";
import { z } from "zod";
import { client, need } from "../../api/client.ts";
import { ago, count, instant, moment } from "../../lib/format.ts";
import { notify } from "../notices.tsx";
import { Problem } from "../problems.tsx";
import { Button } from "../ui/button.tsx";
import { Card, Empty, SkeletonRows } from "../ui/surface.tsx";
import { SeverityTag } from "./severity.tsx";

/** Alerts, the newest first; live, as the stream tells of each. */
export function AlertList({ status }: { status: Alert["status"] | undefined }) {
  const queries = useQueryClient();
  const list = useInfiniteQuery({
    queryKey: ["alerts", "list", status],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      need(
        client.alerts.list(
          {
            limit: 50,
            ...(status === undefined ? {} : { status }),
            ...(pageParam === "" ? {} : { cursor: pageParam }),
          },
          { signal },
        ),
      ),
    getNextPageParam: (page) => page.cursor ?? undefined,
    refetchInterval: 30_000,
  });
  const resolve = useMutation({
    mutationFn: (id: string) => need(client.alerts.resolve(id)),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["alerts"] }),
    onError: (failure) => notify({ status: "failed", title: "The alert could not be closed", text: failure.message }),
  });
  const alerts = list.data?.pages.flatMap((page) => page.alerts) ?? [];
  if (list.isPending) return <SkeletonRows rows={6} />;
  if (list.error && alerts.length === 0) return <Problem error={list.error} retry={() => void list.refetch()} />;
  if (alerts.length === 0)
    return (
      <Empty icon={<BellOff />} title={status === "open" ? "Nothing is open" : "No alerts yet"}>
        Workers that go down, scheduled runs that fail or are missed, and new issues are told here, each once a cause.
      </Empty>
    );
  return (
    <>
      <Card>
        <ul>
          {alerts.map((alert) => (
            <li
              key={alert.id}
              data-alert={alert.id}
              className="flex items-start gap-3 border-b border-line px-4 py-3 last:border-0"
            >
              <div className="min-w-0 flex-1">
                <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
                  <SeverityTag severity={alert.severity} />
                  <span className="min-w-0 font-medium break-words">{alert.title}</span>
                  {alert.status === "resolved" ? (
                    <span className="rounded bg-hover px-1.5 text-2xs leading-5 text-ink-2">Over</span>
                  ) : null}
                </p>
                {alert.text === "" ? null : (
                  <p className="mt-1 text-sm break-words whitespace-pre-wrap text-ink-2">{alert.text}</p>
                )}
                <p className="mt-1 flex flex-wrap gap-x-2 text-xs text-ink-3">
                  <span className="font-mono">{alert.kind}</span>
                  <span>
                    since {moment(alert.first_at)}
                    {alert.count > 1
                      ? `, seen ${count(alert.count)} times, last ${ago(Date.now() - instant(alert.last_at))} ago`
                      : ""}
                  </span>
                  {alert.worker === null ? null : <span className="font-mono">{alert.worker}</span>}
                  <ToIssue alert={alert} />
                  {alert.order_id === null ? null : (
                    <Link
                      to="/orders/$orderId"
                      params={{ orderId: alert.order_id }}
                      className="font-mono text-accent-ink hover:underline"
                    >
                      {alert.order_id}
                    </Link>
                  )}
                  {alert.resolved_at === null ? null : <span>closed {moment(alert.resolved_at)}</span>}
                </p>
              </div>
              {alert.status === "open" ? (
                <Button
                  onClick={() => resolve.mutate(alert.id)}
                  disabled={resolve.isPending}
                  aria-label={`Close ${alert.title}`}
                >
                  Close
                </Button>
              ) : null}
            </li>
          ))}
        </ul>
      </Card>
      {list.hasNextPage ? (
        <div className="flex justify-center p-3">
          <Button onClick={() => void list.fetchNextPage()} disabled={list.isFetching}>
            Older alerts
          </Button>
        </div>
      ) : null}
    </>
  );
}

const IssueDataSchema = z.object({ issue: z.number().int().positive() });

/** Of an alert about what a scan found, the way to it. */
function ToIssue({ alert }: { alert: Alert }) {
  const data = alert.kind.startsWith("ops.issue") ? IssueDataSchema.safeParse(alert.data).data : undefined;
  return data === undefined ? null : (
    <Link to="/issues/$issueId" params={{ issueId: String(data.issue) }} className="text-accent-ink hover:underline">
      issue {data.issue}
    </Link>
  );
}
