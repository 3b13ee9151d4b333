import type { CustodyRecord, VibeError } from "@shared/contracts";
import { VibeErrorSchema } from "@shared/contracts";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Columns2, FileDiff, Link2, Rows2, X } from "lucide-react";
import { lazy, type ReactNode, Suspense, useEffect } from "react";
import { patchQuery } from "../../api/queries.ts";
import { cn } from "../../lib/cn.ts";
import { duration, instant, moment, timeOfDay } from "../../lib/format.ts";
import { eventOfRecord } from "../../stream/event.ts";
import { lookOf } from "../../stream/status.ts";
import { useStream } from "../../stream/store.ts";
import { CopyButton, Identifier } from "../copy.tsx";
import { LineCounts, Path } from "../lines.tsx";
import { Problem } from "../problems.tsx";
import { StatusMark, StatusTag } from "../status.tsx";
import { Button } from "../ui/button.tsx";
import { Checkbox, Segmented } from "../ui/controls.tsx";
import { Empty, Skeleton, SkeletonRows } from "../ui/surface.tsx";
import { RevertDialog } from "./revertDialog.tsx";

const Diff = lazy(() => import("./diffView.tsx"));

export interface PanelView {
  split: boolean;
  hideWhitespace: boolean;
}

/** One patch: what it did to its file, what is known of it, and where it stands in its workspace's chain. */
export function PatchPanel({
  patchId,
  view,
  onView,
  onClose,
}: {
  patchId: string;
  view: PanelView;
  onView: (view: PanelView) => void;
  onClose: () => void;
}) {
  const queries = useQueryClient();
  const { data, error, refetch, isPending } = useQuery(patchQuery(patchId));
  // The patch lives on while it is looked at.
  const revision = useStream((state) => {
    const last = data?.events.at(-1);
    return last ? (state.book.row(`${last.workspace_id}\u0000${patchId}`)?.lastSeq ?? 0) : 0;
  });
  const lastSeq = data?.events.at(-1)?.seq ?? 0;
  useEffect(() => {
    if (revision > lastSeq) void queries.invalidateQueries({ queryKey: patchQuery(patchId).queryKey });
  }, [revision, lastSeq, patchId, queries]);

  if (isPending)
    return (
      <Frame onClose={onClose}>
        <SkeletonRows rows={3} />
        <Skeleton className="mx-4 h-48" />
      </Frame>
    );
  if (error) return <Frame onClose={onClose}>{<Problem error={error} retry={() => void refetch()} />}</Frame>;

  const { events, diff } = data;
  const last = events.at(-1);
  const first = events[0];
  if (!last || !first) return <Frame onClose={onClose}>{<Empty title="Nothing is on record of this patch" />}</Frame>;
  const told = eventOfRecord(events.findLast(({ meta }) => meta.lines_added !== undefined) ?? last);
  const status = last.event_type;
  const refusal = events.map(errorOf).findLast((each) => each !== null) ?? null;
  const file = last.file ?? "";
  const canRevert = status === "patch_applied" || status === "patch_validated";

  return (
    <Frame
      onClose={onClose}
      header={
        <>
          <div className="flex min-w-0 items-center gap-2">
            <StatusTag status={status} />
            <Path path={file} className="text-sm" />
          </div>
          <div className="mt-1 flex min-w-0 items-center gap-2 text-xs text-ink-3">
            <span className="font-mono whitespace-nowrap">{last.op}</span>
            <LineCounts added={told.linesAdded} removed={told.linesRemoved} />
            <span className="truncate">{eventOfRecord(first).requester ?? first.actor}</span>
            <span className="whitespace-nowrap">{moment(last.ts)}</span>
          </div>
        </>
      }
      action={
        canRevert ? (
          <RevertDialog workspace={last.workspace_id} patchId={patchId} batchId={first.batch_id} file={file} />
        ) : null
      }
    >
      {refusal ? <Refusal error={refusal} /> : null}
      <section aria-label="Diff" className="border-b border-line">
        <div className="flex h-10 items-center justify-between gap-3 px-4">
          <h3 className="label">Diff</h3>
          {diff === null ? null : (
            <div className="flex items-center gap-3">
              <Checkbox
                label="Hide white space"
                className="text-xs"
                checked={view.hideWhitespace}
                onCheckedChange={(checked) => onView({ ...view, hideWhitespace: checked === true })}
              />
              <Segmented
                label="Layout of the diff"
                value={view.split ? "split" : "unified"}
                onChange={(next) => onView({ ...view, split: next === "split" })}
                options={[
                  { value: "unified", label: <Rows2 />, name: "Unified" },
                  { value: "split", label: <Columns2 />, name: "Split" },
                ]}
              />
              <CopyButton text={diff} label="Copy the diff" className="size-7" />
            </div>
          )}
        </div>
        {diff === null ? (
          <Empty className="py-8" icon={<FileDiff />} title="No diff">
            {status === "patch_failed"
              ? "The patch was refused, so nothing was written."
              : "Its diff stands with the engine that applied it."}
          </Empty>
        ) : (
          <div data-testid="diff" className="border-t border-line bg-surface">
            <Suspense fallback={<SkeletonRows rows={8} />}>
              <Diff diff={diff} file={file} split={view.split} hideWhitespace={view.hideWhitespace} />
            </Suspense>
          </div>
        )}
      </section>
      <About first={first} last={last} />
      <Custody events={events} />
    </Frame>
  );
}

