import { type AlertDelivery, AlertDeliverySchema, type Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { findWebhook, NO_WEBHOOK } from "./listWebhooks.ts";
import { requestDeliveries } from "./requestDeliveries.ts";

/**
 * Sends a webhook a message of the kind `alert.test`, signed as any other: once, whatever its rules are and also where it is
 * disabled. Its failure counts for nothing. Needs `alerts:write`. Errors: NOT_FOUND.
 */
export async function testWebhook(
  ctx: ServiceContext,
  { id }: { id: string },
): Promise<Result<{ delivery: AlertDelivery }>> {
  const denied = requireScope(ctx, "alerts:write");
  if (denied) return denied;
  const webhook = await findWebhook(ctx, id);
  if (!webhook) return NO_WEBHOOK;
  const now = ctx.now().toISOString();
  const messageId = `msg_${ctx.mintId().replaceAll("-", "")}_1`;
  const row = await ctx.db.ops
    .insertInto("alert_deliveries")
    .values({
      id: `${messageId}.${id}`,
      webhook_id: id,
      alert_id: "test",
      message_id: messageId,
      kind: "alert.test",
      body: JSON.stringify({
        type: "alert.test",
        timestamp: now,
        data: { title: "A test of this webhook", text: `Asked for by ${ctx.actor.id}.`, instance: ctx.env.INSTANCE },
      }),
      next_attempt_at: now,
      created_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await requestDeliveries(ctx, [row.id]);
  return { ok: true, delivery: AlertDeliverySchema.parse(row) };
}
