import { githubRepositoryOf, type Project } from "@shared/contracts";
import { queryOptions } from "@tanstack/react-query";
import { client, need, queryClient } from "../../api/client.ts";

/** Scans say nothing on the stream, so what they change is asked for, seldom while none runs. */
export const IDLE_MS = 15_000;
const RUNNING_MS = 2_000;
/** What begins a scan; it is under way until the scan has ended. */
export const SCAN_KEY = ["ops", "scan"];
export const paceOf = (running: boolean): number =>
  running || queryClient.isMutating({ mutationKey: SCAN_KEY }) > 0 ? RUNNING_MS : IDLE_MS;

export const opsSummaryQuery = queryOptions({
  queryKey: ["ops", "summary"],
  queryFn: ({ signal }) => need(client.ops.summary({ signal })),
  refetchInterval: ({ state }) => paceOf(state.data?.last_scan?.outcome === null),
});

export const opsIssueQuery = (id: string) =>
  queryOptions({
    queryKey: ["ops", "issue", id],
    queryFn: async ({ signal }) => (await need(client.ops.issue(id, { signal }))).issue,
    refetchInterval: IDLE_MS,
  });

/** Projects are few; where there are more than this, the newest are offered. */
const PROJECTS = 500;
export const projectsQuery = queryOptions({
  queryKey: ["projects"],
  queryFn: async ({ signal }) => (await need(client.projects.list({ limit: PROJECTS }, { signal }))).projects,
  staleTime: 60_000,
});

export const projectQuery = (id: string) =>
  queryOptions({
    queryKey: ["projects", id],
    queryFn: async ({ signal }) => (await need(client.projects.get(id, { signal }))).project,
    staleTime: 60_000,
  });

/** `owner/name` of a project on GitHub; null where it is elsewhere or nowhere. */
export function repositoryOf({ repository }: Pick<Project, "repository">): string | null {
  const found = githubRepositoryOf(repository ?? "");
  return found === null ? null : `${found.owner}/${found.name}`;
}
