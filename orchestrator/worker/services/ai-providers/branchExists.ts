import { fail, githubRepositoryOf, type Result } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";

/** One branch, as the GitHub integration answers for it; NOT_FOUND where the repository or the branch is not there. */
export type GetBranch = (
  env: Env,
  input: { owner: string; repo: string; branch: string },
) => Promise<Result<{ branch: { name: string; sha: string } }>>;

/** Whether GitHub has this branch of this repository, now. Errors: those of GitHub, but for its not being there. */
export async function branchExists(
  ctx: Pick<ServiceContext, "env">,
  repository: string,
  branch: string,
  getBranch: GetBranch | null,
): Promise<Result<{ exists: boolean }>> {
  const named = githubRepositoryOf(repository);
  if (named === null || branch === "") return { ok: true, exists: false };
  if (getBranch === null) return fail("UPSTREAM_UNAVAILABLE", "this deployment is not connected to GitHub");
  const found = await getBranch(ctx.env, { owner: named.owner, repo: named.name, branch });
  if (found.ok) return { ok: true, exists: true };
  return found.error.code === "NOT_FOUND" ? { ok: true, exists: false } : found;
}
