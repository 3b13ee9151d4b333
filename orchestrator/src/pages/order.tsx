import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ChevronLeft, FileDiff } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useMemo } from "react";
import { orderQuery } from "../api/queries.ts";
import { Identifier } from "../components/copy.tsx";
import { type Column, DataTable } from "../components/dataTable.tsx";
import { LineCounts } from "../components/lines.tsx";
import { type ChangedFile, filesOf, stepsOf } from "../components/order/batches.ts";
import { OrderPullRequests } from "../components/order/pullRequests.tsx";
import { Timeline } from "../components/order/timeline.tsx";
import { PatchAside } from "../components/patch/patchAside.tsx";
import { Problem } from "../components/problems.tsx";
import { StatusMark, StatusTag } from "../components/status.tsx";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "../components/ui/controls.tsx";
import { Card, Empty, SkeletonRows } from "../components/ui/surface.tsx";
import { ago, count, duration, instant, moment, percent, plural } from "../lib/format.ts";
import { type Shortcut, useKeys } from "../lib/keys.ts";
import { searchOfView, viewOf } from "../lib/panelSearch.ts";
import type { StreamFilter } from "../stream/filter.ts";
import { passes } from "../stream/filter.ts";
import { useHistory } from "../stream/history.ts";
import { mergedBooks, mergedPhases, type PatchRow } from "../stream/PatchBook.ts";
import { usePastPhases } from "../stream/phases.ts";
import { useStream } from "../stream/store.ts";

const Replay = lazy(async () => ({ default: (await import("../components/order/replay.tsx")).Replay }));
const OrderReport = lazy(async () => ({ default: (await import("../components/delivery/report.tsx")).OrderReport }));

const TABS = ["timeline", "files", "replay", "report"] as const;
const MAX_PAGES = 25;

export default function OrderPage() {
  const { orderId } = useParams({ from: "/shell/orders/$orderId" });
  const search = useSearch({ from: "/shell/orders/$orderId" });
  const navigate = useNavigate({ from: "/orders/$orderId" });
  const order = useQuery({ ...orderQuery(orderId), refetchInterval: 10_000 });
  const { rows, phases, history, silent } = useOrderLife(orderId);
  const steps = useMemo(() => stepsOf(rows, phases), [rows, phases]);
  const files = useMemo(() => filesOf(rows), [rows]);
  const tab = search.tab ?? "timeline";

  const change = useCallback(
    (part: Partial<typeof search>) => void navigate({ search: (before) => ({ ...before, ...part }), replace: true }),
    [navigate],
  );
  const open = useCallback((row: PatchRow) => change({ patch: row.patchId }), [change]);
  const inOrder = useMemo(() => steps.flatMap((step) => (step.kind === "batch" ? step.rows : [])), [steps]);
  const move = useCallback(
    (step: number) => {
      const here = inOrder.findIndex((row) => row.patchId === search.patch);
      const next = inOrder[here === -1 ? 0 : Math.min(inOrder.length - 1, Math.max(0, here + step))];
      if (next) change({ patch: next.patchId });
    },
    [inOrder, search.patch, change],
  );
  useKeys(
    useMemo<Shortcut[]>(
      () => [
        { keys: "j", what: "Next patch", group: "Order", run: () => move(1) },
        { keys: "k", what: "Previous patch", group: "Order", run: () => move(-1) },
        { keys: "Escape", what: "Close the patch", group: "Order", run: () => change({ patch: undefined }) },
        ...TABS.map((name, index) => ({
          keys: String(index + 1),
          what: name[0]?.toUpperCase() + name.slice(1),
          group: "Order",
          run: () => change({ tab: index === 0 ? undefined : name }),
        })),
      ],
      [move, change],
    ),
  );

  return (
    <div className="flex min-h-0 flex-1">
      <div className="min-h-0 min-w-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-label="Order">
        <div className="mx-auto w-full max-w-6xl p-3 sm:p-4">
          <Link to="/orders" className="mb-2 inline-flex items-center gap-1 text-xs text-ink-3 hover:text-ink">
            <ChevronLeft className="size-3.5" aria-hidden />
            Orders
          </Link>
          {order.isPending ? (
            <SkeletonRows rows={2} />
          ) : order.error ? (
            <>
              <h1 className="sr-only">Order {orderId}</h1>
              <Problem error={order.error} retry={() => void order.refetch()} />
            </>
          ) : (
            <>
              <Head data={order.data} rows={rows} files={files} />
              <OrderPullRequests orderId={orderId} />
            </>
          )}
          <Tabs
            value={tab}
            onValueChange={(next) => change({ tab: TABS.find((each) => each === next && each !== "timeline") })}
            className="mt-4"
          >
            <TabsList aria-label="Order">
              <TabsTrigger value="timeline">Timeline</TabsTrigger>
              <TabsTrigger value="files">
                Files <span className="nums text-xs text-ink-3">{count(files.length)}</span>
              </TabsTrigger>
              <TabsTrigger value="replay">Replay</TabsTrigger>
              <TabsTrigger value="report">Report</TabsTrigger>
            </TabsList>
            <TabsContent value="timeline" className="pt-3">
              {history.isPending ? (
                <SkeletonRows rows={8} />
              ) : history.error && steps.length === 0 ? (
                <Problem error={history.error} retry={() => void history.refetch()} />
              ) : (
                <>
                  {silent && !order.error ? <Problem error={silent.error} retry={silent.retry} /> : null}
                  <Timeline steps={steps} selected={search.patch} onOpen={open} />
                </>
              )}
            </TabsContent>
            <TabsContent value="files" className="pt-4">
              <Files files={files} orderId={orderId} />
            </TabsContent>
            <TabsContent value="replay" className="pt-4">
              <Suspense fallback={<SkeletonRows />}>
                <Replay
                  orderId={orderId}
                  seq={search.seq}
                  file={search.file}
                  onSeq={(seq) => change({ seq })}
                  onFile={(file) => change({ file })}
                />
              </Suspense>
            </TabsContent>
            <TabsContent value="report" className="pt-4">
              <Suspense fallback={<SkeletonRows />}>
                <OrderReport orderId={orderId} />
              </Suspense>
            </TabsContent>
          </Tabs>
        </div>
      </div>
      {search.patch === undefined ? null : (
        <PatchAside
          patchId={search.patch}
          view={viewOf(search)}
          onView={(view) => change(searchOfView(view))}
          onClose={() => change({ patch: undefined })}
        />
      )}
    </div>
  );
}

