import { type FiledGithubIssue, ListGithubIssuesSchema, type Result, validationError } from "@shared/contracts";
import { sql } from "kysely";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { listRepoIssues } from "../../integrations/github.ts";

/** `owner/name`, or a name of the default owner's; absent: the default repository. */
export const RepoQuery = { repo: z.string().min(1).max(201).optional() };
export const ListIssuesSchema = ListGithubIssuesSchema.extend(RepoQuery);

/** A repository's issues on GitHub, each with the ops issue it was filed for. Needs `github:read`. Errors: those of `integrations/github`. */
export async function listIssues(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ issues: FiledGithubIssue[]; next: number | null }>> {
  const denied = requireScope(ctx, "github:read");
  if (denied) return denied;
  const parsed = ListIssuesSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const listed = await listRepoIssues(ctx.env, parsed.data);
  if (!listed.ok) return listed;
  const filed = await ctx.db.ops
    .selectFrom("ops_issues")
    .select(["id", "gh_issue_url"])
    .where(
      sql<boolean>`gh_issue_url IN (SELECT value FROM json_each(${JSON.stringify(listed.issues.map((issue) => issue.html_url))}))`,
    )
    .execute();
  const ids = new Map(filed.map(({ id, gh_issue_url: address }) => [address, id]));
  return {
    ...listed,
    issues: listed.issues.map((issue) => ({ ...issue, ops_issue_id: ids.get(issue.html_url) ?? null })),
  };
}
