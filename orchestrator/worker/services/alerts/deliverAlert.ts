import type { Selectable } from "kysely";
import type { ServiceContext } from "../../context.ts";
import type { OpsDatabase } from "../../database/schema.ts";
import { writeOperation } from "../logging/logOperation.ts";
import { disableWebhook } from "./disableWebhook.ts";
import { findWebhook } from "./listWebhooks.ts";
import { type Sent, sendWebhook, TIMEOUT_MS } from "./sendWebhook.ts";

type DeliveryRow = Selectable<OpsDatabase["alert_deliveries"]>;

/** Seconds before the second and each later attempt: the schedule Standard Webhooks recommends, three days in all. */
export const RETRY_SECONDS = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400] as const;
/** A webhook of which every attempt has failed for this long is put out of work. */
export const DISABLE_AFTER_MS = 3 * 86_400_000;
/** A receiver's own wish is heard up to this. */
const MAX_RETRY_AFTER_MS = 86_400_000;
/** Longer than an attempt can take: whoever dies with a delivery in hand gives it back by then. */
const LEASE_MS = TIMEOUT_MS * 4;

export interface DeliverOptions {
  timeoutMs?: number;
  send?: typeof fetch;
}

/**
 * Makes the attempt that is due at a delivery, if one is and nobody else is at it. `againInMs`: when to come back; null:
 * it is done with. At least once: who is killed between the receiver's answer and its record sends the message again,
 * under the same `webhook-id`. Throws where the database does not answer.
 */
export async function deliverAlert(
  ctx: ServiceContext,
  deliveryId: string,
  options: DeliverOptions = {},
): Promise<{ againInMs: number | null }> {
  const started = ctx.now();
  const now = started.toISOString();
  // Conditional, so that of two at once exactly one sends.
  const delivery = await ctx.db.ops
    .updateTable("alert_deliveries")
    .set((eb) => ({
      attempts: eb("attempts", "+", 1),
      leased_until: new Date(started.getTime() + LEASE_MS).toISOString(),
    }))
    .where("id", "=", deliveryId)
    .where("status", "=", "pending")
    .where("next_attempt_at", "<=", now)
    .where((eb) => eb.or([eb("leased_until", "is", null), eb("leased_until", "<", now)]))
    .returningAll()
    .executeTakeFirst();
  if (!delivery) return waitFor(ctx, deliveryId, started);

  const webhook = await findWebhook(ctx, delivery.webhook_id);
  const isTest = delivery.kind === "alert.test";
  if (!webhook || (webhook.enabled !== 1 && !isTest)) {
    await settle(ctx, delivery, {
      status: "cancelled",
      error: webhook ? "the webhook is disabled" : "the webhook was deleted",
    });
    return { againInMs: null };
  }

  const sent = await sendWebhook(ctx, webhook, { id: delivery.message_id, body: delivery.body }, options);
  const duration = ctx.now().getTime() - started.getTime();
  const outcome = { response_status: sent.status, error: sent.error, duration_ms: duration };
  if (sent.ok) {
    await settle(ctx, delivery, { status: "delivered", delivered_at: ctx.now().toISOString(), ...outcome });
    await ctx.db.ops
      .updateTable("alert_webhooks")
      .set({ failing_since: null, last_success_at: ctx.now().toISOString() })
      .where("id", "=", webhook.id)
      .execute();
    return { againInMs: null };
  }
  await writeOperation(ctx, "alerts", {
    operation: "webhook.deliver",
    level: "warn",
    message: `${webhook.name}: ${sent.error ?? "not delivered"}`,
    outcome: "failed",
    durationMs: duration,
    meta: { webhookId: webhook.id, deliveryId, attempt: delivery.attempts, status: sent.status },
  });
  const againInMs = isTest || sent.isGone ? null : waitAfter(delivery, sent);
  const next = againInMs === null ? null : new Date(ctx.now().getTime() + againInMs).toISOString();
  await settle(ctx, delivery, { status: next === null ? "failed" : "pending", next_attempt_at: next, ...outcome });
  if (isTest) return { againInMs: null };
  const disabled = await noteFailure(ctx, webhook.id, sent);
  return { againInMs: disabled ? null : againInMs };
}

/** Where there is nothing to do now: how long until there is, if ever. */
async function waitFor(ctx: ServiceContext, id: string, now: Date): Promise<{ againInMs: number | null }> {
  const row = await ctx.db.ops
    .selectFrom("alert_deliveries")
    .select(["status", "next_attempt_at", "leased_until"])
    .where("id", "=", id)
    .executeTakeFirst();
  if (row?.status !== "pending") return { againInMs: null };
  const times = [row.next_attempt_at, row.leased_until].flatMap((time) => (time === null ? [] : Date.parse(time)));
  return { againInMs: Math.max(1_000, Math.max(...times) - now.getTime()) };
}

/** Milliseconds until the next attempt; null after the last. */
function waitAfter({ id, attempts }: DeliveryRow, { retryAfterMs }: Sent): number | null {
  const seconds = RETRY_SECONDS[attempts - 1];
  if (seconds === undefined) return null;
  // A tenth at most, of the delivery's own making: what failed together does not come back together.
  const share = Array.from(`${id}${attempts}`).reduce(
    (sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 1000,
    7,
  );
  const wait = seconds * 1000 * (1 + share / 10_000);
  return Math.round(Math.max(wait, Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS)));
}

/** Writes what became of the attempt, unless somebody else has taken the delivery over since. */
async function settle(ctx: ServiceContext, delivery: DeliveryRow, set: Partial<DeliveryRow>): Promise<void> {
  await ctx.db.ops
    .updateTable("alert_deliveries")
    .set({ leased_until: null, ...(set.status === "pending" ? {} : { next_attempt_at: null }), ...set })
    .where("id", "=", delivery.id)
    .where("attempts", "=", delivery.attempts)
    .where("leased_until", "=", delivery.leased_until)
    .execute();
}

/** Counts a failure; true where the webhook is out of work by it. */
async function noteFailure(ctx: ServiceContext, webhookId: string, sent: Sent): Promise<boolean> {
  const now = ctx.now();
  const row = await ctx.db.ops
    .updateTable("alert_webhooks")
    .set((eb) => ({ failing_since: eb.fn.coalesce("failing_since", eb.val(now.toISOString())) }))
    .where("id", "=", webhookId)
    .returning("failing_since")
    .executeTakeFirst();
  if (sent.isGone) return disableWebhook(ctx, webhookId, "its receiver wants no more messages (410 Gone)");
  const since = row?.failing_since ?? null;
  if (since === null || now.getTime() - Date.parse(since) < DISABLE_AFTER_MS) return false;
  return disableWebhook(ctx, webhookId, `every attempt has failed since ${since}: ${sent.error ?? "no answer"}`);
}
