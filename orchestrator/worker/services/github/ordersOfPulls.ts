import { githubRepositoryOf, ORDER_BRANCH_PREFIX } from "@shared/contracts";
import { sql } from "kysely";
import type { ServiceContext } from "../../context.ts";

/** What a pull request says of where it comes from. */
export interface PullOrigin {
  number: number;
  head: {
    ref: string;
    /** `owner/name`; null where the fork is gone. */
    repo: string | null;
  };
}

/**
 * Number → the order that a pull request of this repository is of: the one on record, or else the one whose branch it
 * comes from. Anybody may call a branch of a fork by an order's name, so the branch must be of the repository itself, and
 * that repository the one of the order's project.
 */
export async function ordersOfPulls(
  ctx: Pick<ServiceContext, "db">,
  repository: string,
  pulls: readonly PullOrigin[],
): Promise<ReadonlyMap<number, string>> {
  if (pulls.length === 0) return new Map();
  const recorded = await recordedQuery(ctx.db, repository, pulls).execute();
  const orders = new Map(recorded.map(({ number, order_id: order }) => [number, order]));
  const claimed = pulls.flatMap(({ number, head: { ref, repo } }) =>
    !orders.has(number) && ref.startsWith(ORDER_BRANCH_PREFIX) && repo !== null && sameName(repo, repository)
      ? [{ number, order: ref.slice(ORDER_BRANCH_PREFIX.length) }]
      : [],
  );
  if (claimed.length === 0) return orders;
  const rows = await ctx.db.projects
    .selectFrom("orders")
    .innerJoin("projects", "projects.id", "orders.project_id")
    .select(["orders.id", "projects.repository"])
    .where(
      sql<boolean>`orders.id IN (SELECT value FROM json_each(${JSON.stringify(claimed.map(({ order }) => order))}))`,
    )
    .execute();
  const repositories = new Map(rows.map(({ id, repository: of }) => [id, githubRepositoryOf(of ?? "")]));
  for (const { number, order } of claimed) {
    const own = repositories.get(order);
    if (own && sameName(`${own.owner}/${own.name}`, repository)) orders.set(number, order);
  }
  return orders;
}

export const recordedQuery = (db: ServiceContext["db"], repository: string, pulls: readonly { number: number }[]) =>
  db.ops
    .selectFrom("order_pull_requests")
    .select(["number", "order_id"])
    .where("repository", "=", repository)
    .where(sql<boolean>`number IN (SELECT value FROM json_each(${JSON.stringify(pulls.map(({ number }) => number))}))`);

/** GitHub's names are the same in any case. */
const sameName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
