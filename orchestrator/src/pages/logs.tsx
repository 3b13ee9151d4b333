import type { OperationLog } from "@shared/contracts";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Download, ListFilter, Pause, Play, ScrollText } from "lucide-react";
import { useCallback, useMemo, useRef, useState } from "react";
import { SearchField } from "../components/live/filters.tsx";
import { LogList } from "../components/logs/logList.tsx";
import { LogPanel } from "../components/logs/logPanel.tsx";
import { Schedules } from "../components/logs/schedules.tsx";
import { Problem } from "../components/problems.tsx";
import { Button } from "../components/ui/button.tsx";
import { Select, Tabs, TabsContent, TabsList, TabsTrigger } from "../components/ui/controls.tsx";
import { Dialog, SheetContent } from "../components/ui/dialog.tsx";
import { Empty, SkeletonRows } from "../components/ui/surface.tsx";
import { plural } from "../lib/format.ts";
import { type Shortcut, useKeys } from "../lib/keys.ts";
import { useMedia } from "../lib/media.ts";
import { useListKeys } from "../lib/useListKeys.ts";
import { exportAddress, type LogFilter } from "../logs/filter.ts";
import { useLogTail } from "../logs/useLogTail.ts";

export default function LogsPage() {
  const { tab } = useSearch({ from: "/shell/logs" });
  const navigate = useNavigate({ from: "/logs" });
  return (
    <Tabs
      value={tab ?? "lines"}
      onValueChange={(next) =>
        void navigate({ search: { tab: next === "schedules" ? "schedules" : undefined }, replace: true })
      }
      className="flex min-h-0 flex-1 flex-col"
    >
      <h1 className="sr-only">Logs</h1>
      <TabsList aria-label="Logs" className="shrink-0 px-3 sm:px-4">
        <TabsTrigger value="lines">Lines</TabsTrigger>
        <TabsTrigger value="schedules">Schedules</TabsTrigger>
      </TabsList>
      <TabsContent value="lines" className="flex min-h-0 flex-1 flex-col">
        <Lines />
      </TabsContent>
      <TabsContent value="schedules" tabIndex={0} className="min-h-0 flex-1 overflow-y-auto p-3 sm:p-4">
        <div className="mx-auto max-w-4xl">
          <Schedules />
        </div>
      </TabsContent>
    </Tabs>
  );
}

const LEVELS = [
  { value: "info", label: "Info and above" },
  { value: "warn", label: "Warnings and errors" },
  { value: "error", label: "Errors" },
] as const;
/** The filters beside search and level. */
const NARROWED = ["source", "operation", "order", "task", "patch", "request", "from", "to"] as const;
const NOTHING: LogFilter = {
  q: undefined,
  level: undefined,
  source: undefined,
  operation: undefined,
  order: undefined,
  task: undefined,
  patch: undefined,
  request: undefined,
  from: undefined,
  to: undefined,
};
const keyOf = ({ id }: OperationLog): string => String(id);

