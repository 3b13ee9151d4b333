import {
  type GithubRepository,
  githubRepositoryOf,
  ListOpsIssuesSchema,
  type OpsIssue,
  type Result,
  validationError,
} from "@shared/contracts";
import { type RawBuilder, sql } from "kysely";
import type { z } from "zod";
import { requireScope, type ServiceContext, systemActor } from "../../context.ts";
import { getProject } from "../project/getProject.ts";
import { expireClaims } from "./expireClaims.ts";
import { issueOfRow } from "./opsRows.ts";

/**
 * Issues, the newest first, narrowed as asked. Needs `ops:read`. A project without a repository on GitHub has none.
 * Errors: VALIDATION_FAILED, NOT_FOUND (the project).
 */
export async function listOpsIssues(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ issues: OpsIssue[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "ops:read");
  if (denied) return denied;
  const parsed = ListOpsIssuesSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { limit, project } = parsed.data;
  let repository: GithubRepository | null = null;
  if (project !== undefined) {
    // Who may read all issues may know which of them are a project's.
    const found = await getProject({ ...ctx, actor: systemActor("ops") }, { projectId: project });
    if (!found.ok) return found;
    repository = githubRepositoryOf(found.project.repository ?? "");
    if (repository === null) return { ok: true, issues: [], cursor: null };
  }
  // So that `status` means what the list shows.
  await expireClaims(ctx);
  const rows = await opsIssuesQuery(ctx.db, parsed.data, repository).execute();
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const now = ctx.now();
  return {
    ok: true,
    issues: shown.map((row) => issueOfRow(row, now)),
    cursor: rows.length > limit && last ? String(last.id) : null,
  };
}

/** One row more than a page holds, so that it is known whether there are more. */
export function opsIssuesQuery(
  db: ServiceContext["db"],
  asked: z.infer<typeof ListOpsIssuesSchema>,
  repository: GithubRepository | null = null,
) {
  const { status, kind, severity, worker, repo, since, limit, cursor } = asked;
  const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor);
  let query = db.ops.selectFrom("ops_issues").selectAll();
  query =
    repository === null
      ? // The first page too begins somewhere, so that each is a range of the key.
        query.where("id", "<", before)
      : // The repository's own are looked at, and no others.
        query.where(sql<boolean>`+id < ${before}`).where(ofRepository(repository));
  if (status !== undefined) query = query.where("status", "=", status);
  if (kind !== undefined) query = query.where("kind", "=", kind);
  if (severity !== undefined) query = query.where("severity", "<=", severity);
  if (worker !== undefined) query = query.where("worker", "=", worker);
  if (repo !== undefined) query = query.where("repo", "=", repo);
  if (repository !== null) query = query.where(ofRepository(repository));
  // In the list's order, as with severity: a cause is one issue however often it is seen, so few are passed over.
  if (since !== undefined) query = query.where("last_seen", ">=", new Date(since).toISOString());
  return query.orderBy("id", "desc").limit(limit + 1);
}

/** The repository of an issue's address: what stands between its host and `/issues/`. As migration 0350 has it. */
const FILED_IN = sql.raw(
  "lower(replace(rtrim(substr(substr(gh_issue_url, instr(gh_issue_url, '://') + 3), instr(substr(gh_issue_url, instr(gh_issue_url, '://') + 3), '/') + 1), '0123456789'), '/issues/', ''))",
);

/**
 * What concerns a repository: the troubles of its builds, what was filed there, and what was seen at a commit at which its
 * builds failed. GitHub's names are the same in any case.
 */
function ofRepository({ owner, name }: GithubRepository): RawBuilder<boolean> {
  const full = `${owner}/${name}`.toLowerCase();
  return sql<boolean>`id IN (
    SELECT id FROM ops_issues WHERE lower(repo) = ${full} AND repo IS NOT NULL
    UNION SELECT id FROM ops_issues WHERE ${FILED_IN} = ${full} AND gh_issue_url IS NOT NULL
    UNION SELECT other.issue_id FROM ops_issues AS build
      JOIN ops_issue_commits AS broken ON broken.issue_id = build.id
      JOIN ops_issue_commits AS other ON other.commit_sha = broken.commit_sha
      WHERE lower(build.repo) = ${full} AND build.repo IS NOT NULL)`;
}
