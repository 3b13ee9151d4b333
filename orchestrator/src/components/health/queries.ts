import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { client, need } from "../../api/client.ts";

/** How many days the bars show. */
export const DAYS = 30;
const REFRESH_MS = 10_000;

export const workersQuery = queryOptions({
  queryKey: ["healthChecks", "workers"],
  queryFn: async ({ signal }) => (await need(client.healthChecks.workers({ signal }))).workers,
  refetchInterval: REFRESH_MS,
});

export const summaryQuery = queryOptions({
  queryKey: ["healthChecks", "summary"],
  queryFn: ({ signal }) => need(client.healthChecks.summary({ days: DAYS }, { signal })),
  refetchInterval: REFRESH_MS,
});

export const latestQuery = (worker: string) =>
  queryOptions({
    queryKey: ["healthChecks", "latest", worker],
    queryFn: ({ signal }) => need(client.healthChecks.latest(worker, { signal })),
    refetchInterval: REFRESH_MS,
  });

export const checkQuery = (uuid: string) =>
  queryOptions({
    queryKey: ["healthChecks", "check", uuid],
    queryFn: async ({ signal }) => (await need(client.healthChecks.get(uuid, { signal }))).check,
    // While it runs, often; then it does not change any more.
    refetchInterval: ({ state }) =>
      state.data?.status === "queued" || state.data?.status === "running" ? 1_000 : false,
    placeholderData: keepPreviousData,
  });

export const schedulesQuery = queryOptions({
  queryKey: ["healthChecks", "schedules"],
  queryFn: async ({ signal }) => (await need(client.healthChecks.schedules({ limit: 100 }, { signal }))).schedules,
  refetchInterval: REFRESH_MS,
});
