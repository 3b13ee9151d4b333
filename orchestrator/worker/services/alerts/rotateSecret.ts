import { type AlertWebhook, fail, type Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { randomBytes } from "../auth/secret.ts";
import { findWebhook, NO_WEBHOOK } from "./listWebhooks.ts";
import { secretsOfRow, webhookOfRow } from "./webhookRow.ts";
import { liveSecrets, mintWebhookSecret, seal } from "./webhookSecret.ts";

/** For how long the secret before still signs beside the new one. */
export const OVERLAP_MS = 24 * 3600 * 1000;
/** Each signs: the header must stay small. */
const MAX_SECRETS = 5;

/**
 * Gives a webhook a new secret, told this once. Those before go on signing beside it for a day, so that a receiver can
 * change over without losing a message. Needs `alerts:write`. Errors: NOT_FOUND, CONFLICT (rotated five times in a day, or
 * by somebody else at the same moment).
 */
export async function rotateSecret(
  ctx: ServiceContext,
  { id }: { id: string },
  random: (bytes: number) => Uint8Array = randomBytes,
): Promise<Result<{ webhook: AlertWebhook; secret: string }>> {
  const denied = requireScope(ctx, "alerts:write");
  if (denied) return denied;
  const row = await findWebhook(ctx, id);
  if (!row) return NO_WEBHOOK;
  const now = ctx.now();
  const end = new Date(now.getTime() + OVERLAP_MS).toISOString();
  const before = liveSecrets(secretsOfRow(row), now.toISOString());
  if (before.length >= MAX_SECRETS) return fail("CONFLICT", "its secret was changed too often today");
  const secret = mintWebhookSecret(random);
  const secrets = [
    { sealed: seal(ctx.env, id, secret, random), created_at: now.toISOString(), expires_at: null },
    ...before.map((kept) => ({ ...kept, expires_at: kept.expires_at ?? end })),
  ];
  const changed = await ctx.db.ops
    .updateTable("alert_webhooks")
    .set({ secrets: JSON.stringify(secrets) })
    .where("id", "=", id)
    .where("deleted_at", "is", null)
    // Of two at once one wins: the other's secret was never told to anyone.
    .where("secrets", "=", row.secrets)
    .returningAll()
    .executeTakeFirst();
  return changed
    ? { ok: true, webhook: webhookOfRow(changed), secret }
    : fail("CONFLICT", "somebody else has changed its secret at this moment");
}
