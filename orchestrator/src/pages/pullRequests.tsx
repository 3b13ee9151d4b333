import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMatch, useNavigate, useSearch } from "@tanstack/react-router";
import { GitPullRequest, RefreshCw } from "lucide-react";
import { type ReactNode, useCallback, useMemo } from "react";
import { client, need } from "../api/client.ts";
import { sessionQuery } from "../api/queries.ts";
import { GithubIssues } from "../components/ops/githubIssues.tsx";
import { GithubProblem } from "../components/ops/githubProblem.tsx";
import { Pulls } from "../components/ops/pulls.tsx";
import { projectQuery, projectsQuery, repositoryOf } from "../components/ops/queries.ts";
import { PageBody } from "../components/page.tsx";
import { Problem } from "../components/problems.tsx";
import { Button } from "../components/ui/button.tsx";
import { Segmented, Select, Tabs, TabsContent, TabsList, TabsTrigger } from "../components/ui/controls.tsx";
import { Card, Empty, SkeletonRows } from "../components/ui/surface.tsx";
import { cn } from "../lib/cn.ts";
import { githubHref } from "../lib/githubHref.ts";
import { useListKeys } from "../lib/useListKeys.ts";

const STATES = [
  { value: "open", label: "Open" },
  { value: "closed", label: "Closed" },
  { value: "all", label: "All" },
] as const;
type State = (typeof STATES)[number]["value"];
const PAGE = 30;
/** GitHub counts what it is asked, so it is asked seldom. */
const REFRESH_MS = 60_000;

export default function PullRequestsPage() {
  const search = useSearch({ from: "/shell/pull-requests" });
  const project = useMatch({ from: "/shell/pull-requests/projects/$projectId/prs", shouldThrow: false })?.params
    .projectId;
  const navigate = useNavigate();
  const { tab = "prs", state = "open" } = search;
  const show = (wanted: typeof search, of: string | undefined): void =>
    void navigate(
      of === undefined
        ? { to: "/prs", search: wanted, replace: true }
        : { to: "/projects/$projectId/prs", params: { projectId: of }, search: wanted, replace: true },
    );
  const change = (part: typeof search): void => show({ ...search, ...part }, project);
  const projects = useQuery(projectsQuery);
  const options = (projects.data ?? []).flatMap((each): { value: string; label: string }[] => {
    const repository = repositoryOf(each);
    // The one that is shown is among the choices also where it has nothing to show.
    if (repository === null && each.id !== project) return [];
    return [{ value: each.id, label: repository === null ? each.name : `${each.name}, ${repository}` }];
  });
  return (
    <PageBody
      title="Pull requests"
      className="max-w-5xl"
      tools={
        <>
          <Select
            label="Project"
            all="The default repository"
            value={project}
            onChange={(next) => show(search, next)}
            options={
              project === undefined || options.some(({ value }) => value === project)
                ? options
                : [...options, { value: project, label: project }]
            }
            className="max-w-72"
          />
          <Segmented
            label="State"
            value={state}
            onChange={(next) => change({ state: next === "open" ? undefined : next })}
            options={STATES}
            className="h-8"
          />
        </>
      }
    >
      <Tabs value={tab} onValueChange={(next) => change({ tab: next === "issues" ? "issues" : undefined })}>
        <TabsList aria-label="On GitHub">
          <TabsTrigger value="prs">Pull requests</TabsTrigger>
          <TabsTrigger value="issues">GitHub issues</TabsTrigger>
        </TabsList>
        <TabsContent value="prs" className="pt-4">
          <OfProject id={project}>{(repo) => <PullList repo={repo} state={state} />}</OfProject>
        </TabsContent>
        <TabsContent value="issues" className="pt-4">
          <OfProject id={project}>{(repo) => <IssueList repo={repo} state={state} />}</OfProject>
        </TabsContent>
      </Tabs>
    </PageBody>
  );
}

/** What a project's repository has, once it is known which one that is; without a project the default repository's. */
function OfProject({ id, children }: { id: string | undefined; children: (repo: string | undefined) => ReactNode }) {
  const project = useQuery({ ...projectQuery(id ?? ""), enabled: id !== undefined });
  if (id === undefined) return children(undefined);
  if (project.data === undefined)
    return (
      <Card>
        {project.error === null ? (
          <SkeletonRows rows={6} />
        ) : (
          <Problem error={project.error} retry={() => void project.refetch()} />
        )}
      </Card>
    );
  const repository = repositoryOf(project.data);
  if (repository === null)
    return (
      <Card>
        <Empty icon={<GitPullRequest />} title="This project has no repository on GitHub">
          Its pull requests are those of its repository there.
        </Empty>
      </Card>
    );
  return children(repository);
}