/** An order's patches and phase messages, all pages of them, live. */
function useOrderLife(orderId: string) {
  const filter = useMemo<StreamFilter>(() => ({ order: orderId }), [orderId]);
  const history = useHistory(filter);
  const { past, error, refetch } = usePastPhases(orderId);
  const revision = useStream((state) => state.revision);
  const book = useStream((state) => state.book);
  const { hasNextPage, isFetching, fetchNextPage, data } = history;
  const pages = data?.pages.length ?? 0;
  useEffect(() => {
    if (hasNextPage && !isFetching && pages < MAX_PAGES) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage, pages]);
  return useMemo(() => {
    const merged = mergedBooks(book, history.book);
    return {
      rows: merged.rows.filter((row) => passes(row, filter)),
      phases: mergedPhases(merged.phases, past, orderId),
      /** Why the past's phases are missing, where they are. */
      silent: error === null ? null : { error, retry: () => void refetch() },
      history,
      revision,
    };
  }, [book, revision, history, filter, past, error, refetch, orderId]);
}

function Head({
  data,
  rows,
  files,
}: {
  data: {
    order: {
      id: string;
      title: string;
      description: string;
      status: string;
      factory: string;
      project_id: string | null;
      workspace_id: string;
      created_by: string;
      created_at: string;
      updated_at: string;
    };
    tasks: { id: string; title: string; status: string }[];
  };
  rows: readonly PatchRow[];
  files: readonly ChangedFile[];
}) {
  const { order, tasks } = data;
  const stands = rows.filter(({ status }) => status === "patch_applied" || status === "patch_validated").length;
  const settled = rows.filter(({ status }) => status !== "patch_requested").length;
  const failed = rows.filter(({ status }) => status === "patch_failed").length;
  const added = files.reduce((sum, file) => sum + file.added, 0);
  const removed = files.reduce((sum, file) => sum + file.removed, 0);
  return (
    <header>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h1 className="min-w-0 text-xl font-semibold tracking-tight break-words">{order.title}</h1>
        <StatusTag status={order.status} />
      </div>
      <p className="mt-1 flex flex-wrap items-center gap-x-3 text-xs text-ink-3">
        <Identifier value={order.id} label="the order id" className="text-ink-2" />
        <span>{order.factory}</span>
        {order.project_id ? (
          <span>
            {order.project_id},{" "}
            <Link
              to="/projects/$projectId/issues"
              params={{ projectId: order.project_id }}
              className="text-accent-ink underline"
            >
              its issues
            </Link>{" "}
            and{" "}
            <Link
              to="/projects/$projectId/prs"
              params={{ projectId: order.project_id }}
              className="text-accent-ink underline"
            >
              its pull requests
            </Link>
          </span>
        ) : null}
        <span>placed {moment(order.created_at)}</span>
        <span>changed {ago(Date.now() - instant(order.updated_at))} ago</span>
      </p>
      {order.description ? (
        <p
          className="mt-2 max-h-64 max-w-prose overflow-y-auto break-words whitespace-pre-wrap text-ink-2"
          tabIndex={0}
        >
          {order.description}
        </p>
      ) : null}
      <div className="mt-4 grid grid-cols-2 gap-px overflow-hidden rounded-lg border border-line bg-line sm:grid-cols-4">
        <Figure name="Patches that stand" value={count(stands)} of={`of ${count(rows.length)}`} />
        <Figure
          name="Success"
          value={percent(settled === 0 ? null : (stands / settled) * 100)}
          of={failed > 0 ? `${count(failed)} failed` : ""}
        />
        <Figure name="Files" value={count(files.length)}>
          {files.length > 0 ? <LineCounts added={added} removed={removed} /> : null}
        </Figure>
        <Figure name="Worked on for" value={duration(span(rows))} />
      </div>
      {tasks.length > 0 ? (
        <ul className="mt-3 flex flex-wrap gap-2" aria-label="Tasks">
          {tasks.map((task) => (
            <li
              key={task.id}
              className="flex max-w-full items-center gap-1.5 rounded-md border border-line bg-surface px-2 py-1 text-xs"
              title={task.id}
            >
              <StatusMark status={task.status} className="size-3" />
              <span className="truncate">{task.title}</span>
            </li>
          ))}
        </ul>
      ) : null}
    </header>
  );
}

