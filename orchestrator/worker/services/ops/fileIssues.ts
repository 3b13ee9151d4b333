import {
  type Failed,
  type GithubIssue,
  type GithubRepository,
  githubRepositoryOf,
  type Result,
  type ScanTotals,
} from "@shared/contracts";
import type { Selectable } from "kysely";
import type { ServiceContext } from "../../context.ts";
import type { OpsDatabase } from "../../database/schema.ts";
import {
  commentOnIssue,
  createIssue,
  listRepoIssues,
  searchIssues,
  updateIssueState,
} from "../../integrations/github.ts";
import { closeQuietQuery, unfiledQuery, untoldReturnsQuery, untoldStatesQuery } from "./due.ts";
import { bears, bodyOf, markerOf, OPS_LABEL, recurrenceOf, titleOf } from "./issueText.ts";
import { logIssue } from "./logIssue.ts";
import { describedOf } from "./opsRows.ts";

/** How long an attempt at filing is left alone before another takes it over: longer than any call to GitHub takes. */
const FILING_MS = 5 * 60_000;
/** How often a recurrence is said, at most. */
const DAY_MS = 24 * 3_600_000;
/** Nights without a line after which an issue is closed. */
export const QUIET_NIGHTS = 3;
/** Written to GitHub in one scan; the rest waits for the next. */
const MAX_FILED = 50;
const MAX_COMMENTS = 50;

type Row = Selectable<OpsDatabase["ops_issues"]>;

/** Counted up as it goes. */
interface Filed {
  totals: ScanTotals;
  errors: string[];
}

/** The repository that issues are filed in; null: none is configured, and they stand in Mission Control alone. */
export const opsRepository = (env: Pick<Env, "GITHUB_OWNER" | "GITHUB_REPO">): GithubRepository | null =>
  env.GITHUB_OWNER === "" || env.GITHUB_REPO === ""
    ? null
    : githubRepositoryOf(`${env.GITHUB_OWNER}/${env.GITHUB_REPO}`);

/**
 * Brings GitHub to what stands here: an issue for each trouble of severity 1 to 3 by rule, open or closed as it is, and at
 * most one comment a day on its return. What is written follows from rows and rules alone. Each step begins with a
 * conditional write that says it is begun, so of two at once one does it, and after a crash the next scan finds out
 * what came of it: an issue by its marker, a state by setting it again.
 */
export async function fileIssues(
  ctx: ServiceContext,
  { closeQuiet, alive, totals }: { closeQuiet: readonly Row["kind"][]; alive: () => Promise<void>; totals: ScanTotals },
): Promise<{ errors: string[] }> {
  const filed: Filed = { totals, errors: [] };
  totals.issues_closed += await closeQuietOnes(ctx, closeQuiet);
  const repository = opsRepository(ctx.env);
  if (repository === null) return filed;
  const unfiled = await unfiledQuery(ctx.db, MAX_FILED).execute();
  for (const row of unfiled) {
    await alive();
    const done = await fileOne(ctx, repository, row);
    if (!done.ok) {
      filed.errors.push(`${done.error.code}: ${done.error.message}`);
      // GitHub's limits hold for the next one too.
      if (done.error.code === "RATE_LIMITED" || done.error.code === "UPSTREAM_UNAVAILABLE") return filed;
    } else if (done.made) totals.issues_opened += 1;
  }
  await tellStates(ctx, repository, filed, alive);
  await tellRecurrences(ctx, repository, filed, alive);
  return filed;
}

/** Silence counts only of logs that have been read up to now. */
async function closeQuietOnes(ctx: ServiceContext, kinds: readonly Row["kind"][]): Promise<number> {
  if (kinds.length === 0) return 0;
  const now = ctx.now();
  const quietSince = new Date(now.getTime() - QUIET_NIGHTS * DAY_MS).toISOString();
  const closed = await closeQuietQuery(ctx.db, { kinds, quietSince, now: now.toISOString() }).execute();
  for (const row of closed) await logIssue(ctx, "closed", row, { quietNights: QUIET_NIGHTS });
  return closed.length;
}

