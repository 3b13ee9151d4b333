import { type OpsIssue, OpsIssueStatusSchema, OpsKindSchema } from "@shared/contracts";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useMatch, useNavigate, useSearch } from "@tanstack/react-router";
import { Bug, MoonStar } from "lucide-react";
import { useCallback, useMemo } from "react";
import { client, need } from "../api/client.ts";
import { type Column, DataTable } from "../components/dataTable.tsx";
import { ClaimState } from "../components/ops/claim.tsx";
import { GithubLink } from "../components/ops/githubLink.tsx";
import { IDLE_MS, opsSummaryQuery, projectsQuery, repositoryOf } from "../components/ops/queries.ts";
import { OpsSeverity, SEVERITIES, severityWord } from "../components/ops/severity.tsx";
import { kindWord, nameOf, sourceOf } from "../components/ops/view.ts";
import { PageBody } from "../components/page.tsx";
import { Problem } from "../components/problems.tsx";
import { StatusTag } from "../components/status.tsx";
import { Button } from "../components/ui/button.tsx";
import { Select } from "../components/ui/controls.tsx";
import { Card, Empty, SkeletonRows } from "../components/ui/surface.tsx";
import { ago, brief, count, instant, moment } from "../lib/format.ts";
import { useMedia } from "../lib/media.ts";
import { useListKeys } from "../lib/useListKeys.ts";
import { lookOf } from "../stream/status.ts";

const keyOf = ({ id }: OpsIssue): string => String(id);
const paramsOf = ({ id }: OpsIssue) => ({ issueId: String(id) });
const PAGE = 50;
const SEEN = ["day", "week"] as const;
const SEEN_MS = { day: 86_400_000, week: 604_800_000 };

function Seen({ at }: { at: string | null }) {
  if (at === null) return <span className="text-ink-3">–</span>;
  return (
    <time dateTime={at} title={moment(at)} className="whitespace-nowrap text-ink-3">
      {ago(Date.now() - instant(at))}
    </time>
  );
}

const columns: Column<OpsIssue>[] = [
  {
    id: "severity",
    title: "Severity",
    cell: ({ severity }) => <OpsSeverity severity={severity} />,
    className: "w-px",
  },
  {
    id: "issue",
    title: "Issue",
    cell: (issue) => (
      <div className="max-w-[44rem] min-w-52 py-1.5">
        <Link
          to="/issues/$issueId"
          params={paramsOf(issue)}
          className="line-clamp-1 font-mono text-xs break-all hover:underline"
          onClick={(event) => event.stopPropagation()}
        >
          {nameOf(issue)}
        </Link>
        <p className="mt-0.5 truncate text-xs text-ink-3">
          {kindWord[issue.kind]} <span className="font-mono">{sourceOf(issue)}</span>
        </p>
      </div>
    ),
  },
  {
    id: "status",
    title: "Status",
    cell: (issue) => (
      <div className="flex flex-col items-start gap-0.5">
        <StatusTag status={`ops:${issue.status}`} />
        <ClaimState issue={issue} brief />
      </div>
    ),
    className: "w-px",
  },
  {
    id: "order",
    title: "Order",
    cell: ({ order_id: order }) =>
      order === null ? (
        <span className="text-ink-3">–</span>
      ) : (
        <Link
          to="/orders/$orderId"
          params={{ orderId: order }}
          className="font-mono text-xs whitespace-nowrap text-accent-ink hover:underline"
          onClick={(event) => event.stopPropagation()}
        >
          {order}
        </Link>
      ),
    className: "hidden w-px lg:table-cell",
  },
  {
    id: "github",
    title: "GitHub",
    cell: ({ gh_issue_number: number, gh_issue_url: address }) =>
      number === null ? (
        <span className="text-ink-3">–</span>
      ) : (
        <GithubLink address={address} label={`Issue ${number} on GitHub`} className="nums text-xs whitespace-nowrap">
          #{number}
        </GithubLink>
      ),
    className: "hidden w-px sm:table-cell",
  },
  { id: "occurrences", title: "Seen", end: true, cell: (issue) => `${brief(issue.occurrences)}×`, className: "w-px" },
  {
    id: "first",
    title: "First",
    end: true,
    cell: (issue) => <Seen at={issue.first_seen} />,
    className: "hidden w-px xl:table-cell",
  },
  { id: "last", title: "Last", end: true, cell: (issue) => <Seen at={issue.last_seen} />, className: "w-px" },
];

