import { type AlertWebhook, CreateWebhookSchema, fail, type Result, validationError } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { randomBytes } from "../auth/secret.ts";
import { webhookOfRow } from "./webhookRow.ts";
import { mintWebhookSecret, seal } from "./webhookSecret.ts";
import { checkWebhookUrl } from "./webhookUrl.ts";

const MAX_WEBHOOKS = 50;

/**
 * Makes a webhook. `secret` is told this once. Needs `alerts:write`. Errors: VALIDATION_FAILED (also for an address that
 * is not on the public internet), CONFLICT where there are 50 already.
 */
export async function createWebhook(
  ctx: ServiceContext,
  input: unknown,
  random: (bytes: number) => Uint8Array = randomBytes,
): Promise<Result<{ webhook: AlertWebhook; secret: string }>> {
  const denied = requireScope(ctx, "alerts:write");
  if (denied) return denied;
  const parsed = CreateWebhookSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { name, kinds, minSeverity } = parsed.data;
  const checked = checkWebhookUrl(ctx.env, parsed.data.url);
  if (!checked.ok) return checked;
  const { count } = await ctx.db.ops
    .selectFrom("alert_webhooks")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("deleted_at", "is", null)
    .executeTakeFirstOrThrow();
  if (count >= MAX_WEBHOOKS) return fail("CONFLICT", `there are ${MAX_WEBHOOKS} webhooks; delete one first`);

  const id = ctx.mintId();
  const secret = mintWebhookSecret(random);
  const now = ctx.now().toISOString();
  const row = await ctx.db.ops
    .insertInto("alert_webhooks")
    .values({
      id,
      name,
      url: checked.url.href,
      kinds: JSON.stringify([...new Set(kinds)]),
      min_severity: minSeverity,
      secrets: JSON.stringify([{ sealed: seal(ctx.env, id, secret, random), created_at: now, expires_at: null }]),
      created_by: ctx.actor.id,
      created_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return { ok: true, webhook: webhookOfRow(row), secret };
}
