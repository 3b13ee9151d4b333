import type { HealthCheck } from "@shared/contracts";
import { useInfiniteQuery } from "@tanstack/react-query";
import { HeartPulse } from "lucide-react";
import { client, need } from "../../api/client.ts";
import { duration, instant, moment } from "../../lib/format.ts";
import { type Column, DataTable } from "../dataTable.tsx";
import { Problem } from "../problems.tsx";
import { StatusTag } from "../status.tsx";
import { Button } from "../ui/button.tsx";
import { Card, Empty, SkeletonRows } from "../ui/surface.tsx";

const columns: readonly Column<HealthCheck>[] = [
  { id: "status", title: "Status", cell: (check) => <StatusTag status={check.status} /> },
  {
    id: "when",
    title: "When",
    // A button, so that the row can be reached by keyboard.
    cell: (check) => (
      <button type="button" className="nums whitespace-nowrap hover:underline">
        {moment(check.created_at)}
      </button>
    ),
  },
  {
    id: "by",
    title: "By",
    cell: (check) => check.schedule_id ?? check.requested_by,
    className: "hidden sm:table-cell",
  },
  {
    id: "workers",
    title: "Passed",
    cell: (check) => `${check.passed_workers} of ${check.total_workers}`,
    end: true,
  },
  {
    id: "took",
    title: "Took",
    cell: (check) =>
      check.finished_at === null ? "–" : duration(instant(check.finished_at) - instant(check.created_at)),
    end: true,
    className: "hidden sm:table-cell",
  },
];

const keyOf = (check: HealthCheck): string => check.uuid;

/** The checks there were, newest first. */
export function Checks({ onOpen }: { onOpen: (check: HealthCheck) => void }) {
  const list = useInfiniteQuery({
    queryKey: ["healthChecks", "list"],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      need(client.healthChecks.list({ limit: 50, ...(pageParam === "" ? {} : { cursor: pageParam }) }, { signal })),
    getNextPageParam: (page) => page.cursor ?? undefined,
    refetchInterval: 10_000,
  });
  const checks = list.data?.pages.flatMap((page) => page.checks) ?? [];
  return (
    <Card>
      {list.isPending ? (
        <SkeletonRows rows={8} />
      ) : list.error && checks.length === 0 ? (
        <Problem error={list.error} retry={() => void list.refetch()} />
      ) : checks.length === 0 ? (
        <Empty icon={<HeartPulse />} title="No checks yet">
          The schedules begin them, or you do.
        </Empty>
      ) : (
        <DataTable label="Health checks" columns={columns} rows={checks} keyOf={keyOf} onOpen={onOpen} />
      )}
      {list.hasNextPage ? (
        <div className="flex justify-center border-t border-line p-3">
          <Button onClick={() => void list.fetchNextPage()} disabled={list.isFetching}>
            Older checks
          </Button>
        </div>
      ) : null}
    </Card>
  );
}
