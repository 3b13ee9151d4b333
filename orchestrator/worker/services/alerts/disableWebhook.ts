import { z } from "zod";
import type { ServiceContext } from "../../context.ts";
import { batch } from "../../database/batch.ts";
import { raiseAlert } from "./raiseAlert.ts";

const NamesSchema = z.array(z.object({ name: z.string() }));

/**
 * Puts a webhook out of work, and with it what it was still to be sent; says so to the hub and to the other webhooks, once.
 * True, also where it was out of work already. Throws where the database does not answer.
 */
export async function disableWebhook(ctx: ServiceContext, id: string, reason: string): Promise<boolean> {
  const [disabled] = await batch(ctx.env.DB_OPS, [
    ctx.db.ops
      .updateTable("alert_webhooks")
      .set({ enabled: 0, disabled_reason: reason })
      .where("id", "=", id)
      .where("enabled", "=", 1)
      .returning("name"),
    ctx.db.ops
      .updateTable("alert_deliveries")
      .set({ status: "cancelled", error: "the webhook is disabled", next_attempt_at: null })
      .where("webhook_id", "=", id)
      .where("status", "=", "pending"),
  ]);
  const name = NamesSchema.parse(disabled?.results)[0]?.name;
  if (name !== undefined) {
    await raiseAlert(ctx, {
      kind: "webhook.disabled",
      severity: "warning",
      title: `The webhook ${name.slice(0, 100)} is disabled`,
      text: `It is sent nothing more: ${reason}.`,
      dedupeKey: `webhook:${id}`,
      data: { webhookId: id },
    });
  }
  return true;
}
