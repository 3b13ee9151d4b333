import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowUp, ListFilter, Pause, Play, Radio } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { client, need } from "../../api/client.ts";
import { cn } from "../../lib/cn.ts";
import { count, plural } from "../../lib/format.ts";
import { isTyping, type Shortcut, useKeys } from "../../lib/keys.ts";
import { useMedia, useWidth } from "../../lib/media.ts";
import { isEmpty, type StreamFilter } from "../../stream/filter.ts";
import { useHistory } from "../../stream/history.ts";
import { type Line, linesOf } from "../../stream/lines.ts";
import { mergedBooks, type PatchRow } from "../../stream/PatchBook.ts";
import { useStream } from "../../stream/store.ts";
import { PatchAside } from "../patch/patchAside.tsx";
import type { PanelView } from "../patch/patchPanel.tsx";
import { Problem } from "../problems.tsx";
import { Button } from "../ui/button.tsx";
import { Tooltip } from "../ui/controls.tsx";
import { Dialog, DialogContent } from "../ui/dialog.tsx";
import { Empty, SkeletonRows } from "../ui/surface.tsx";
import { Filters, SearchField } from "./filters.tsx";
import { Rate } from "./rate.tsx";
import { OrderLine, PatchLine, PhaseLine, ROW_HEIGHT } from "./row.tsx";

export interface MonitorProps {
  filter: StreamFilter;
  onFilter: (change: Partial<StreamFilter>) => void;
  selected: string | undefined;
  onSelect: (patchId: string | undefined) => void;
  view: PanelView;
  onView: (view: PanelView) => void;
}

/** Pages read unasked, where a filter of this side leaves too few lines of the ones that came. */
const UNASKED_PAGES = 5;
const ENOUGH_LINES = 40;

const filterCount = (filter: StreamFilter): number =>
  Object.entries(filter).filter(([name, value]) => name !== "q" && value !== undefined).length;

