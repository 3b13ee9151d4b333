import { type AlertWebhook, ChangeWebhookSchema, type Result, validationError } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { NO_WEBHOOK } from "./listWebhooks.ts";
import { webhookOfRow } from "./webhookRow.ts";
import { checkWebhookUrl } from "./webhookUrl.ts";

/**
 * Changes what is given of a webhook; the rest stays. `enabled: true` puts one to work again that had failed for too long.
 * Needs `alerts:write`. Errors: VALIDATION_FAILED, NOT_FOUND.
 */
export async function changeWebhook(
  ctx: ServiceContext,
  { id }: { id: string },
  input: unknown,
): Promise<Result<{ webhook: AlertWebhook }>> {
  const denied = requireScope(ctx, "alerts:write");
  if (denied) return denied;
  const parsed = ChangeWebhookSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { name, url, kinds, minSeverity, enabled } = parsed.data;
  const checked = url === undefined ? null : checkWebhookUrl(ctx.env, url);
  if (checked && !checked.ok) return checked;
  const row = await ctx.db.ops
    .updateTable("alert_webhooks")
    .set((eb) => ({
      name: name ?? eb.ref("name"),
      url: checked?.url.href ?? eb.ref("url"),
      kinds: kinds === undefined ? eb.ref("kinds") : JSON.stringify([...new Set(kinds)]),
      min_severity: minSeverity ?? eb.ref("min_severity"),
      enabled: enabled === undefined ? eb.ref("enabled") : Number(enabled),
      // Whoever changes it by hand knows of it: its failures are counted from anew.
      ...(enabled === undefined ? {} : { disabled_reason: null, failing_since: null }),
    }))
    .where("id", "=", id)
    .where("deleted_at", "is", null)
    .returningAll()
    .executeTakeFirst();
  return row ? { ok: true, webhook: webhookOfRow(row) } : NO_WEBHOOK;
}
