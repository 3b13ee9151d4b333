import type { Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { batch } from "../../database/batch.ts";
import { NO_WEBHOOK } from "./listWebhooks.ts";

/**
 * Deletes a webhook for good, with its secrets; what it was to be sent is not. What it was sent stays listed for as long
 * as deliveries are kept. Needs `alerts:write`. Errors: NOT_FOUND.
 */
export async function deleteWebhook(ctx: ServiceContext, { id }: { id: string }): Promise<Result<{ id: string }>> {
  const denied = requireScope(ctx, "alerts:write");
  if (denied) return denied;
  const [deleted] = await batch(ctx.env.DB_OPS, [
    ctx.db.ops
      .updateTable("alert_webhooks")
      .set({ deleted_at: ctx.now().toISOString(), enabled: 0, secrets: "[]" })
      .where("id", "=", id)
      .where("deleted_at", "is", null)
      .returning("id"),
    ctx.db.ops
      .updateTable("alert_deliveries")
      .set({ status: "cancelled", error: "the webhook was deleted", next_attempt_at: null })
      .where("webhook_id", "=", id)
      .where("status", "=", "pending"),
  ]);
  return (deleted?.results.length ?? 0) > 0 ? { ok: true, id } : NO_WEBHOOK;
}