/** Every patch as it happens, after all that happened: the list, its filters, and the patch that is looked at. */
export function PatchMonitor({ filter, onFilter, selected, onSelect, view, onView }: MonitorProps) {
  const history = useHistory(filter);
  const revision = useStream((state) => state.revision);
  const book = useStream((state) => state.book);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [paused, setPaused] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const [filtersOpen, setFiltersOpen] = useState(false);
  const searchRef = useRef<HTMLInputElement>(null);
  const wide = useMedia("(min-width: 1280px)");

  // The book is changed in place: its revision says when.
  const present = useMemo(() => {
    const merged = mergedBooks(book, history.book);
    return { ...linesOf(merged, filter, closed), whole: merged.whole, revision };
  }, [book, revision, history.book, filter, closed]);

  // What is read must not move under the eye: paused, or scrolled away from the top, the list waits.
  const held = paused || scrolled;
  const historyPages = history.data?.pages.length ?? 0;
  const shape = useMemo(() => ({ filter, closed, historyPages }), [filter, closed, historyPages]);
  // Kept beside the state and not in it: a burst would be drawn twice.
  const last = useRef({ present, shape });
  if (!held || last.current.shape !== shape) last.current = { present, shape };
  const shown = last.current.present;
  const behind = Math.max(0, present.patches - shown.patches);

  const { hasNextPage, isFetching, fetchNextPage } = history;
  const canLoad = hasNextPage && !isFetching;
  const loadOlder = useCallback(() => {
    if (canLoad) void fetchNextPage();
  }, [canLoad, fetchNextPage]);
  const fewLines = !isEmpty(filter) && present.lines.length < ENOUGH_LINES;
  useEffect(() => {
    if (fewLines && historyPages > 0 && historyPages < UNASKED_PAGES) loadOlder();
  }, [fewLines, historyPages, loadOlder]);

  const patches = useMemo(() => shown.lines.flatMap((line) => (line.kind === "patch" ? [line.row] : [])), [shown]);
  // The keys ask for the list as it is when they are pressed, so that they need not be told of each change.
  const listed = useRef(patches);
  listed.current = patches;
  const requesters = useRequesters(patches);

  const [cursor, setCursor] = useState<string | null>(null);
  const open = useCallback(
    (row: PatchRow) => {
      setCursor(row.key);
      onSelect(row.patchId);
    },
    [onSelect],
  );
  const move = useCallback(
    (step: number) => {
      const { current } = listed;
      const here = current.findIndex((row) => (selected === undefined ? row.key === cursor : row.patchId === selected));
      const next = current[here === -1 ? 0 : Math.min(current.length - 1, Math.max(0, here + step))];
      if (!next) return;
      setCursor(next.key);
      if (selected !== undefined) onSelect(next.patchId);
    },
    [selected, cursor, onSelect],
  );
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "j", what: "Next patch", group: "Live", run: () => move(1) },
      { keys: "k", what: "Previous patch", group: "Live", run: () => move(-1) },
      {
        keys: "Enter",
        what: "Open the patch",
        group: "Live",
        run: () => {
          const row = listed.current.find(({ key }) => key === cursor);
          if (row) open(row);
        },
      },
      { keys: "Escape", what: "Close the patch", group: "Live", run: () => onSelect(undefined) },
      { keys: "p", what: "Pause or go on", group: "Live", run: () => setPaused((now) => !now) },
      { keys: "/", what: "Search", group: "Live", run: () => searchRef.current?.focus() },
      { keys: "v", what: "Split or unified diff", group: "Live", run: () => onView({ ...view, split: !view.split }) },
    ],
    [move, cursor, open, onSelect, view, onView],
  );
  useKeys(shortcuts);

  const toggle = useCallback((key: string) => {
    setClosed((before) => {
      const after = new Set(before);
      if (!after.delete(key)) after.add(key);
      return after;
    });
  }, []);
  const active = filterCount(filter);

  return (
    <div className="flex min-h-0 flex-1">
      {wide ? (
        <aside aria-label="Filters" className="w-56 shrink-0 overflow-y-auto border-r border-line p-3">
          <SearchField inputRef={searchRef} value={filter.q} onChange={(q) => onFilter({ q })} className="mb-3" />
          <Filters filter={filter} onChange={onFilter} requesters={requesters} />
        </aside>
      ) : null}
      <section aria-label="Patches" className="flex min-w-0 flex-1 flex-col bg-surface">
        <div className="flex min-h-11 shrink-0 items-center gap-2 border-b border-line px-3 sm:px-4">
          {wide ? null : (
            <>
              <SearchField
                inputRef={searchRef}
                value={filter.q}
                onChange={(q) => onFilter({ q })}
                className="min-w-0 flex-1 sm:max-w-64"
              />
              <Button
                onClick={() => setFiltersOpen(true)}
                className="h-8"
                aria-label={active > 0 ? `Filters, ${active} set` : "Filters"}
              >
                <ListFilter />
                <span className="hidden sm:inline">Filters</span>
                {active > 0 ? (
                  <span className="nums rounded bg-accent px-1 text-2xs text-on-accent">{active}</span>
                ) : null}
              </Button>
            </>
          )}
          <span
            className={cn("nums whitespace-nowrap text-xs text-ink-3", !wide && "hidden sm:inline")}
            data-testid="patch-count"
          >
            {plural(shown.patches, "patch", "patches")}
            {hasNextPage ? " so far" : ""}
          </span>
          <span className="ml-auto flex items-center gap-2">
            <span className="hidden md:block">
              <Rate />
            </span>
            <Tooltip content={paused ? "Show what came in" : "Hold the list still"}>
              <Button
                onClick={() => setPaused(!paused)}
                aria-pressed={paused}
                aria-label={paused ? "Go on" : "Pause"}
                className="h-8 sm:h-7"
              >
                {paused ? <Play /> : <Pause />}
                <span className="hidden sm:inline">{paused ? "Go on" : "Pause"}</span>
              </Button>
            </Tooltip>
          </span>
        </div>
        <PatchList
          lines={shown.lines}
          selected={selected}
          cursor={cursor}
          behind={behind}
          paused={paused}
          onOpen={open}
          onToggle={toggle}
          onScrolled={setScrolled}
          onEnd={loadOlder}
          onResume={() => setPaused(false)}
          end={
            <ListEnd
              whole={shown.whole}
              more={hasNextPage}
              busy={isFetching}
              onReload={() => void history.refetch()}
              onMore={loadOlder}
            />
          }
          instead={
            history.error && present.lines.length === 0 ? (
              <Problem error={history.error} retry={() => void history.refetch()} />
            ) : history.isPending ? (
              <SkeletonRows rows={12} />
            ) : present.lines.length > 0 ? null : isEmpty(filter) ? (
              <Empty icon={<Radio />} title="No patches yet">
                They appear here the moment a factory, a script or an agent asks for one.{" "}
                <code className="font-mono text-xs">npm start -- --once</code> runs a sample order.
              </Empty>
            ) : (
              <Empty icon={<ListFilter />} title="No patch passes these filters">
                <Button
                  className="mt-3"
                  onClick={() =>
                    onFilter({
                      q: undefined,
                      factory: undefined,
                      file: undefined,
                      op: undefined,
                      requester: undefined,
                      status: undefined,
                      order: undefined,
                    })
                  }
                >
                  Clear all
                </Button>
              </Empty>
            )
          }
        />
      </section>
      {selected === undefined ? null : (
        <PatchAside patchId={selected} view={view} onView={onView} onClose={() => onSelect(undefined)} />
      )}
      <Dialog open={filtersOpen && !wide} onOpenChange={setFiltersOpen}>
        <DialogContent title="Filters">
          <Filters filter={filter} onChange={onFilter} requesters={requesters} />
        </DialogContent>
      </Dialog>
    </div>
  );
}

