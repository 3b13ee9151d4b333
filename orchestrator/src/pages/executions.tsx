import { type Execution, EXECUTION_STATUSES, PROVIDERS, ProviderNameSchema } from "@shared/contracts";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { SquareTerminal, X } from "lucide-react";
import { useCallback, useMemo } from "react";
import { z } from "zod";
import { client, need } from "../api/client.ts";
import { type Column, DataTable } from "../components/dataTable.tsx";
import { durationOf, isOver } from "../components/execution/view.tsx";
import { PageBody } from "../components/page.tsx";
import { Problem } from "../components/problems.tsx";
import { StatusTag } from "../components/status.tsx";
import { Button } from "../components/ui/button.tsx";
import { Select } from "../components/ui/controls.tsx";
import { Card, Empty, SkeletonRows } from "../components/ui/surface.tsx";
import { cn } from "../lib/cn.ts";
import { ago, brief, count, instant, moment, usd } from "../lib/format.ts";
import { useMedia } from "../lib/media.ts";
import { useListKeys } from "../lib/useListKeys.ts";
import { lookOf } from "../stream/status.ts";

const keyOf = (execution: Execution): string => execution.execution_id;
const StatusSchema = z.enum(EXECUTION_STATUSES);

/** How it ended, where its status alone does not say. */
function Ended({ execution, className }: { execution: Execution; className?: string }) {
  const { class: ended, status } = execution;
  if (ended === null || (ended === "applied" && status === "completed")) return null;
  if (lookOf(ended).word === lookOf(status).word) return null;
  return (
    <span className={cn("whitespace-nowrap text-xs", lookOf(ended).text, className)} title={lookOf(ended).meaning}>
      {lookOf(ended).word}
    </span>
  );
}

const tokensOf = ({ input_tokens: input, output_tokens: output }: Execution): string =>
  input === null && output === null ? "–" : `${brief(input ?? 0)} / ${brief(output ?? 0)}`;

const columns: Column<Execution>[] = [
  {
    id: "status",
    title: "Status",
    cell: (execution) => <StatusTag status={execution.status} />,
    className: "w-px",
  },
  {
    id: "id",
    title: "Execution",
    cell: (execution) => (
      <Link
        to="/executions/$executionId"
        params={{ executionId: execution.execution_id }}
        className="block max-w-52 truncate font-mono text-xs hover:underline"
        onClick={(event) => event.stopPropagation()}
      >
        {execution.execution_id}
      </Link>
    ),
    className: "w-px",
  },
  {
    id: "task",
    title: "Task",
    cell: (execution) => (
      <span className="block max-w-64 truncate font-mono text-xs text-ink-2">{execution.task_uuid}</span>
    ),
  },
  {
    id: "provider",
    title: "Provider",
    cell: (execution) => (
      <span className="block max-w-64 truncate whitespace-nowrap">
        {execution.race === null ? execution.provider_name : `race of ${execution.race.length}`}{" "}
        <span className="font-mono text-2xs text-ink-3">{execution.model}</span>
      </span>
    ),
  },
  {
    id: "ended",
    title: "Ended as",
    cell: (execution) => <Ended execution={execution} />,
    className: "hidden xl:table-cell",
  },
  {
    id: "attempts",
    title: "Attempts",
    end: true,
    cell: (execution) => (
      <span className={execution.attempts > 1 ? "" : "text-ink-3"}>{count(execution.attempts)}</span>
    ),
    className: "hidden w-px lg:table-cell",
  },
  {
    id: "tokens",
    title: "Tokens in / out",
    end: true,
    cell: (execution) => <span className="whitespace-nowrap text-ink-2">{tokensOf(execution)}</span>,
    className: "hidden w-px xl:table-cell",
  },
  { id: "cost", title: "Cost", end: true, cell: (execution) => usd(execution.cost_usd), className: "w-px" },
  {
    id: "took",
    title: "Took",
    end: true,
    cell: (execution) => <span className="whitespace-nowrap text-ink-2">{durationOf(execution)}</span>,
    className: "w-px",
  },
  {
    id: "created",
    title: "Asked",
    end: true,
    cell: (execution) => (
      <time
        dateTime={execution.created_at}
        title={moment(execution.created_at)}
        className="whitespace-nowrap text-ink-3"
      >
        {ago(Date.now() - instant(execution.created_at))}
      </time>
    ),
    className: "w-px",
  },
];

