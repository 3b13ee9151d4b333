import { type AlertDelivery, AlertDeliverySchema, fail, type Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { NO_WEBHOOK } from "./listWebhooks.ts";
import { requestDeliveries } from "./requestDeliveries.ts";

/**
 * Sends a delivery once more, with the same message and `webhook-id`, whatever became of it; its attempts are counted from
 * anew. Needs `alerts:write`. Errors: NOT_FOUND (also where its webhook was deleted), CONFLICT (its webhook is disabled).
 */
export async function resendDelivery(
  ctx: ServiceContext,
  { id }: { id: string },
): Promise<Result<{ delivery: AlertDelivery }>> {
  const denied = requireScope(ctx, "alerts:write");
  if (denied) return denied;
  const found = await ctx.db.ops
    .selectFrom("alert_deliveries as delivery")
    .leftJoin("alert_webhooks as webhook", "webhook.id", "delivery.webhook_id")
    .select(["delivery.id", "webhook.enabled", "webhook.deleted_at", "webhook.id as webhook"])
    .where("delivery.id", "=", id)
    .executeTakeFirst();
  if (!found) return fail("NOT_FOUND", "there is no such delivery");
  if (found.webhook === null || found.deleted_at !== null) return NO_WEBHOOK;
  if (found.enabled !== 1) return fail("CONFLICT", "its webhook is disabled; enable it first");
  const row = await ctx.db.ops
    .updateTable("alert_deliveries")
    .set({ status: "pending", attempts: 0, error: null, next_attempt_at: ctx.now().toISOString() })
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await requestDeliveries(ctx, [id]);
  return { ok: true, delivery: AlertDeliverySchema.parse(row) };
}