const SHOWN_REQUESTERS = 200;

/** Who asked for what is listed: the same array while it is the same people. */
function useRequesters(patches: readonly PatchRow[]): readonly string[] {
  const names = [...new Set(patches.flatMap(({ requester }) => requester ?? []))].toSorted().slice(0, SHOWN_REQUESTERS);
  const known = useRef<readonly string[]>(names);
  if (names.length !== known.current.length || names.some((name, index) => name !== known.current[index]))
    known.current = names;
  return known.current;
}

function ListEnd({
  whole,
  more,
  busy,
  onReload,
  onMore,
}: {
  whole: boolean;
  more: boolean;
  busy: boolean;
  onReload: () => void;
  onMore: () => void;
}) {
  if (!whole)
    return (
      <span>
        More came than is kept here.{" "}
        <button type="button" className="text-accent-ink hover:underline" onClick={onReload}>
          Read the log from here
        </button>
      </span>
    );
  if (busy) return <span>Reading the log…</span>;
  if (more)
    return (
      <button type="button" className="text-accent-ink hover:underline" onClick={onMore}>
        Older patches
      </button>
    );
  return <span>That is all of the log.</span>;
}

function PatchList(props: {
  lines: readonly Line[];
  selected: string | undefined;
  cursor: string | null;
  behind: number;
  paused: boolean;
  onOpen: (row: PatchRow) => void;
  onToggle: (key: string) => void;
  onScrolled: (scrolled: boolean) => void;
  onEnd: () => void;
  onResume: () => void;
  end: React.ReactNode;
  instead: React.ReactNode;
}) {
  const { lines, selected, cursor, behind, paused, onOpen, onToggle, onScrolled, onEnd, onResume, end, instead } =
    props;
  const scroller = useRef<HTMLDivElement>(null);
  const width = useWidth(scroller);
  const narrow = width !== null && width < 600;
  const heights = narrow ? ROW_HEIGHT.narrow : ROW_HEIGHT.wide;
  const titles = useOrderTitles();
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => heights[lines[index]?.kind ?? "patch"],
    getItemKey: (index) => lines[index]?.key ?? index,
    overscan: 10,
  });
  useEffect(() => virtualizer.measure(), [virtualizer, narrow]);

  // The cursor's line is brought into view and focused, once for each move: but not away from a field that is typed in.
  useEffect(() => {
    if (cursor === null) return;
    const index = lines.findIndex(({ key }) => key === cursor);
    if (index === -1) return;
    virtualizer.scrollToIndex(index, { align: "auto" });
    const frame = requestAnimationFrame(() => {
      if (isTyping(document.activeElement)) return;
      scroller.current?.querySelector<HTMLElement>(`[data-index="${index}"] button`)?.focus({ preventScroll: true });
    });
    return () => cancelAnimationFrame(frame);
  }, [cursor]);

  const items = virtualizer.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (lines.length > 0 && lastShown >= lines.length - 8) onEnd();
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
        aria-label="Stream of patches"
        tabIndex={0}
        className="@container h-full overflow-y-auto overscroll-contain -outline-offset-2"
        onScroll={(event) => onScrolled(event.currentTarget.scrollTop > 60)}
      >
        {instead ?? (
          <>
            <div className="relative w-full" style={{ height: virtualizer.getTotalSize() }}>
              {items.map((item) => {
                const line = lines[item.index];
                if (!line) return null;
                return (
                  <div
                    key={item.key}
                    data-index={item.index}
                    className="absolute inset-x-0 top-0"
                    style={{ height: item.size, transform: `translateY(${item.start}px)` }}
                  >
                    {line.kind === "order" ? (
                      <OrderLine
                        line={line}
                        title={line.orderId === null ? undefined : titles.get(line.orderId)}
                        onToggle={onToggle}
                      />
                    ) : line.kind === "patch" ? (
                      <PatchLine
                        row={line.row}
                        narrow={narrow}
                        selected={line.row.patchId === selected}
                        onOpen={onOpen}
                      />
                    ) : (
                      <PhaseLine event={line.event} />
                    )}
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

/** Titles of the newest orders; an order that is not among them goes by its id. */
function useOrderTitles(): ReadonlyMap<string, string> {
  const { data } = useQuery({
    queryKey: ["orders", "titles"],
    queryFn: ({ signal }) => need(client.orders.list({ limit: 100 }, { signal })),
    refetchInterval: 30_000,
  });
  return useMemo(() => new Map(data?.orders.map(({ id, title }) => [id, title])), [data]);
}