export default function ExecutionsPage() {
  const search = useSearch({ from: "/shell/executions" });
  const navigate = useNavigate({ from: "/executions" });
  const status = StatusSchema.safeParse(search.status).data;
  const provider = ProviderNameSchema.safeParse(search.provider).data;
  const query = useInfiniteQuery({
    queryKey: ["executions", status, provider, search.order, search.task],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      need(
        client.ai.executions.list(
          {
            limit: 100,
            ...(status ? { status } : {}),
            ...(provider ? { provider } : {}),
            ...(search.order ? { order_id: search.order } : {}),
            ...(search.task ? { task_id: search.task } : {}),
            ...(pageParam === "" ? {} : { cursor: pageParam }),
          },
          { signal },
        ),
      ),
    getNextPageParam: (page) => page.cursor ?? undefined,
    // What goes on is looked at often, what is over is not.
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.executions.some((execution) => !isOver(execution))) ? 3_000 : 15_000,
  });
  const executions = useMemo(() => query.data?.pages.flatMap((page) => page.executions) ?? [], [query.data]);
  const change = useCallback(
    (part: Partial<typeof search>) => void navigate({ search: (before) => ({ ...before, ...part }), replace: true }),
    [navigate],
  );
  const open = useCallback(
    (execution: Execution) =>
      void navigate({ to: "/executions/$executionId", params: { executionId: execution.execution_id } }),
    [navigate],
  );
  const cursor = useListKeys("Executions", executions, keyOf, open);
  const wide = useMedia("(min-width: 900px)");
  const narrowed = [status, provider, search.order, search.task].some((each) => each !== undefined);

  return (
    <PageBody
      title="Executions"
      wide
      tools={
        <>
          <Select
            label="Status"
            all="Any status"
            value={status}
            onChange={(next) => change({ status: next })}
            options={EXECUTION_STATUSES.map((value) => ({ value, label: lookOf(value).word }))}
          />
          <Select
            label="Provider"
            all="All providers"
            value={provider}
            onChange={(next) => change({ provider: next })}
            options={PROVIDERS.map((value) => ({ value, label: value }))}
          />
          {search.order === undefined ? null : (
            <Narrowed name="order" value={search.order} onClear={() => change({ order: undefined })} />
          )}
          {search.task === undefined ? null : (
            <Narrowed name="task" value={search.task} onClear={() => change({ task: undefined })} />
          )}
        </>
      }
    >
      <Card>
        {query.isPending ? (
          <SkeletonRows rows={8} />
        ) : query.error && executions.length === 0 ? (
          <Problem error={query.error} retry={() => void query.refetch()} />
        ) : executions.length === 0 ? (
          narrowed ? (
            <Empty icon={<SquareTerminal />} title="No execution passes these filters">
              <Button
                className="mt-3"
                onClick={() => change({ status: undefined, provider: undefined, order: undefined, task: undefined })}
              >
                Clear all
              </Button>
            </Empty>
          ) : (
            <Empty icon={<SquareTerminal />} title="No executions yet">
              An execution is one run of a provider on a task;{" "}
              <code className="font-mono text-xs">POST /api/ai/execute</code> starts one.
            </Empty>
          )
        ) : wide ? (
          <DataTable
            label="List of executions"
            columns={columns}
            rows={executions}
            keyOf={keyOf}
            onOpen={open}
            cursor={cursor}
          />
        ) : (
          <ul>
            {executions.map((execution) => (
              <li key={execution.execution_id} className="border-b border-line last:border-0">
                <Link
                  to="/executions/$executionId"
                  params={{ executionId: execution.execution_id }}
                  className="block px-4 py-2.5 -outline-offset-2 hover:bg-hover"
                >
                  <span className="flex items-center justify-between gap-3">
                    <span className="min-w-0 truncate font-medium">
                      {execution.race === null ? execution.provider_name : `race of ${execution.race.length}`}{" "}
                      <span className="font-mono text-2xs font-normal text-ink-3">{execution.model}</span>
                    </span>
                    <StatusTag status={execution.status} />
                  </span>
                  <span className="mt-1 flex items-baseline justify-between gap-3">
                    <span className="min-w-0 truncate font-mono text-xs text-ink-2">{execution.task_uuid}</span>
                    <Ended execution={execution} />
                  </span>
                  <span className="nums mt-0.5 flex justify-between gap-3 text-xs text-ink-3">
                    <span className="truncate">
                      {execution.status === "queued"
                        ? execution.execution_id
                        : `${durationOf(execution)} · ${usd(execution.cost_usd)}`}
                      {execution.attempts > 1 ? ` · ${execution.attempts} attempts` : ""}
                    </span>
                    <span>{ago(Date.now() - instant(execution.created_at))}</span>
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        )}
      </Card>
      {query.hasNextPage ? (
        <div className="flex justify-center">
          <Button onClick={() => void query.fetchNextPage()} disabled={query.isFetchingNextPage}>
            {query.isFetchingNextPage ? "Reading…" : "Older executions"}
          </Button>
        </div>
      ) : null}
    </PageBody>
  );
}

/** What the list was narrowed to from elsewhere, and the way out of it. */
function Narrowed({ name, value, onClear }: { name: string; value: string; onClear: () => void }) {
  return (
    <span className="inline-flex h-8 min-w-0 max-w-full items-center gap-1.5 rounded-md bg-accent-soft pr-1 pl-2.5 text-sm">
      <span className="text-ink-2">{name}</span>
      <span className="truncate font-mono text-xs">{value}</span>
      <Button variant="ghost" size="icon" className="size-6" aria-label={`Any ${name}`} onClick={onClear}>
        <X />
      </Button>
    </span>
  );
}
