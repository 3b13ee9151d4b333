import { GitCommitVertical } from "lucide-react";
import { cn } from "../../lib/cn.ts";
import { moment, plural, when } from "../../lib/format.ts";
import type { StreamEvent } from "../../stream/event.ts";
import type { PatchRow } from "../../stream/PatchBook.ts";
import { lookOf } from "../../stream/status.ts";
import { LineCounts, Path } from "../lines.tsx";
import { StatusMark } from "../status.tsx";
import { Card, Empty } from "../ui/surface.tsx";
import type { Step } from "./batches.ts";

/** What stands for a batch, which was taken or refused as one; some of its patches may have been reverted since. */
function statusOf(rows: readonly PatchRow[]): string {
  if (rows.every((row) => row.status === "patch_reverted")) return "patch_reverted";
  return (
    ["patch_failed", "patch_requested", "patch_applied"].find((status) => rows.some((row) => row.status === status)) ??
    "patch_validated"
  );
}

const SHOWN = 50;

/** An order's life: each batch with its patches, and what its factory said between them. */
export function Timeline({
  steps,
  selected,
  onOpen,
}: {
  steps: readonly Step[];
  selected: string | undefined;
  onOpen: (row: PatchRow) => void;
}) {
  if (steps.length === 0)
    return (
      <Empty icon={<GitCommitVertical />} title="Nothing has happened yet">
        Batches of patches appear here as the factory sends them.
      </Empty>
    );
  return (
    <ol className="relative ml-2 border-l border-line-strong">
      {steps.map((step) =>
        step.kind === "phase" ? (
          <Phase key={step.key} event={step.event} />
        ) : (
          <Batch key={step.key} step={step} selected={selected} onOpen={onOpen} />
        ),
      )}
    </ol>
  );
}

/** Types that tell of something that went wrong. */
const WENT_WRONG = /(?:^|_)(?:error|failed)(?:_|$)/;

function Phase({ event }: { event: StreamEvent }) {
  const wrong = WENT_WRONG.test(event.type);
  return (
    <li data-phase={event.type} className="relative flex items-baseline gap-3 py-1.5 pl-6 text-xs text-ink-3">
      {wrong ? (
        <span className="absolute top-1.5 -left-[8px] grid size-4 place-items-center rounded-full bg-bg">
          <StatusMark status="failed" silent className="size-3" />
        </span>
      ) : (
        <span aria-hidden className="absolute top-3 -left-[3.500px] size-1.5 rounded-full bg-line-strong" />
      )}
      <span className="min-w-0 break-words">
        <span className={wrong ? "text-failed" : "text-ink-2"}>{event.type.replaceAll("_", " ")}</span>
        {event.phase ? ` · ${event.phase}` : ""}
        {event.message ? ` · ${event.message}` : ""}
      </span>
      <time className="nums ml-auto shrink-0 pr-4" dateTime={new Date(event.at).toISOString()}>
        {when(event.at)}
      </time>
    </li>
  );
}

function Batch({
  step,
  selected,
  onOpen,
}: {
  step: Extract<Step, { kind: "batch" }>;
  selected: string | undefined;
  onOpen: (row: PatchRow) => void;
}) {
  const status = statusOf(step.rows);
  const reverted = status === "patch_reverted" ? 0 : step.rows.filter((row) => row.status === "patch_reverted").length;
  const culprit = step.rows.find((row) => row.errorCode !== null && row.errorCode !== "BATCH_REFUSED");
  return (
    <li className="relative py-2 pl-6">
      <span className="absolute top-5 -left-[8px] grid size-4 place-items-center rounded-full bg-bg">
        <StatusMark status={status} silent />
      </span>
      <Card>
        <header className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 border-b border-line px-4 py-2">
          <span className={cn("font-medium", lookOf(status).text)}>{lookOf(status).word}</span>
          {step.phase ? <span className="font-medium">{step.phase}</span> : null}
          <span className="text-xs text-ink-3">
            {plural(step.rows.length, "patch", "patches")}
            {step.requester ? ` by ${step.requester}` : ""}
          </span>
          {reverted > 0 ? (
            <span className="flex items-center gap-1 text-xs text-reverted">
              <StatusMark status="patch_reverted" silent className="size-3" />
              {reverted} reverted
            </span>
          ) : null}
          <time className="nums ml-auto text-xs text-ink-3" dateTime={new Date(step.at).toISOString()}>
            {moment(new Date(step.at).toISOString())}
          </time>
          {step.reason ? <p className="w-full break-words text-xs text-ink-2">{step.reason}</p> : null}
          {culprit?.errorCode ? (
            <p className="w-full break-words text-xs text-failed">
              <span className="font-mono">{culprit.errorCode}</span>:{" "}
              {culprit.events.findLast(({ message }) => message !== null)?.message}
            </p>
          ) : null}
        </header>
        <ul className="py-1">
          {step.rows.slice(0, SHOWN).map((row) => (
            <li key={row.key}>
              <button
                type="button"
                data-patch={row.patchId}
                aria-current={row.patchId === selected ? "true" : undefined}
                onClick={() => onOpen(row)}
                className={cn(
                  "flex h-8 w-full items-center gap-3 px-4 text-left -outline-offset-2",
                  row.patchId === selected ? "bg-accent-soft" : "hover:bg-hover",
                )}
              >
                <StatusMark status={row.status} className="size-3" />
                <Path path={row.file} className="flex-1" />
                <LineCounts added={row.linesAdded} removed={row.linesRemoved} />
                <span className="hidden w-28 shrink-0 truncate font-mono text-2xs text-ink-3 sm:block">{row.op}</span>
              </button>
            </li>
          ))}
        </ul>
        {step.rows.length > SHOWN ? (
          <p className="border-t border-line px-4 py-2 text-xs text-ink-3">
            and {plural(step.rows.length - SHOWN, "patch", "patches")} more
          </p>
        ) : null}
      </Card>
    </li>
  );
}