export default function IssuesPage() {
  const search = useSearch({ from: "/shell/issue-list" });
  const project = useMatch({ from: "/shell/issue-list/projects/$projectId/issues", shouldThrow: false })?.params
    .projectId;
  const navigate = useNavigate();
  const status = OpsIssueStatusSchema.safeParse(search.status).data;
  const kind = OpsKindSchema.safeParse(search.kind).data;
  const severity = SEVERITIES.find((each) => each === search.severity);
  const { worker, repo, seen } = search;
  const query = useInfiniteQuery({
    queryKey: ["ops", "issues", status, kind, severity, worker, repo, project, seen],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      need(
        client.ops.issues(
          {
            limit: PAGE,
            ...(status ? { status } : {}),
            ...(kind ? { kind } : {}),
            ...(severity ? { severity } : {}),
            ...(worker ? { worker } : {}),
            ...(repo ? { repo } : {}),
            ...(project ? { project } : {}),
            ...(seen ? { since: new Date(Date.now() - SEEN_MS[seen]).toISOString() } : {}),
            ...(pageParam === "" ? {} : { cursor: pageParam }),
          },
          { signal },
        ),
      ),
    getNextPageParam: (page) => page.cursor ?? undefined,
    refetchInterval: IDLE_MS,
  });
  const summary = useQuery(opsSummaryQuery);
  const projects = useQuery(projectsQuery);
  const issues = useMemo(() => query.data?.pages.flatMap((page) => page.issues) ?? [], [query.data]);
  const show = (wanted: typeof search, of: string | undefined): void =>
    void navigate(
      of === undefined
        ? { to: "/issues", search: wanted, replace: true }
        : { to: "/projects/$projectId/issues", params: { projectId: of }, search: wanted, replace: true },
    );
  const change = (part: typeof search): void => show({ ...search, ...part }, project);
  const open = useCallback(
    (issue: OpsIssue) => void navigate({ to: "/issues/$issueId", params: paramsOf(issue) }),
    [navigate],
  );
  const cursor = useListKeys("Issues", issues, keyOf, open);
  const wide = useMedia("(min-width: 900px)");
  const narrowed = [status, kind, severity, worker, repo, project, seen].some((each) => each !== undefined);
  const sources = summary.data?.by_source ?? [];
  const clear = (): void => show({}, undefined);

  return (
    <PageBody
      title="Issues"
      wide
      tools={
        <div className="grid w-full grid-cols-3 gap-2 sm:flex sm:flex-wrap">
          <Select
            label="Status"
            all="Any status"
            value={status}
            onChange={(next) => change({ status: next })}
            options={OpsIssueStatusSchema.options.map((value) => ({ value, label: lookOf(`ops:${value}`).word }))}
          />
          <Select
            label="Severity"
            all="Any severity"
            value={severity === undefined ? undefined : String(severity)}
            onChange={(next) => change({ severity: next === undefined ? undefined : Number(next) })}
            options={SEVERITIES.slice(0, 4).map((value) => ({
              value: String(value),
              label: value === 1 ? "1 Critical" : `${value} ${severityWord(value)} or graver`,
            }))}
          />
          <Select
            label="Kind"
            all="Any kind"
            value={kind}
            onChange={(next) => change({ kind: next })}
            options={OpsKindSchema.options.map((value) => ({ value, label: kindWord[value] }))}
          />
          <Select
            label="Project"
            all="All projects"
            value={project}
            onChange={(next) => show(search, next)}
            options={withChosen(
              (projects.data ?? []).map((each) => ({
                value: each.id as string,
                label: `${each.name}${repositoryOf(each) === null ? "" : `, ${repositoryOf(each)}`}`,
              })),
              project,
            )}
            className="sm:max-w-56"
          />
          <Select
            label="Worker"
            all="All Workers"
            value={worker}
            onChange={(next) => change({ worker: next })}
            options={withChosen(namesOf(sources, "worker-log"), worker)}
            className="sm:max-w-48"
          />
          <Select
            label="Repository"
            all="All repositories"
            value={repo}
            onChange={(next) => change({ repo: next })}
            options={withChosen(namesOf(sources, "build-log"), repo)}
            className="sm:max-w-56"
          />
          <Select
            label="Last seen"
            all="Seen at any time"
            value={seen}
            onChange={(next) => change({ seen: SEEN.find((each) => each === next) })}
            options={SEEN.map((value) => ({ value, label: `Seen in the last ${value}` }))}
          />
          {narrowed ? (
            <Button variant="ghost" className="h-8" onClick={clear}>
              Clear
            </Button>
          ) : null}
        </div>
      }
    >
      <Card>
        {query.isPending ? (
          <SkeletonRows rows={8} />
        ) : query.error && issues.length === 0 ? (
          <Problem error={query.error} retry={() => void query.refetch()} />
        ) : issues.length === 0 ? (
          narrowed ? (
            <Empty icon={<Bug />} title="No issue passes these filters">
              <Button className="mt-3" onClick={clear}>
                Clear all
              </Button>
            </Empty>
          ) : (
            <Empty icon={<MoonStar />} title="Nothing is broken, as far as scans have seen">
              A scan groups what Workers and CI builds logged by its cause; each cause is one issue here.{" "}
              <Link to="/ops/scans" className="text-accent-ink underline">
                To the scans
              </Link>
            </Empty>
          )
        ) : wide ? (
          <DataTable
            label="List of issues"
            columns={columns}
            rows={issues}
            keyOf={keyOf}
            onOpen={open}
            cursor={cursor}
          />
        ) : (
          <ul>
            {issues.map((issue) => (
              <li key={issue.id} data-row={issue.id} className="border-b border-line last:border-0">
                <Link
                  to="/issues/$issueId"
                  params={paramsOf(issue)}
                  className="block px-4 py-2.5 -outline-offset-2 hover:bg-hover"
                >
                  <span className="flex items-center justify-between gap-3">
                    <OpsSeverity severity={issue.severity} word />
                    <StatusTag status={`ops:${issue.status}`} />
                  </span>
                  {issue.claimed_by === null ? null : (
                    <span className="mt-0.5 flex justify-end">
                      <ClaimState issue={issue} brief />
                    </span>
                  )}
                  <span className="mt-1.5 line-clamp-2 font-mono text-xs break-all">{nameOf(issue)}</span>
                  <span className="mt-1 flex justify-between gap-3 text-xs text-ink-3">
                    <span className="min-w-0 truncate">
                      {kindWord[issue.kind]} <span className="font-mono">{sourceOf(issue)}</span>
                    </span>
                    <span className="nums shrink-0">
                      {count(issue.occurrences)}×, <Seen at={issue.last_seen} />
                    </span>
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        )}
      </Card>
      {query.hasNextPage ? (
        <div className="flex justify-center">
          <Button onClick={() => void query.fetchNextPage()} disabled={query.isFetchingNextPage}>
            {query.isFetchingNextPage ? "Reading…" : "Older issues"}
          </Button>
        </div>
      ) : null}
    </PageBody>
  );
}

interface Option {
  value: string;
  label: string;
}
const namesOf = (sources: readonly { kind: OpsIssue["kind"]; source: string }[], kind: OpsIssue["kind"]): Option[] =>
  sources.filter((each) => each.kind === kind).map(({ source }) => ({ value: source, label: source }));

/** What the address asks for is among the choices, also where nothing goes by that name any more. */
const withChosen = (options: readonly Option[], chosen: string | undefined): readonly Option[] =>
  chosen === undefined || options.some(({ value }) => value === chosen)
    ? options
    : [...options, { value: chosen, label: chosen }];
