import type { OpsIssueDetail, Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { findIssue } from "./findIssue.ts";

/** Of commits and of related issues, so many are told. */
const SHOWN = 20;

/** An issue, the commits it was seen at, and the issues that share one with it. Needs `ops:read`. Errors: NOT_FOUND. */
export async function getOpsIssue(
  ctx: ServiceContext,
  input: { id: string },
): Promise<Result<{ issue: OpsIssueDetail }>> {
  const denied = requireScope(ctx, "ops:read");
  if (denied) return denied;
  const found = await findIssue(ctx, input.id);
  if (!found.ok) return found;
  const { id } = found.issue;
  const [commits, related] = await Promise.all([
    ctx.db.ops
      .selectFrom("ops_issue_commits")
      .select("commit_sha")
      .where("issue_id", "=", id)
      .orderBy("first_seen", "desc")
      .orderBy("commit_sha")
      .limit(SHOWN)
      .execute(),
    ctx.db.ops
      .selectFrom("ops_issues")
      .select(["id", "kind", "severity", "status", "worker", "repo", "template"])
      .where("id", "<>", id)
      .where("id", "in", (query) =>
        query
          .selectFrom("ops_issue_commits as mine")
          .innerJoin("ops_issue_commits as other", "other.commit_sha", "mine.commit_sha")
          .select("other.issue_id")
          .where("mine.issue_id", "=", id),
      )
      .orderBy("severity")
      .orderBy("id")
      .limit(SHOWN)
      .execute(),
  ]);
  return { ok: true, issue: { ...found.issue, commits: commits.map(({ commit_sha: sha }) => sha), related } };
}
