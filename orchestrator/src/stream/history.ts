import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { client, need } from "../api/client.ts";
import { eventOfLog } from "./event.ts";
import type { StreamFilter } from "./filter.ts";
import { PatchBook } from "./PatchBook.ts";
import { useStream } from "./store.ts";

const PAGE = 200;
/** How long the stream may take to join before history is read without it. */
const JOIN_MS = 1_500;
/** The log follows the workspaces; what happened just before the stream was joined may reach it a little later. */
const CATCH_UP_MS = [600, 1_500, 4_000];
/** A life that ended in these cannot go on, so that a log of these events alone tells it right. */
const TERMINAL = new Set(["patch_failed", "patch_reverted"]);

/** Whether the past may be read: the stream is joined, or has taken too long. */
export function useJoined(): boolean {
  const connected = useStream((state) => state.connection === "open");
  const [ready, setReady] = useState(connected);
  useEffect(() => {
    if (connected) return setReady(true);
    const timer = setTimeout(() => setReady(true), JOIN_MS);
    return () => clearTimeout(timer);
  }, [connected]);
  return ready;
}

/**
 * The log before the stream, page by page, narrowed by the server where it can. The first page is read only once the
 * stream is joined, so that nothing falls between them; it is read again after a reset, and while its newest event and
 * the stream's oldest leave a gap that the log may yet fill.
 */
export function useHistory(filter: StreamFilter) {
  const resets = useStream((state) => state.resets);
  const ready = useJoined();
  const asker = filter.factory ?? filter.requester;

  const query = useInfiniteQuery({
    queryKey: ["history", resets, filter],
    enabled: ready,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      need(
        client.patches.logs(
          {
            limit: PAGE,
            ...(filter.q === undefined ? {} : { search: filter.q, lives: "true" as const }),
            ...(filter.file === undefined ? {} : { file: filter.file }),
            // By who asked first, so that each patch comes with its whole life: a revert names who reverted.
            ...(asker === undefined ? {} : { factory: asker }),
            ...(filter.op === undefined ? {} : { op: filter.op }),
            ...(filter.order === undefined ? {} : { order_id: filter.order }),
            ...(filter.status !== undefined && TERMINAL.has(filter.status) ? { event_type: filter.status } : {}),
            ...(pageParam === "" ? {} : { cursor: pageParam }),
          },
          { signal },
        ),
      ),
    getNextPageParam: (page) => (typeof page.cursor === "string" ? page.cursor : undefined),
  });

  const { data, refetch } = query;
  const book = useMemo(() => {
    const made = new PatchBook();
    for (const page of data?.pages ?? [])
      for (const row of page.results) {
        const event = eventOfLog(row);
        if (event) made.add(event);
      }
    return made;
  }, [data]);

  const [tries, setTries] = useState(0);
  useEffect(() => setTries(0), [resets]);
  const first = useStream((state) => state.received > 0);
  useEffect(() => {
    const wait = CATCH_UP_MS[tries];
    if (data === undefined || wait === undefined || !first || !mayMiss(book)) return;
    const timer = setTimeout(() => {
      setTries(tries + 1);
      void refetch();
    }, wait);
    return () => clearTimeout(timer);
  }, [data, book, tries, first, refetch]);

  return { ...query, book };
}

/** Whether a workspace's places between history and stream are not accounted for. Phase messages have places too. */
function mayMiss(history: PatchBook): boolean {
  const newest = new Map<string, number>();
  for (const row of history.rows()) newest.set(row.workspace, Math.max(newest.get(row.workspace) ?? 0, row.lastSeq));
  const oldest = new Map<string, number>();
  const { book } = useStream.getState();
  const look = (workspace: string, seq: number): void => {
    oldest.set(workspace, Math.min(oldest.get(workspace) ?? seq, seq));
  };
  for (const row of book.rows()) for (const event of row.events) look(event.workspace, event.seq);
  for (const event of book.phases()) look(event.workspace, event.seq);
  return [...oldest].some(([workspace, seq]) => seq > (newest.get(workspace) ?? 0) + 1);
}
