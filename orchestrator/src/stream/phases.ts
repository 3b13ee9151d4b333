import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { client, need } from "../api/client.ts";
import { eventOfRecord } from "./event.ts";
import { useJoined } from "./history.ts";
import { outputHintOf } from "./runOutput.ts";
import { useStream } from "./store.ts";

const PAGE = 200;
const MAX_PAGES = 10;
/** What was told just before the stream was joined reaches the database a little later. */
const AGAIN_MS = 10_000;

/** What was told of an order's phases before the stream was joined, and since: `mergedPhases` joins them. */
export function usePastPhases(orderId: string) {
  const resets = useStream((state) => state.resets);
  const query = useInfiniteQuery({
    queryKey: ["phases", orderId, resets],
    enabled: useJoined(),
    refetchInterval: AGAIN_MS,
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      need(
        client.orders.phases(orderId, { limit: PAGE, ...(pageParam === "" ? {} : { cursor: pageParam }) }, { signal }),
      ),
    getNextPageParam: (page) => page.cursor ?? undefined,
  });
  const { data, hasNextPage, isFetching, fetchNextPage } = query;
  const pages = data?.pages.length ?? 0;
  useEffect(() => {
    if (hasNextPage && !isFetching && pages < MAX_PAGES) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage, pages]);
  const past = useMemo(
    () =>
      (data?.pages ?? []).flatMap((page) =>
        page.phases.filter((record) => outputHintOf(record) === null).map(eventOfRecord),
      ),
    [data],
  );
  return { past, error: query.error, refetch: query.refetch };
}
