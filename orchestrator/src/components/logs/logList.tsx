import type { OperationLog } from "@shared/contracts";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowUp } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { cn } from "../../lib/cn.ts";
import { count, instant, when } from "../../lib/format.ts";
import { useWidth } from "../../lib/media.ts";
import { LevelTag } from "./level.tsx";

const HEIGHT = { wide: 32, narrow: 60 } as const;

/** Lines of the log, of which only those in sight are drawn. */
export function LogList(props: {
  lines: readonly OperationLog[];
  selected: number | undefined;
  cursor: string | null;
  behind: number;
  paused: boolean;
  onOpen: (line: OperationLog) => void;
  onScrolled: (scrolled: boolean) => void;
  onEnd: () => void;
  onResume: () => void;
  end: ReactNode;
  instead: ReactNode;
}) {
  const { lines, selected, cursor, behind, paused, onOpen, onScrolled, onEnd, onResume, end, instead } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const width = useWidth(scroller);
  const narrow = width !== null && width < 640;
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (narrow ? HEIGHT.narrow : HEIGHT.wide),
    getItemKey: (index) => lines[index]?.id ?? index,
    overscan: 12,
  });
  useEffect(() => virtualizer.measure(), [virtualizer, narrow]);
  useEffect(() => {
    const index = cursor === null ? -1 : lines.findIndex(({ id }) => String(id) === cursor);
    if (index !== -1) virtualizer.scrollToIndex(index, { align: "auto" });
  }, [cursor]);
  const items = virtualizer.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (lines.length > 0 && lastShown >= lines.length - 10) onEnd();
  }, [lastShown, lines.length, onEnd]);

  return (
    <div className="relative min-h-0 flex-1">
      {behind > 0 ? (
        <button
          type="button"
          className="absolute top-3 left-1/2 z-10 flex h-8 -translate-x-1/2 items-center gap-1.5 rounded-full border border-line bg-accent px-3 text-xs font-medium text-on-accent shadow-pop"
          onClick={() => {
            onResume();
            scroller.current?.scrollTo({ top: 0 });
          }}
        >
          <ArrowUp className="size-3.5" />
          {count(behind)} new{paused ? ", paused" : ""}
        </button>
      ) : null}
      <div
        ref={scroller}
        role="region"
        aria-label="Lines of the log"
        tabIndex={0}
        className="h-full overflow-y-auto overscroll-contain -outline-offset-2"
        onScroll={(event) => onScrolled(event.currentTarget.scrollTop > 60)}
      >
        {instead ?? (
          <>
            <div className="relative w-full" style={{ height: virtualizer.getTotalSize() }}>
              {items.map((item) => {
                const line = lines[item.index];
                return line === undefined ? null : (
                  <div
                    key={item.key}
                    data-row={line.id}
                    className="absolute inset-x-0 top-0"
                    style={{ height: item.size, transform: `translateY(${item.start}px)` }}
                  >
                    <LogLine
                      line={line}
                      narrow={narrow}
                      marked={line.id === selected || String(line.id) === cursor}
                      onOpen={onOpen}
                    />
                  </div>
                );
              })}
            </div>
            <div className="flex h-14 items-center justify-center text-xs text-ink-3">{end}</div>
          </>
        )}
      </div>
    </div>
  );
}

function LogLine({
  line,
  narrow,
  marked,
  onOpen,
}: {
  line: OperationLog;
  narrow: boolean;
  marked: boolean;
  onOpen: (line: OperationLog) => void;
}) {
  const time = <span className="nums shrink-0 font-mono text-2xs text-ink-3">{when(instant(line.ts))}</span>;
  const message = <span className="min-w-0 truncate">{line.message}</span>;
  return (
    <button
      type="button"
      onClick={() => onOpen(line)}
      aria-current={marked ? "true" : undefined}
      className={cn(
        "flex h-full w-full border-b border-line px-3 text-left text-sm -outline-offset-2 sm:px-4",
        marked ? "bg-accent-soft" : "hover:bg-hover",
        narrow ? "flex-col justify-center gap-1" : "items-center gap-3",
      )}
    >
      {narrow ? (
        <>
          <span className="flex w-full min-w-0 items-center gap-2">
            <LevelTag level={line.level} />
            <span className="min-w-0 flex-1 truncate font-mono text-xs text-ink-2">{line.operation}</span>
            {time}
          </span>
          <span className="flex w-full min-w-0">{message}</span>
        </>
      ) : (
        <>
          <span className="w-24 shrink-0">{time}</span>
          <LevelTag level={line.level} />
          <span className="w-44 shrink-0 truncate font-mono text-xs text-ink-3">{line.source}</span>
          <span className="w-40 shrink-0 truncate font-mono text-xs text-ink-2">{line.operation}</span>
          {message}
        </>
      )}
    </button>
  );
}
