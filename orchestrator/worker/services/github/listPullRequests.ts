import {
  type GithubPullRequest,
  githubRepositoryOf,
  ListGithubPullsSchema,
  type MadePullRequest,
  ORDER_BRANCH_PREFIX,
  type Result,
  validationError,
} from "@shared/contracts";
import { sql } from "kysely";
import { requireScope, type ServiceContext } from "../../context.ts";
import { listRepoPRs } from "../../integrations/github.ts";
import { RepoQuery } from "./listIssues.ts";

export const ListPullRequestsSchema = ListGithubPullsSchema.extend(RepoQuery);

/**
 * A repository's pull requests on GitHub, each with the order and the execution that made it where they are on record.
 * Needs `github:read`. Errors: those of `integrations/github`.
 */
export async function listPullRequests(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ prs: MadePullRequest[]; next: number | null }>> {
  const denied = requireScope(ctx, "github:read");
  if (denied) return denied;
  const parsed = ListPullRequestsSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const listed = await listRepoPRs(ctx.env, parsed.data);
  if (!listed.ok) return listed;
  const orders = await ordersOf(ctx, listed.prs);
  const executions = await executionsOf(ctx, [...new Set(orders.values())]);
  return {
    ...listed,
    prs: listed.prs.map((pull) => {
      const order = orders.get(pull.number) ?? null;
      return { ...pull, order_id: order, execution_id: order === null ? null : (executions.get(order) ?? null) };
    }),
  };
}

/**
 * Number → the order whose branch it comes from. Anybody may call a branch of a fork by an order's name, so the branch must
 * be of the repository itself, and that repository the one of the order's project.
 */
async function ordersOf(
  ctx: ServiceContext,
  pulls: readonly GithubPullRequest[],
): Promise<ReadonlyMap<number, string>> {
  const claimed = pulls.flatMap(({ number, head, base }) =>
    head.ref.startsWith(ORDER_BRANCH_PREFIX) && head.repo !== null && sameName(head.repo, base.repo)
      ? [{ number, order: head.ref.slice(ORDER_BRANCH_PREFIX.length), repo: head.repo }]
      : [],
  );
  if (claimed.length === 0) return new Map();
  const rows = await ctx.db.projects
    .selectFrom("orders")
    .innerJoin("projects", "projects.id", "orders.project_id")
    .select(["orders.id", "projects.repository"])
    .where(
      sql<boolean>`orders.id IN (SELECT value FROM json_each(${JSON.stringify(claimed.map(({ order }) => order))}))`,
    )
    .execute();
  const repositories = new Map(rows.map(({ id, repository }) => [id, githubRepositoryOf(repository ?? "")]));
  return new Map(
    claimed.flatMap(({ number, order, repo }) => {
      const own = repositories.get(order);
      return own && sameName(`${own.owner}/${own.name}`, repo) ? [[number, order] as const] : [];
    }),
  );
}

/** GitHub's names are the same in any case. */
const sameName = (one: string, other: string | null): boolean => one.toLowerCase() === other?.toLowerCase();

/** Order → its last execution whose change was applied. */
async function executionsOf(ctx: ServiceContext, orders: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (orders.length === 0) return new Map();
  const rows = await ctx.db.ops
    .selectFrom("ai_provider_executions")
    .select(["order_id", "execution_id"])
    .where("class", "=", "applied")
    .where(sql<boolean>`order_id IN (SELECT value FROM json_each(${JSON.stringify(orders)}))`)
    .orderBy("created_at")
    .orderBy("execution_id")
    .execute();
  return new Map(
    rows.flatMap(({ order_id: order, execution_id: id }) => (order === null ? [] : [[order, id] as const])),
  );
}
