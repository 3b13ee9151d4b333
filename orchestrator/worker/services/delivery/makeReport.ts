import { fail, OrderIdSchema, OrderSchema, type Result } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { tasksOfOrderQuery } from "../order/getOrder.ts";
import { taskOfRow } from "../task/taskOfRow.ts";
import { requireReportAccess } from "./access.ts";
import { contentOf, costsQuery } from "./buildReport.ts";
import { pushReport } from "./pushReport.ts";
import { readDelivery } from "./readDelivery.ts";
import { storeReport, workspaceOf } from "./storeReport.ts";
import { workspacesOfOrder } from "./workspacesOfOrder.ts";

export interface MakeReport {
  orderId: string;
  /** Leave it for later while the outcome of one of its patches is not known. */
  whenSettled?: boolean;
}

/**
 * Makes an order's report anew. `made` is false where it would say what the current one says, or has to wait. The caller's
 * right to reports is the door's to check; that it may see this order is checked here. Errors: NOT_FOUND (nobody placed
 * the order and no patch names it), FORBIDDEN.
 */
export async function makeReport(ctx: ServiceContext, input: MakeReport): Promise<Result<{ made: boolean }>> {
  const parsed = OrderIdSchema.safeParse(input.orderId);
  if (!parsed.success) return fail("NOT_FOUND", "there is no such order");
  const orderId = parsed.data;
  const row = await ctx.db.projects.selectFrom("orders").selectAll().where("id", "=", orderId).executeTakeFirst();
  const order = row ? OrderSchema.parse(row) : null;
  const delivery = await readDelivery(ctx, orderId, await workspacesOfOrder(ctx, orderId, order?.workspace_id ?? null));
  const { summary } = delivery;
  if (order === null && summary.chains.length === 0) return fail("NOT_FOUND", "there is no such order");

  const tasks = order ? await tasksOfOrderQuery(ctx.db, orderId).execute() : [];
  const costs = await costsQuery(ctx.db, orderId).execute();
  const content = contentOf({ orderId, order, tasks: tasks.map(taskOfRow), costs, delivery });
  const owner = { order_id: orderId, factory: order?.factory ?? null, workspace_id: workspaceOf(content) };
  const denied = requireReportAccess(ctx, owner);
  if (denied) return denied;
  if (input.whenSettled === true && summary.patches.requested > 0) return { ok: true, made: false };

  const stored = await storeReport(ctx, content, delivery.custody);
  await pushReport(ctx, orderId);
  return { ok: true, made: stored !== null };
}
