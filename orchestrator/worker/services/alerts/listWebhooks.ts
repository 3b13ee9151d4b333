import { type AlertWebhook, fail, type Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { KeysetSchema, pageOf, type Place, readList } from "../keyset.ts";
import { type WebhookRow, webhookOfRow } from "./webhookRow.ts";

/** The webhooks, the newest first. Needs `alerts:read`. Errors: VALIDATION_FAILED. */
export async function listWebhooks(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ webhooks: AlertWebhook[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "alerts:read");
  if (denied) return denied;
  const list = readList(KeysetSchema, input);
  if (!list.ok) return list;
  const rows = await webhooksQuery(ctx.db, list.after, list.query.limit + 1).execute();
  const { items, cursor } = pageOf(rows, list.query.limit, webhookOfRow);
  return { ok: true, webhooks: items, cursor };
}

export function webhooksQuery(db: ServiceContext["db"], after: Place | null, limit: number) {
  let rows = db.ops
    .selectFrom("alert_webhooks")
    .selectAll()
    .where("deleted_at", "is", null)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc");
  if (after) rows = rows.where((eb) => eb(eb.refTuple("created_at", "id"), "<", eb.tuple(after.createdAt, after.id)));
  return rows.limit(limit);
}

/** One webhook. Needs `alerts:read`. Errors: NOT_FOUND. */
export async function getWebhook(
  ctx: ServiceContext,
  input: { id: string },
): Promise<Result<{ webhook: AlertWebhook }>> {
  const denied = requireScope(ctx, "alerts:read");
  if (denied) return denied;
  const row = await findWebhook(ctx, input.id);
  return row ? { ok: true, webhook: webhookOfRow(row) } : NO_WEBHOOK;
}

export const NO_WEBHOOK = fail("NOT_FOUND", "there is no such webhook");

export const findWebhook = (ctx: ServiceContext, id: string): Promise<WebhookRow | undefined> =>
  ctx.db.ops
    .selectFrom("alert_webhooks")
    .selectAll()
    .where("id", "=", id)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
