import { requireScope, type ServiceContext } from "../../context.ts";
import { noteEvent, workspacesOfOrderQuery } from "./deliveryOrders.ts";
import { tryCommentReport } from "./commentReports.ts";
import { makeReport } from "./makeReport.ts";
import { pushReport } from "./pushReport.ts";
import { type ReportRequest, ReportRequestSchema } from "./requestReport.ts";

/** What a queue hands over; each message is said to be done with or to be sent again. */
export interface ReportMessage {
  body: unknown;
  ack(): void;
  retry(): void;
}

/**
 * Makes the reports that messages ask for: one an order, however many messages. A message whose event is covered already
 * changes nothing, so the same one twice, late or out of order does no harm; one whose order has a patch of unknown
 * outcome is done with too, since that outcome will be an event of its own. Needs `delivery:write`.
 */
export async function regenerateReports(ctx: ServiceContext, messages: readonly ReportMessage[]): Promise<void> {
  if (requireScope(ctx, "delivery:write")) throw new Error("the queue's caller may not make reports");
  const byOrder = new Map<string, { requests: ReportRequest[]; messages: ReportMessage[] }>();
  for (const message of messages) {
    const parsed = ReportRequestSchema.safeParse(message.body);
    if (!parsed.success) {
      ctx.log.error("a message asks for no report", { error: parsed.error });
      message.ack();
      continue;
    }
    const group = byOrder.get(parsed.data.orderId) ?? { requests: [], messages: [] };
    group.requests.push(parsed.data);
    group.messages.push(message);
    byOrder.set(parsed.data.orderId, group);
  }
  for (const [orderId, group] of byOrder) {
    const isDone = await regenerate(ctx, orderId, group.requests);
    for (const message of group.messages) {
      if (isDone) message.ack();
      else message.retry();
    }
  }
}

async function regenerate(ctx: ServiceContext, orderId: string, requests: readonly ReportRequest[]): Promise<boolean> {
  try {
    const events = requests.flatMap(({ event }) => event ?? []);
    for (const { workspaceId, seq } of events) await noteEvent(ctx.env.DB_OPS, { orderId, workspaceId, seq });
    const covered = new Map(
      (await workspacesOfOrderQuery(ctx.db, orderId).execute()).map((row) => [row.workspace_id, row.reported_seq]),
    );
    if (requests.every(({ event }) => event && (covered.get(event.workspaceId) ?? 0) >= event.seq)) {
      // An earlier attempt may have broken off between the database and the bucket.
      await pushReport(ctx, orderId);
      await tryCommentReport(ctx, orderId);
      return true;
    }
    const made = await makeReport(ctx, { orderId, whenSettled: true });
    if (made.ok) {
      await tryCommentReport(ctx, orderId);
      return true;
    }
    ctx.log.error("a report cannot be made", { orderId, code: made.error.code, reason: made.error.message });
    return !made.error.retryable;
  } catch (error) {
    ctx.log.warn("a report was not made; its message comes again", { orderId, error });
    return false;
  }
}
