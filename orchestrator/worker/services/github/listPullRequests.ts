import { type GithubPullRequest, ListGithubPullsSchema, type Result, validationError } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { listRepoPRs } from "../../integrations/github.ts";
import { RepoQuery } from "./listIssues.ts";

export const ListPullRequestsSchema = ListGithubPullsSchema.extend(RepoQuery);

/** A repository's pull requests on GitHub. Needs `github:read`. Errors: those of `integrations/github`. */
export async function listPullRequests(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ prs: GithubPullRequest[]; next: number | null }>> {
  const denied = requireScope(ctx, "github:read");
  if (denied) return denied;
  const parsed = ListPullRequestsSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  return listRepoPRs(ctx.env, parsed.data);
}