function Frame({
  header,
  action,
  onClose,
  children,
}: {
  header?: ReactNode;
  action?: ReactNode;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <div className="flex h-full min-h-0 flex-col bg-bg">
      <header className="flex min-h-14 shrink-0 items-center justify-between gap-3 border-b border-line px-4 py-2">
        <div className="min-w-0 flex-1">{header}</div>
        <div className="flex items-center gap-1.5">
          {action}
          <Button variant="ghost" size="icon" aria-label="Close the patch" onClick={onClose}>
            <X />
          </Button>
        </div>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto" tabIndex={0} role="region" aria-label="Patch">
        {children}
      </div>
    </div>
  );
}

function errorOf(record: CustodyRecord): VibeError | null {
  const parsed = VibeErrorSchema.safeParse(record.meta.error);
  return parsed.success ? parsed.data : null;
}

function Refusal({ error }: { error: VibeError }) {
  return (
    <section aria-label="Why it was refused" className="border-b border-line bg-failed-soft px-4 py-3">
      <p className="flex items-center gap-2 font-medium text-failed">
        <StatusMark status="patch_failed" silent />
        <span className="font-mono text-xs">{error.code}</span>
      </p>
      <p className="mt-1 break-words text-ink">{error.message}</p>
      {error.context ? (
        <pre
          tabIndex={0}
          className="mt-2 max-h-48 overflow-auto rounded border border-line bg-surface p-2 font-mono text-2xs leading-4"
        >
          {error.context.lines.map((line, index) => (
            <div key={index}>
              <span className="mr-3 inline-block w-8 select-none text-right text-ink-3">
                {(error.context?.startLine ?? 1) + index}
              </span>
              {line}
            </div>
          ))}
        </pre>
      ) : null}
      {error.firstDivergence ? (
        <p className="mt-2 text-xs text-ink-2">
          First difference in line {error.firstDivergence.line}: expected{" "}
          <code className="font-mono">{error.firstDivergence.expected ?? "nothing"}</code>, found{" "}
          <code className="font-mono">{error.firstDivergence.actual ?? "nothing"}</code>.
        </p>
      ) : null}
    </section>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  if (children === null || children === undefined || children === "") return null;
  return (
    <>
      <dt className="text-ink-3">{name}</dt>
      <dd className="min-w-0 break-words text-ink">{children}</dd>
    </>
  );
}

function About({ first, last }: { first: CustodyRecord; last: CustodyRecord }) {
  const told = eventOfRecord(last);
  const asked = eventOfRecord(first);
  const settled = instant(last.ts) - instant(first.ts);
  return (
    <section aria-label="About" className="border-b border-line px-4 py-3">
      <h3 className="label mb-2">About</h3>
      <dl className="grid grid-cols-[7rem_minmax(0,1fr)] gap-x-3 gap-y-1.5 text-sm">
        <Row name="Patch">{last.patch_id ? <Identifier value={last.patch_id} label="the patch id" /> : null}</Row>
        <Row name="Batch">{first.batch_id ? <Identifier value={first.batch_id} label="the batch id" /> : null}</Row>
        <Row name="Order">
          {last.order_id ? (
            <Link to="/orders/$orderId" params={{ orderId: last.order_id }} className="text-accent-ink hover:underline">
              {last.order_id}
            </Link>
          ) : null}
        </Row>
        <Row name="Task">{last.task_id}</Row>
        <Row name="Phase">{told.phase ?? asked.phase}</Row>
        <Row name="Asked by">{asked.requester}</Row>
        <Row name="Called by">
          <span className="font-mono text-xs">{first.actor}</span>
        </Row>
        <Row name="Provider">{told.provider ? `${told.provider}${told.model ? `, ${told.model}` : ""}` : null}</Row>
        <Row name="Reason">{asked.reason}</Row>
        <Row name="Types">
          {last.ts_check_ok === null ? "not checked" : last.ts_check_ok ? "checked, no error" : "errors found"}
        </Row>
        <Row name="Took">{settled > 0 ? duration(settled) : null}</Row>
      </dl>
    </section>
  );
}

/** The patch's links of the chain, each with the hash it stands on. */
function Custody({ events }: { events: readonly CustodyRecord[] }) {
  return (
    <section aria-label="Custody" className="px-4 py-3">
      <h3 className="label mb-3">Custody in {events[0]?.workspace_id}</h3>
      <ol className="relative ml-1.5 border-l border-line-strong">
        {events.map((record) => (
          <li key={record.seq} className="relative pb-4 pl-5 last:pb-1">
            <span className="absolute top-0.5 -left-[7.500px] grid size-3.5 place-items-center rounded-full bg-bg">
              <StatusMark status={record.event_type} silent />
            </span>
            <p className="flex flex-wrap items-baseline gap-x-2">
              <span className={cn("font-medium", lookOf(record.event_type).text)}>
                {lookOf(record.event_type).word}
              </span>
              <span className="nums text-xs text-ink-3">
                link {record.seq} · {timeOfDay(instant(record.ts))}
              </span>
            </p>
            <p className="mt-0.5 flex flex-wrap items-center gap-x-3 text-2xs text-ink-3">
              <span className="inline-flex items-center gap-1">
                <Link2 className="size-3" aria-hidden /> stands on
                <span className="font-mono" title={record.prev_hash}>
                  {record.prev_hash.slice(0, 12)}
                </span>
              </span>
              <span className="inline-flex items-center gap-1">
                hash
                <Identifier value={record.hash} label="the hash" short className="text-ink-2" />
              </span>
            </p>
            {record.log ? (
              <p className="mt-0.5 text-2xs text-ink-3">
                log entry <span className="nums">{record.log.seq}</span>, tree{" "}
                <span className="font-mono" title={record.log.treeAfter}>
                  {record.log.treeAfter.slice(0, 12)}
                </span>
              </p>
            ) : null}
          </li>
        ))}
      </ol>
    </section>
  );
}
