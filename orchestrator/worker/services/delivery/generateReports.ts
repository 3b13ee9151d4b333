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
 * events writes nothing. Who may not have the queue make the rest gets as many as one call makes; what is left is the next
 * call's. Needs `delivery:write`. Errors: VALIDATION_FAILED, NOT_FOUND, FORBIDDEN. Throws where one could not be made, once
 * the others are.
 */
export async function generateReports(ctx: ServiceContext, input: unknown = {}): Promise<Result<Generated>> {
  const denied = requireScope(ctx, "delivery:write");
  if (denied) return denied;
  const parsed = GenerateReportsSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { orderId } = parsed.data;
  if (orderId !== undefined) {
    const made = await makeReport(ctx, { orderId });
    // Whoever waits for the report does not wait for GitHub.
    if (made.ok && made.made) await askForComment(ctx, orderId);
    return made.ok ? { ok: true, generated: Number(made.made), queued: 0 } : made;
  }
  await takeInEvents(ctx.env.DB_OPS);
  return generateStale(ctx);
}

/** On the order's pull request, by the queue; what is not asked for here the night finds. */
async function askForComment(ctx: ServiceContext, orderId: string): Promise<void> {
  try {
    await sendReportRequests(ctx.env, [{ orderId }]);
  } catch (error) {
    ctx.log.warn("a report's comment was not asked for", { orderId, error });
  }
}

async function generateStale(ctx: ServiceContext): Promise<Result<Generated>> {
  let generated = 0;
  let queued = 0;
  let taken = 0;
  const failures: unknown[] = [];
  // Only this Worker's own parts may have others' reports made: a caller who may see few of them gets those few.
  const mayQueue = ctx.actor.kind !== "factory" && ctx.actor.workspaceId === null;
  for (let after = ""; ;) {
    const page = await staleOrdersQuery(ctx.db, { after, workspaceId: ctx.actor.workspaceId, limit: PAGE }).execute();
    const rest: string[] = [];
    for (const { order_id: orderId } of page) {
      if (taken >= AT_ONCE) {
        rest.push(orderId);
        continue;
      }
      const made = await tryReport(ctx, orderId, failures);
      taken += Number(made !== "not theirs");
      generated += Number(made === "made");
    }
    if (rest.length > 0 && mayQueue) {
      const sent = await sendReportRequests(
        ctx.env,
        rest.map((orderId) => ({ orderId })),
      );
      if (!sent) return fail("INTERNAL", "there is no queue to make the other reports", { nothingWritten: false });
      queued += rest.length;
    }
    const last = page.at(-1);
    if (last && page.length === PAGE && (mayQueue || rest.length === 0)) {
      after = last.order_id;
      continue;
    }
    if (failures.length > 0) throw failures[0];
    return { ok: true, generated, queued };
  }
}

/** One order that cannot be reported on must not keep the others from theirs. */
async function tryReport(
  ctx: ServiceContext,
  orderId: string,
  failures: unknown[],
): Promise<"made" | "known" | "not theirs" | "failed"> {
  try {
    const answer = await makeReport(ctx, { orderId });
    if (!answer.ok) return "not theirs";
    if (answer.made) await askForComment(ctx, orderId);
    return answer.made ? "made" : "known";
  } catch (error) {
    ctx.log.error("a report was not made", { orderId, error });
    failures.push(error);
    return "failed";
  }
}
