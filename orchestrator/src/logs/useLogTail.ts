import type { OperationLog } from "@shared/contracts";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { client, need } from "../api/client.ts";
import { type LogFilter, queryOf } from "./filter.ts";

const PAGE = 100;
const TAIL_PAGE = 500;
const TAIL_MS = 2_000;
/** Lines a tail gathers before the list is read anew from its newest: dropping the oldest of them would leave a hole. */
const TAIL_LINES = 5_000;
const NO_LINES: readonly OperationLog[] = [];

interface Tail {
  lines: readonly OperationLog[];
  last: number;
}

/**
 * The log as far back as it was read, and what came since. The tail asks for what has a higher id than all it has seen:
 * ids are given out in the order in which lines become visible, so that none is missed and none comes twice, however long
 * the page slept in between.
 */
export function useLogTail(filter: LogFilter) {
  const queries = useQueryClient();
  const query = useMemo(() => queryOf(filter), [filter]);
  const [round, setRound] = useState(0);
  const history = useInfiniteQuery({
    queryKey: ["logs", query, round],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      need(client.logs.list({ ...query, limit: PAGE, ...(pageParam === "" ? {} : { cursor: pageParam }) }, { signal })),
    getNextPageParam: (page) => page.cursor ?? undefined,
    refetchOnWindowFocus: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const start = history.data?.pages[0]?.last;
  const tailKey = ["logs", "tail", query, round, start];
  const tail = useQuery({
    queryKey: tailKey,
    enabled: start !== undefined && filter.to === undefined,
    refetchInterval: TAIL_MS,
    gcTime: 0,
    queryFn: async ({ signal }): Promise<Tail> => {
      let { lines, last } = queries.getQueryData<Tail>(tailKey) ?? { lines: NO_LINES, last: start ?? 0 };
      for (;;) {
        const page = await need(client.logs.list({ ...query, after: last, limit: TAIL_PAGE }, { signal }));
        last = page.last;
        if (page.results.length > 0) lines = [...page.results.toReversed(), ...lines];
        if (page.results.length < TAIL_PAGE || lines.length > TAIL_LINES) return { lines, last };
      }
    },
  });
  const gathered = tail.data?.lines ?? NO_LINES;
  useEffect(() => {
    if (gathered.length > TAIL_LINES) setRound((before) => before + 1);
  }, [gathered]);
  const lines = useMemo(
    () => [...gathered, ...(history.data?.pages.flatMap((page) => page.results) ?? [])],
    [gathered, history.data],
  );
  return { lines, history, isBehind: tail.error !== null };
}
