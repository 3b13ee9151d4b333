import { ChevronRight } from "lucide-react";
import { memo } from "react";
import { cn } from "../../lib/cn.ts";
import { count, plural, when } from "../../lib/format.ts";
import type { StreamEvent } from "../../stream/event.ts";
import type { Line } from "../../stream/lines.ts";
import type { PatchRow } from "../../stream/PatchBook.ts";
import { lookOf } from "../../stream/status.ts";
import { LineCounts, Path } from "../lines.tsx";
import { StatusMark } from "../status.tsx";

/** What arrived since is let in gently; what is scrolled to is simply there. */
const FRESH_MS = 900;
const isFresh = (at: number): boolean => Date.now() - at < FRESH_MS + 600;

export const ROW_HEIGHT = {
  wide: { order: 36, patch: 34, phase: 26 },
  narrow: { order: 38, patch: 52, phase: 28 },
} as const;

/** The line that links the marks of an order's patches, as the chain links their events. */
const Rail = () => <span aria-hidden className="absolute top-0 bottom-0 left-[22.500px] w-px bg-line" />;

/** Nothing is wrong with such a patch: another of its batch was refused. */
const WITH_ITS_BATCH = "BATCH_REFUSED";

function ErrorCode({ code }: { code: string | null }) {
  if (code === null) return null;
  if (code === WITH_ITS_BATCH) return <span className="shrink-0 text-2xs text-ink-3">with its batch</span>;
  return (
    <span className="max-w-44 shrink-0 truncate rounded bg-failed-soft px-1.5 font-mono text-2xs leading-5 text-failed">
      {code}
    </span>
  );
}

export const PatchLine = memo(function PatchLine({
  row,
  narrow,
  selected,
  onOpen,
}: {
  row: PatchRow;
  narrow: boolean;
  selected: boolean;
  onOpen: (row: PatchRow) => void;
}) {
  const look = lookOf(row.status);
  return (
    <button
      type="button"
      data-patch={row.patchId}
      data-status={row.status}
      aria-current={selected ? "true" : undefined}
      onClick={() => onOpen(row)}
      className={cn(
        "relative flex h-full w-full items-center gap-3 pr-4 pl-4 text-left -outline-offset-2",
        selected ? "bg-accent-soft" : "hover:bg-hover",
        isFresh(row.at) && "animate-arrive",
      )}
    >
      <Rail />
      <span className="relative z-[1] grid size-4 shrink-0 place-items-center rounded-full bg-surface">
        <StatusMark status={row.status} silent />
      </span>
      {narrow ? (
        <span className="min-w-0 flex-1">
          <span className="flex items-center justify-between gap-3">
            <Path path={row.file} />
            <span className="nums shrink-0 text-2xs text-ink-3">{when(row.at)}</span>
          </span>
          <span className="mt-0.5 flex items-center gap-2 text-2xs text-ink-3">
            <span className={look.text}>{look.word}</span>
            <span className="truncate">
              {row.errorCode === null ? row.op : row.errorCode === WITH_ITS_BATCH ? "with its batch" : row.errorCode}
            </span>
            <LineCounts added={row.linesAdded} removed={row.linesRemoved} />
            <span className="ml-auto truncate">{row.requester ?? row.actor}</span>
          </span>
        </span>
      ) : (
        <>
          <span className={cn("w-19 shrink-0 text-xs font-medium", look.text)}>{look.word}</span>
          <Path path={row.file} className="flex-1" />
          <ErrorCode code={row.errorCode} />
          <LineCounts added={row.linesAdded} removed={row.linesRemoved} />
          <span className="hidden w-28 shrink-0 truncate font-mono text-2xs text-ink-3 @3xl:block">{row.op}</span>
          <span className="hidden w-28 shrink-0 truncate text-xs text-ink-2 @2xl:block">
            <bdi>{row.requester ?? row.actor}</bdi>
          </span>
          <span className="nums w-24 shrink-0 text-right text-xs text-ink-3">{when(row.at)}</span>
        </>
      )}
    </button>
  );
});

export const OrderLine = memo(function OrderLine({
  line,
  title,
  onToggle,
}: {
  line: Extract<Line, { kind: "order" }>;
  title: string | undefined;
  onToggle: (key: string) => void;
}) {
  return (
    <button
      type="button"
      aria-expanded={line.open}
      onClick={() => onToggle(line.orderId ?? "")}
      className="flex h-full w-full items-center gap-2 border-y border-line bg-sunken pr-4 pl-3.5 text-left -outline-offset-2 hover:bg-hover"
    >
      <ChevronRight
        className={cn("size-4 shrink-0 text-ink-3 transition-transform", line.open && "rotate-90")}
        aria-hidden
      />
      <span className="shrink-0 font-mono text-xs font-medium">{line.orderId ?? "No order"}</span>
      <span className="min-w-0 flex-1 truncate text-xs text-ink-2">{title}</span>
      {line.failed > 0 ? (
        <span className="nums flex items-center gap-1 text-xs text-failed">
          <StatusMark status="patch_failed" silent className="size-3" />
          {count(line.failed)} failed
        </span>
      ) : null}
      <span className="nums shrink-0 text-xs text-ink-3">{plural(line.patches, "patch", "patches")}</span>
    </button>
  );
});

export const PhaseLine = memo(function PhaseLine({ event }: { event: StreamEvent }) {
  return (
    <div
      className={cn(
        "relative flex h-full items-center gap-3 pr-4 pl-4 text-2xs text-ink-3",
        isFresh(event.at) && "animate-arrive",
      )}
    >
      <Rail />
      <span className="relative z-[1] grid size-4 shrink-0 place-items-center">
        <span className="size-1.5 rounded-full bg-line-strong" />
      </span>
      <span className="truncate">
        {event.type.replaceAll("_", " ")}
        {event.phase ? ` · ${event.phase}` : ""}
        {event.message ? ` · ${event.message}` : ""}
      </span>
      <span className="nums ml-auto shrink-0">{when(event.at)}</span>
    </div>
  );
});