function Lines() {
  const search = useSearch({ from: "/shell/logs" });
  const navigate = useNavigate({ from: "/logs" });
  const { q, level, source, operation, order, task, patch, request, from, to, row } = search;
  const filter = useMemo<LogFilter>(
    () => ({ q, level, source, operation, order, task, patch, request, from, to }),
    [q, level, source, operation, order, task, patch, request, from, to],
  );
  const change = useCallback(
    (part: Partial<typeof search>) => void navigate({ search: (before) => ({ ...before, ...part }), replace: true }),
    [navigate],
  );
  const { lines, history, isBehind } = useLogTail(filter);
  const [paused, setPaused] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const wide = useMedia("(min-width: 1100px)");
  const searchRef = useRef<HTMLInputElement>(null);

  // What is read must not move under the eye: paused, or scrolled away from the top, new lines wait.
  const pages = history.data?.pages.length ?? 0;
  const shape = useMemo(() => ({ filter, pages }), [filter, pages]);
  const last = useRef({ lines, shape });
  if (!(paused || scrolled) || last.current.shape !== shape) last.current = { lines, shape };
  const shown = last.current.lines;
  const behind = Math.max(0, lines.length - shown.length);

  const { hasNextPage, isFetchingNextPage, fetchNextPage } = history;
  const loadOlder = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const open = useCallback((line: OperationLog) => change({ row: line.id }), [change]);
  const cursor = useListKeys("Logs", shown, keyOf, open);
  useKeys(
    useMemo<Shortcut[]>(
      () => [
        { keys: "Escape", what: "Close the line", group: "Logs", run: () => change({ row: undefined }) },
        { keys: "p", what: "Pause or go on", group: "Logs", run: () => setPaused((now) => !now) },
        { keys: "/", what: "Search", group: "Logs", run: () => searchRef.current?.focus() },
      ],
      [change],
    ),
  );
  const selected = row === undefined ? undefined : lines.find(({ id }) => id === row);
  const isNarrowed = Object.values(filter).some((value) => value !== undefined);
  const panel = selected ? (
    <LogPanel line={selected} onFilter={change} onClose={() => change({ row: undefined })} />
  ) : null;

  return (
    <div className="flex min-h-0 flex-1">
      <section aria-label="Log" className="flex min-w-0 flex-1 flex-col bg-surface">
        <div className="flex min-h-11 shrink-0 flex-wrap items-center gap-2 border-b border-line px-3 py-1.5 sm:px-4">
          <SearchField
            inputRef={searchRef}
            label="Search the log"
            value={q}
            onChange={(next) => change({ q: next })}
            className="min-w-40 flex-1 sm:max-w-72"
          />
          <Select
            label="Level"
            all="All levels"
            value={level}
            options={LEVELS}
            onChange={(next) => change({ level: LEVELS.find(({ value }) => value === next)?.value })}
            className="w-44"
          />
          <span className="nums hidden text-xs whitespace-nowrap text-ink-3 sm:inline" data-testid="log-count">
            {plural(shown.length, "line")}
            {hasNextPage ? " so far" : ""}
          </span>
          <span className="ml-auto flex items-center gap-2">
            {isBehind ? <span className="text-xs text-failed">new lines do not come in</span> : null}
            <Button asChild className="h-8 sm:h-7">
              <a href={exportAddress(filter)} download>
                <Download aria-hidden />
                <span className="hidden sm:inline">NDJSON</span>
                <span className="sr-only">Export these lines as NDJSON</span>
              </a>
            </Button>
            <Button
              onClick={() => setPaused(!paused)}
              aria-pressed={paused}
              aria-label={paused ? "Go on" : "Pause"}
              className="h-8 sm:h-7"
            >
              {paused ? <Play /> : <Pause />}
              <span className="hidden sm:inline">{paused ? "Go on" : "Pause"}</span>
            </Button>
          </span>
          {isNarrowed ? <Narrowed filter={filter} onChange={change} /> : null}
        </div>
        <LogList
          lines={shown}
          selected={row}
          cursor={cursor}
          behind={behind}
          paused={paused}
          onOpen={open}
          onScrolled={setScrolled}
          onEnd={loadOlder}
          onResume={() => setPaused(false)}
          end={
            isFetchingNextPage ? (
              "Reading the log…"
            ) : hasNextPage ? (
              <button type="button" className="text-accent-ink hover:underline" onClick={loadOlder}>
                Older lines
              </button>
            ) : (
              "That is all of the log."
            )
          }
          instead={
            history.error && lines.length === 0 ? (
              <Problem error={history.error} retry={() => void history.refetch()} />
            ) : history.isPending ? (
              <SkeletonRows rows={12} />
            ) : lines.length > 0 ? null : isNarrowed ? (
              <Empty icon={<ListFilter />} title="No line passes these filters">
                <Button className="mt-3" onClick={() => change(NOTHING)}>
                  Clear all
                </Button>
              </Empty>
            ) : (
              <Empty icon={<ScrollText />} title="Nothing logged yet">
                Scheduled runs, deliveries and reverts write here, and whatever factories have to say.
              </Empty>
            )
          }
        />
      </section>
      {panel === null ? null : wide ? (
        <aside aria-label="Selected line" className="w-[38%] max-w-2xl min-w-[24rem] shrink-0 border-l border-line">
          {panel}
        </aside>
      ) : (
        <Dialog open onOpenChange={(isOpen) => (isOpen ? undefined : change({ row: undefined }))}>
          <SheetContent title="Selected line">{panel}</SheetContent>
        </Dialog>
      )}
    </div>
  );
}

/** The filters that are set beside search and level, each with a way to drop it. */
function Narrowed({ filter, onChange }: { filter: LogFilter; onChange: (change: Partial<LogFilter>) => void }) {
  const set = NARROWED.flatMap((name) => {
    const value = filter[name];
    return value === undefined ? [] : [{ name, value }];
  });
  if (set.length === 0) return null;
  return (
    <ul className="flex w-full flex-wrap gap-1.5 pb-1">
      {set.map(({ name, value }) => (
        <li key={name}>
          <button
            type="button"
            className="inline-flex h-6 max-w-full items-center gap-1.5 rounded bg-accent-soft px-2 text-xs text-accent-ink hover:underline"
            onClick={() => onChange({ [name]: undefined })}
          >
            <span className="sr-only">Drop the filter</span>
            <span>{name}</span>
            <span className="truncate font-mono">{value}</span>
            <span aria-hidden>×</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
