import { fail, type Order, OrderIdSchema, type Result, type Task } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { taskOfRow } from "../task/taskOfRow.ts";
import { requireOrderAccess } from "./access.ts";
import { orderOfRow } from "./orderOfRow.ts";

/** An order and its tasks in the order of their making. Needs `orders:read`. Errors: NOT_FOUND, FORBIDDEN. */
export async function getOrder(
  ctx: ServiceContext,
  input: { orderId: string },
): Promise<Result<{ order: Order; tasks: Task[] }>> {
  const denied = requireScope(ctx, "orders:read");
  if (denied) return denied;
  const found = await findOrder(ctx, input.orderId);
  if (!found.ok) return found;
  const rows = await tasksOfOrderQuery(ctx.db, input.orderId).execute();
  return { ok: true, order: found.order, tasks: rows.map(taskOfRow) };
}

/** An order the caller may touch. Errors: NOT_FOUND, FORBIDDEN. */
export async function findOrder(ctx: ServiceContext, orderId: string): Promise<Result<{ order: Order }>> {
  const id = OrderIdSchema.safeParse(orderId);
  if (!id.success) return fail("NOT_FOUND", "there is no such order");
  const row = await ctx.db.projects.selectFrom("orders").selectAll().where("id", "=", id.data).executeTakeFirst();
  if (!row) return fail("NOT_FOUND", "there is no such order");
  const order = orderOfRow(row);
  return requireOrderAccess(ctx, order) ?? { ok: true, order };
}

export const tasksOfOrderQuery = (db: ServiceContext["db"], orderId: string) =>
  db.projects.selectFrom("tasks").selectAll().where("order_id", "=", orderId).orderBy("created_at").orderBy("id");