/** Files one issue, or takes the one that is there. `made`: it is new on GitHub, or was found from a lost attempt. */
async function fileOne(
  ctx: ServiceContext,
  repository: GithubRepository,
  row: Row,
): Promise<Result<{ made: boolean }>> {
  const now = ctx.now();
  const mine = ctx.mintId();
  const stale = new Date(now.getTime() - FILING_MS).toISOString();
  const taken = await ctx.db.ops
    .updateTable("ops_issues")
    .set({ filing_by: mine, filing_at: now.toISOString() })
    .where("id", "=", row.id)
    .where("gh_issue_number", "is", null)
    .where((eb) => eb.or([eb("filing_by", "is", null), eb("filing_at", "<", stale)]))
    .returning("id")
    .executeTakeFirst();
  // Somebody else is at it.
  if (!taken) return { ok: true, made: false };
  const described = describedOf(row);
  const marker = markerOf(described.fingerprint);
  const found = await findByMarker(ctx, repository, {
    marker,
    fingerprint: described.fingerprint,
    attempted: row.filing_at,
  });
  if (!found.ok) return release(ctx, row.id, mine, found);
  const repo = `${repository.owner}/${repository.name}`;
  let issue = found.issue;
  if (issue === null) {
    const created = await createIssue(ctx.env, {
      repo,
      title: titleOf(described),
      body: bodyOf(described, await relatedOf(ctx, row.id)),
      labels: [OPS_LABEL],
    });
    // In doubt: it stays taken, and whoever takes it over looks for what came of it.
    if (!created.ok) return created.error.nothingWritten === true ? release(ctx, row.id, mine, created) : created;
    issue = created.issue;
  }
  await ctx.db.ops
    .updateTable("ops_issues")
    .set({
      gh_issue_number: issue.number,
      gh_issue_url: issue.html_url,
      gh_state: issue.state,
      filing_by: null,
      told_occurrences: described.occurrences,
      told_at: now.toISOString(),
    })
    .where("id", "=", row.id)
    .where("gh_issue_number", "is", null)
    .execute();
  await logIssue(ctx, "filed", row, { number: issue.number, url: issue.html_url, found: found.issue !== null });
  return { ok: true, made: true };
}

/** Nothing was written: the next may try at once. */
async function release(ctx: ServiceContext, id: number, mine: string, failed: Failed): Promise<Failed> {
  await ctx.db.ops
    .updateTable("ops_issues")
    .set({ filing_by: null })
    .where("id", "=", id)
    .where("filing_by", "=", mine)
    .execute();
  return failed;
}

/**
 * The issue that bears the marker, open or closed. Search may lag behind by minutes, so where an attempt was begun before,
 * our own newest issues are listed as well: a list does not lag.
 */
async function findByMarker(
  ctx: ServiceContext,
  repository: GithubRepository,
  { marker, fingerprint, attempted }: { marker: string; fingerprint: string; attempted: string | null },
): Promise<Result<{ issue: GithubIssue | null }>> {
  const { owner, name } = repository;
  // Anybody may write a marker where issues are public; our label only those who may triage.
  const isOurs = (issue: GithubIssue): boolean =>
    !issue.pull_request && issue.labels.includes(OPS_LABEL) && bears(issue.body, marker);
  const oldest = (issues: readonly GithubIssue[]): GithubIssue | null =>
    issues.filter(isOurs).toSorted((a, b) => a.number - b.number)[0] ?? null;
  const searched = await searchIssues(ctx.env, { owner, repo: name, q: `"${fingerprint}" in:body` });
  if (!searched.ok) return searched;
  const found = oldest(searched.issues);
  if (found !== null || attempted === null) return { ok: true, issue: found };
  const since = new Date(Date.parse(attempted) - FILING_MS).toISOString();
  let page: number | null = 1;
  while (page !== null) {
    const listed: Awaited<ReturnType<typeof listRepoIssues>> = await listRepoIssues(ctx.env, {
      repo: `${owner}/${name}`,
      state: "all",
      labels: OPS_LABEL,
      since,
      per_page: 100,
      page,
    });
    if (!listed.ok) return listed;
    const ours = oldest(listed.issues);
    if (ours !== null) return { ok: true, issue: ours };
    page = listed.next;
  }
  return { ok: true, issue: null };
}

