import { ListGithubPullsSchema, type MadePullRequest, type Result, validationError } from "@shared/contracts";
import { sql } from "kysely";
import { requireScope, type ServiceContext } from "../../context.ts";
import { listRepoPRs } from "../../integrations/github.ts";
import { RepoQuery } from "./listIssues.ts";
import { ordersOfPulls } from "./ordersOfPulls.ts";

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
  // They are of one repository, by the name that GitHub gives it.
  const orders = await ordersOfPulls(ctx, listed.prs[0]?.base.repo ?? "", listed.prs);
  const executions = await executionsOf(ctx, [...new Set(orders.values())]);
  return {
    ...listed,
    prs: listed.prs.map((pull) => {
      const order = orders.get(pull.number) ?? null;
      return { ...pull, order_id: order, execution_id: order === null ? null : (executions.get(order) ?? null) };
    }),
  };
}

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
