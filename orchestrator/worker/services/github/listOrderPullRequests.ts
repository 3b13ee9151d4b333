import { type OrderPullRequest, OrderPullRequestSchema, type Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { findOrder } from "../order/getOrder.ts";
import { checksOf, checksQuery } from "./checks.ts";

/** Pull requests of one order that are shown. */
const MAX_PULLS = 50;

/**
 * An order's pull requests as GitHub last told of them, the newest first, with what the checks of their newest commit
 * came to. Needs `orders:read`. Errors: NOT_FOUND, FORBIDDEN.
 */
export async function listOrderPullRequests(
  ctx: ServiceContext,
  input: { orderId: string },
): Promise<Result<{ pull_requests: OrderPullRequest[] }>> {
  const denied = requireScope(ctx, "orders:read");
  if (denied) return denied;
  const found = await findOrder(ctx, input.orderId);
  if (!found.ok) return found;
  const rows = await ctx.db.ops
    .selectFrom("order_pull_requests")
    .selectAll()
    .where("order_id", "=", found.order.id)
    .orderBy("created_at", "desc")
    .orderBy("number", "desc")
    .limit(MAX_PULLS)
    .execute();
  const pulls = await Promise.all(
    rows.map(async (row) => {
      const checks = checksOf(await checksQuery(ctx.db, row).execute());
      return OrderPullRequestSchema.parse({ ...row, draft: row.draft === 1, checks });
    }),
  );
  return { ok: true, pull_requests: pulls };
}
