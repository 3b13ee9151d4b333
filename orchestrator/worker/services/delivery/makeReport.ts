import { fail, OrderIdSchema, type Result } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { logOperation } from "../logging/logOperation.ts";
import { tasksOfOrderQuery } from "../order/getOrder.ts";
import { orderOfRow } from "../order/orderOfRow.ts";
import { taskOfRow } from "../task/taskOfRow.ts";
import { requireOwnFactory, requireReportAccess } from "./access.ts";
import { contentOf, costsQuery, type ReportContent } from "./buildReport.ts";
import { pushReport } from "./pushReport.ts";
import { type Delivery, readDelivery } from "./readDelivery.ts";
import { currentQuery, storeReport, workspaceOf } from "./storeReport.ts";
import { workspacesOfOrder } from "./workspacesOfOrder.ts";

export interface MakeReport {
  orderId: string;
  /** Leave it for later while the outcome of one of its patches is not known. */
  whenSettled?: boolean;
}

/** How often a report is read anew that another writer was faster with. */
const ATTEMPTS = 5;

/**
 * Makes an order's report anew. `made` is false where it would say what the current one says, or has to wait. The caller's
 * right to reports is the door's to check; that it may see this order is checked here. Errors: NOT_FOUND (nobody placed
 * the order and no patch names it), FORBIDDEN.
 */
export async function makeReport(ctx: ServiceContext, input: MakeReport): Promise<Result<{ made: boolean }>> {
  const parsed = OrderIdSchema.safeParse(input.orderId);
  if (!parsed.success) return fail("NOT_FOUND", "there is no such order");
  const orderId = parsed.data;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    // Before all that the report says, so that nothing older can take the place of something newer.
    const seen = (await currentQuery(ctx.db, orderId).executeTakeFirst())?.version ?? 0;
    const read = await readReport(ctx, orderId);
    if (!read.ok) return read;
    const { content, custody } = read;
    if (input.whenSettled === true && content.delivered.patches.requested > 0) return { ok: true, made: false };
    const { outcome } = await storeReport(ctx, content, { custody, seen });
    if (outcome === "overtaken") continue;
    await pushReport(ctx, orderId);
    const made = outcome === "written";
    if (made) {
      logOperation(ctx, "delivery", {
        operation: "delivery.report",
        message: `the report of ${orderId} was written`,
        outcome: "written",
        orderId,
        meta: { version: seen + 1, patches: content.delivered.patches.total },
      });
    }
    return { ok: true, made };
  }
  throw new Error(`the report of ${orderId} was overtaken ${ATTEMPTS} times`);
}

async function readReport(
  ctx: ServiceContext,
  orderId: string,
): Promise<Result<{ content: ReportContent; custody: Delivery["custody"] }>> {
  const row = await ctx.db.projects.selectFrom("orders").selectAll().where("id", "=", orderId).executeTakeFirst();
  const order = row ? orderOfRow(row) : null;
  const factory = order?.factory ?? null;
  const elsewhere = requireOwnFactory(ctx, { order_id: orderId, factory });
  if (elsewhere) return elsewhere;
  const delivery = await readDelivery(ctx, orderId, await workspacesOfOrder(ctx, orderId, order?.workspace_id ?? null));
  if (order === null && delivery.summary.chains.length === 0) return fail("NOT_FOUND", "there is no such order");

  const tasks = order ? await tasksOfOrderQuery(ctx.db, orderId).execute() : [];
  const costs = await costsQuery(ctx.db, orderId).execute();
  const content = contentOf({ orderId, order, tasks: tasks.map(taskOfRow), costs, delivery });
  const denied = requireReportAccess(ctx, { order_id: orderId, factory, workspace_id: workspaceOf(content) });
  return denied ?? { ok: true, content, custody: delivery.custody };
}