function span(rows: readonly PatchRow[]): number | null {
  if (rows.length === 0) return null;
  return Math.max(...rows.map(({ at }) => at)) - Math.min(...rows.map(({ firstAt }) => firstAt));
}

function Figure({
  name,
  value,
  of = "",
  children,
}: {
  name: string;
  value: string;
  of?: string;
  children?: React.ReactNode;
}) {
  return (
    <div className="bg-surface px-4 py-2.5">
      <p className="label">{name}</p>
      <p className="mt-0.5 flex items-baseline gap-2">
        <span className="nums text-lg font-semibold">{value}</span>
        <span className="nums text-xs text-ink-3">{of}</span>
        {children}
      </p>
    </div>
  );
}

const fileKey = (file: ChangedFile): string => file.file;

function Files({ files, orderId }: { files: readonly ChangedFile[]; orderId: string }) {
  const columns = useMemo<Column<ChangedFile>[]>(
    () => [
      {
        id: "file",
        title: "File",
        cell: ({ file }) => (
          <Link
            to="/live"
            search={{ order: orderId, file }}
            className="block max-w-[60vw] truncate font-mono text-xs hover:underline"
          >
            {file}
          </Link>
        ),
      },
      {
        id: "lines",
        title: "Lines",
        end: true,
        cell: ({ added, removed }) => <LineCounts added={added} removed={removed} />,
        className: "w-px",
      },
      {
        id: "patches",
        title: "Patches",
        end: true,
        cell: ({ patches }) => plural(patches, "patch", "patches"),
        className: "hidden w-px whitespace-nowrap text-ink-2 sm:table-cell",
      },
      {
        id: "at",
        title: "Last",
        end: true,
        cell: ({ at }) => <span className="whitespace-nowrap text-ink-3">{moment(new Date(at).toISOString())}</span>,
        className: "hidden w-px sm:table-cell",
      },
    ],
    [orderId],
  );
  if (files.length === 0)
    return (
      <Empty icon={<FileDiff />} title="No file has changed">
        Files appear here once a patch of this order stands.
      </Empty>
    );
  return (
    <Card>
      <DataTable label="Files changed" columns={columns} rows={files} keyOf={fileKey} />
    </Card>
  );
}
