import {
  canMove,
  fail,
  type Order,
  ORDER_TRANSITIONS,
  OrderStatusSchema,
  type Result,
  TASK_TRANSITIONS,
  TaskStatusSchema,
  validationError,
} from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { batch } from "../../database/batch.ts";
import { uncover } from "../delivery/deliveryOrders.ts";
import { sendReportRequests } from "../delivery/requestReport.ts";
import { syncWorkspaceTasks } from "../task/syncWorkspaceTasks.ts";
import { findOrder } from "./getOrder.ts";

export const SetOrderStatusSchema = z.object({
  status: OrderStatusSchema,
  reason: z.string().max(1000).optional(),
});

const CANCELLABLE = TaskStatusSchema.options.filter((status) => canMove(TASK_TRANSITIONS, status, "cancelled"));

/**
 * Moves an order along ORDER_TRANSITIONS. Cancelling it cancels what is left of its tasks, so that no further patch
 * fits them. Needs `orders:write`. Errors: NOT_FOUND, FORBIDDEN, INVALID_TRANSITION, also for the later of two movers.
 */
export async function setOrderStatus(
  ctx: ServiceContext,
  input: { orderId: string; status?: unknown; reason?: unknown },
): Promise<Result<{ order: Order }>> {
  const denied = requireScope(ctx, "orders:write");
  if (denied) return denied;
  const parsed = SetOrderStatusSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { status, reason } = parsed.data;
  const found = await findOrder(ctx, input.orderId);
  if (!found.ok) return found;
  const { order } = found;
  const refused = fail("INVALID_TRANSITION", `an order that is ${order.status} cannot become ${status}`);
  if (!canMove(ORDER_TRANSITIONS, order.status, status)) return refused;

  const now = ctx.now().toISOString();
  // Conditional on the status just read, so that of two movers exactly one moves it.
  const move = ctx.db.projects
    .updateTable("orders")
    .set({ status, updated_at: now })
    .where("id", "=", order.id)
    .where("status", "=", order.status)
    .returning("id");
  const cancelTasks = ctx.db.projects
    .updateTable("tasks")
    .set({ status: "cancelled", updated_at: now })
    .where("order_id", "=", order.id)
    .where("status", "in", CANCELLABLE)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom("orders")
          .select("id")
          .where("id", "=", order.id)
          .where("status", "=", "cancelled")
          .where("updated_at", "=", now),
      ),
    );
  const [moved] = await batch(ctx.env.DB_PROJECTS, status === "cancelled" ? [move, cancelTasks] : [move]);
  if (moved?.results[0] === undefined) return refused;
  ctx.log.info("an order moved", { orderId: order.id, from: order.status, to: status, reason });
  await askForReport(ctx, order.id);
  if (status === "cancelled") {
    const written = await syncWorkspaceTasks(ctx, order.workspace_id);
    if (!written.ok) return written;
  }
  return { ok: true, order: { ...order, status, updated_at: now } };
}

/**
 * The order's report says its status. That neither can be had must not undo the move. What the message does not bring
 * about, the nightly run does.
 */
async function askForReport(ctx: ServiceContext, orderId: string): Promise<void> {
  try {
    await uncover(ctx.env.DB_OPS, orderId);
    await sendReportRequests(ctx.env, [{ orderId }]);
  } catch (error) {
    ctx.log.warn("the order's report was not asked for", { orderId, error });
  }
}
