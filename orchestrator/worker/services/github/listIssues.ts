import { type GithubIssue, ListGithubIssuesSchema, type Result, validationError } from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { listRepoIssues } from "../../integrations/github.ts";

/** `owner/name`, or a name of the default owner's; absent: the default repository. */
export const RepoQuery = { repo: z.string().min(1).max(201).optional() };
export const ListIssuesSchema = ListGithubIssuesSchema.extend(RepoQuery);

/** A repository's issues on GitHub. Needs `github:read`. Errors: those of `integrations/github`. */
export async function listIssues(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ issues: GithubIssue[]; next: number | null }>> {
  const denied = requireScope(ctx, "github:read");
  if (denied) return denied;
  const parsed = ListIssuesSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  return listRepoIssues(ctx.env, parsed.data);
}
