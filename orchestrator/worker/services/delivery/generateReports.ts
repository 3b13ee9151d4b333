import { fail, type Generated, OrderIdSchema, type Result, validationError } from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { staleOrdersQuery, takeInEvents } from "./deliveryOrders.ts";
import { makeReport } from "./makeReport.ts";
import { sendReportRequests } from "./requestReport.ts";

/** Reports one call makes by itself; the queue makes the rest. */
const AT_ONCE = 50;
const PAGE = 100;

export const GenerateReportsSchema = z.object({
  /** Absent: every order with events that its report does not cover. */
  orderId: OrderIdSchema.optional(),
});

/**
 * Makes reports anew: one order's, or those of every order that has moved on since its last. Running it again without new
 * events writes nothing. Needs `delivery:write`. Errors: VALIDATION_FAILED, NOT_FOUND, FORBIDDEN.
 */
export async function generateReports(ctx: ServiceContext, input: unknown = {}): Promise<Result<Generated>> {
  const denied = requireScope(ctx, "delivery:write");
  if (denied) return denied;
  const parsed = GenerateReportsSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { orderId } = parsed.data;
  if (orderId !== undefined) {
    const made = await makeReport(ctx, { orderId });
    return made.ok ? { ok: true, generated: Number(made.made), queued: 0 } : made;
  }
  await takeInEvents(ctx.env.DB_OPS);
  return generateStale(ctx);
}

async function generateStale(ctx: ServiceContext): Promise<Result<Generated>> {
  let generated = 0;
  let queued = 0;
  let taken = 0;
  // Only this Worker's own parts may have others' reports made: a caller who may see few of them gets those few.
  const mayQueue = ctx.actor.kind !== "factory" && ctx.actor.workspaceId === null;
  for (let after = ""; ;) {
    const page = await staleOrdersQuery(ctx.db, after, PAGE).execute();
    const rest: string[] = [];
    for (const { order_id: orderId } of page) {
      if (taken >= AT_ONCE && mayQueue) {
        rest.push(orderId);
        continue;
      }
      const made = await makeReport(ctx, { orderId });
      // One order that cannot be reported on must not keep the others from theirs.
      if (!made.ok && made.error.code !== "FORBIDDEN" && made.error.code !== "NOT_FOUND") return made;
      if (made.ok) taken += 1;
      generated += Number(made.ok && made.made);
    }
    if (rest.length > 0) {
      const sent = await sendReportRequests(
        ctx.env,
        rest.map((orderId) => ({ orderId })),
      );
      if (!sent) return fail("INTERNAL", "there is no queue to make the other reports", { nothingWritten: false });
      queued += rest.length;
    }
    const last = page.at(-1);
    if (!last || page.length < PAGE) return { ok: true, generated, queued };
    after = last.order_id;
  }
}