interface Wanted {
  repo: string | undefined;
  state: State;
}
const queryOf = ({ repo, state }: Wanted, page: number) => ({
  ...(repo === undefined ? {} : { repo }),
  state,
  page,
  per_page: PAGE,
});
const numberOf = ({ number }: { number: number }): string => String(number);

/** Opens a page on GitHub beside this one; what is not one of GitHub's is not opened. */
function useOpen(): (row: { html_url: string }) => void {
  const { data: who } = useQuery(sessionQuery);
  return useCallback(
    ({ html_url }) => {
      const href = githubHref(html_url, who?.githubUrl);
      if (href !== null) window.open(href, "_blank", "noopener,noreferrer");
    },
    [who?.githubUrl],
  );
}

function PullList(wanted: Wanted) {
  const query = useInfiniteQuery({
    queryKey: ["github", "prs", wanted.repo, wanted.state],
    initialPageParam: 1,
    queryFn: ({ pageParam, signal }) => need(client.github.pulls(queryOf(wanted, pageParam), { signal })),
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: REFRESH_MS,
  });
  const pulls = useMemo(() => query.data?.pages.flatMap((page) => page.prs) ?? [], [query.data]);
  const cursor = useListKeys("Pull requests", pulls, numberOf, useOpen());
  return (
    <Listed
      query={query}
      isEmpty={pulls.length === 0}
      what="pull requests"
      hint="An order's work is proposed by POST /api/orders/{id}/pull-request."
      state={wanted.state}
    >
      <Pulls pulls={pulls} cursor={cursor} />
    </Listed>
  );
}

function IssueList(wanted: Wanted) {
  const query = useInfiniteQuery({
    queryKey: ["github", "issues", wanted.repo, wanted.state],
    initialPageParam: 1,
    queryFn: ({ pageParam, signal }) => need(client.github.issues(queryOf(wanted, pageParam), { signal })),
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: REFRESH_MS,
  });
  const issues = useMemo(
    () => query.data?.pages.flatMap((page) => page.issues.filter((issue) => !issue.pull_request)) ?? [],
    [query.data],
  );
  const cursor = useListKeys("GitHub issues", issues, numberOf, useOpen());
  return (
    <Listed
      query={query}
      isEmpty={issues.length === 0}
      what="issues"
      hint="Scans file here what they find, each cause once."
      state={wanted.state}
    >
      <GithubIssues issues={issues} cursor={cursor} />
    </Listed>
  );
}

/** What one of GitHub's lists shows while it is read, where it cannot be, and where it is empty. */
function Listed({
  query,
  isEmpty,
  what,
  hint,
  state,
  children,
}: {
  query: {
    isPending: boolean;
    isFetching: boolean;
    error: Error | null;
    hasNextPage: boolean;
    isFetchingNextPage: boolean;
    refetch: () => unknown;
    fetchNextPage: () => unknown;
  };
  isEmpty: boolean;
  what: string;
  hint: string;
  state: State;
  children: ReactNode;
}) {
  const again = (): void => void query.refetch();
  return (
    <>
      <Card>
        {query.isPending ? (
          <SkeletonRows rows={6} />
        ) : query.error && isEmpty ? (
          <GithubProblem error={query.error} retry={again} />
        ) : isEmpty && !query.hasNextPage ? (
          <Empty icon={<GitPullRequest />} title={state === "all" ? `No ${what} yet` : `No ${state} ${what}`}>
            {hint}
          </Empty>
        ) : (
          children
        )}
      </Card>
      <div className="mt-3 flex justify-center gap-2">
        {query.hasNextPage ? (
          <Button onClick={() => void query.fetchNextPage()} disabled={query.isFetchingNextPage}>
            {query.isFetchingNextPage ? "Reading…" : `Older ${what}`}
          </Button>
        ) : null}
        {query.isPending || isEmpty ? null : (
          <Button variant="ghost" onClick={again} disabled={query.isFetching}>
            <RefreshCw className={cn(query.isFetching && "animate-spin")} />
            Ask GitHub again
          </Button>
        )}
      </div>
    </>
  );
}
