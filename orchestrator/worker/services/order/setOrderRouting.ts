import { type Order, type Result, StatedRoutingSchema, validationError } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { findOrder } from "./getOrder.ts";

/**
 * Says how an order's tasks are routed from now on, in place of what was said before; what is left out is as its project
 * says. A task that a provider works on stays with it. Needs `orders:write`. Errors: NOT_FOUND, FORBIDDEN.
 */
export async function setOrderRouting(
  ctx: ServiceContext,
  input: { orderId: string; routing: unknown },
): Promise<Result<{ order: Order }>> {
  const denied = requireScope(ctx, "orders:write");
  if (denied) return denied;
  const parsed = StatedRoutingSchema.safeParse(input.routing);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const found = await findOrder(ctx, input.orderId);
  if (!found.ok) return found;
  const now = ctx.now().toISOString();
  await ctx.db.projects
    .updateTable("orders")
    .set({ routing: JSON.stringify(parsed.data), updated_at: now })
    .where("id", "=", found.order.id)
    .execute();
  return { ok: true, order: { ...found.order, routing: parsed.data, updated_at: now } };
}