/** Issues of another kind that were seen at one of this one's commits. */
export async function relatedOf(
  ctx: Pick<ServiceContext, "db">,
  id: number,
): Promise<{ id: number; url: string | null; source: string }[]> {
  const rows = await relatedQuery(ctx.db, id).execute();
  return rows.map((row) => ({ id: row.id, url: row.gh_issue_url, source: row.worker ?? row.repo ?? "" }));
}

export const relatedQuery = (db: ServiceContext["db"], id: number) =>
  db.ops
    .selectFrom("ops_issue_commits as mine")
    .innerJoin("ops_issue_commits as theirs", "theirs.commit_sha", "mine.commit_sha")
    .innerJoin("ops_issues as me", "me.id", "mine.issue_id")
    .innerJoin("ops_issues as other", "other.id", "theirs.issue_id")
    .select(["other.id", "other.gh_issue_url", "other.worker", "other.repo"])
    .distinct()
    .where("mine.issue_id", "=", id)
    .whereRef("other.kind", "!=", "me.kind")
    .orderBy("other.id")
    .limit(20);

export const STATE_OF = {
  open: "open",
  triaged: "open",
  in_progress: "in_progress",
  resolved: "closed",
  closed: "closed",
} as const;

/** States are set, not toggled: once too often does no harm. */
async function tellStates(
  ctx: ServiceContext,
  repository: GithubRepository,
  filed: Filed,
  alive: () => Promise<void>,
): Promise<void> {
  const rows = await untoldStatesQuery(ctx.db, MAX_FILED).execute();
  for (const row of rows) {
    if (row.gh_issue_number === null) continue;
    await alive();
    const state = STATE_OF[row.status];
    const told = await updateIssueState(ctx.env, {
      repo: `${repository.owner}/${repository.name}`,
      number: row.gh_issue_number,
      state,
    });
    if (!told.ok && told.error.code === "NOT_FOUND" && (await isShown(ctx, repository))) {
      // Somebody has deleted it there: there is nothing to tell, now or in any later scan, until it changes here.
      ctx.log.warn("an issue is gone from GitHub", { issue: row.id, number: row.gh_issue_number });
    } else if (!told.ok) {
      filed.errors.push(`${told.error.code}: ${told.error.message}`);
      if (told.error.code !== "NOT_FOUND" && told.error.code !== "UPSTREAM_REFUSED") return;
      continue;
    }
    await ctx.db.ops.updateTable("ops_issues").set({ gh_state: state }).where("id", "=", row.id).execute();
  }
}

/** Whether the repository answers: an issue that is not found in one that does is gone, and not only out of our sight. */
async function isShown(ctx: ServiceContext, { owner, name }: GithubRepository): Promise<boolean> {
  return (await listRepoIssues(ctx.env, { repo: `${owner}/${name}`, state: "all", per_page: 1 })).ok;
}

/** Said to be said before it is said: after a crash a day's comment may be missing, never there twice. */
async function tellRecurrences(
  ctx: ServiceContext,
  repository: GithubRepository,
  filed: Filed,
  alive: () => Promise<void>,
): Promise<void> {
  const now = ctx.now();
  const dayAgo = new Date(now.getTime() - DAY_MS).toISOString();
  const rows = await untoldReturnsQuery(ctx.db, dayAgo, MAX_COMMENTS).execute();
  for (const row of rows) {
    if (row.gh_issue_number === null) continue;
    await alive();
    const taken = await ctx.db.ops
      .updateTable("ops_issues")
      .set({ told_at: now.toISOString(), told_occurrences: row.occurrences })
      .where("id", "=", row.id)
      .where("told_occurrences", "=", row.told_occurrences)
      .where("told_at", "is", row.told_at)
      .returning("id")
      .executeTakeFirst();
    if (!taken) continue;
    const said = await commentOnIssue(ctx.env, {
      repo: `${repository.owner}/${repository.name}`,
      number: row.gh_issue_number,
      body: recurrenceOf(row.occurrences - row.told_occurrences, row.last_seen ?? ""),
    });
    if (said.ok) filed.totals.comments += 1;
    else filed.errors.push(`${said.error.code}: ${said.error.message}`);
  }
}
