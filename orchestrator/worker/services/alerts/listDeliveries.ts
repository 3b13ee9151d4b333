import { type AlertDelivery, AlertDeliverySchema, DELIVERY_STATES, type Result } from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { KeysetSchema, pageOf, type Place, readList } from "../keyset.ts";

export const ListDeliveriesSchema = KeysetSchema.extend({ status: z.enum(DELIVERY_STATES).optional() });

/** What a webhook was sent and is to be sent, the newest first. Needs `alerts:read`. Errors: VALIDATION_FAILED. */
export async function listDeliveries(
  ctx: ServiceContext,
  { id }: { id: string },
  input: unknown,
): Promise<Result<{ deliveries: AlertDelivery[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "alerts:read");
  if (denied) return denied;
  const list = readList(ListDeliveriesSchema, input);
  if (!list.ok) return list;
  const { query, after } = list;
  const rows = await deliveriesQuery(ctx.db, {
    webhookId: id,
    status: query.status,
    after,
    limit: query.limit + 1,
  }).execute();
  const { items, cursor } = pageOf(rows, query.limit, (row) => AlertDeliverySchema.parse(row));
  return { ok: true, deliveries: items, cursor };
}

export function deliveriesQuery(
  db: ServiceContext["db"],
  query: { webhookId: string; status: AlertDelivery["status"] | undefined; after: Place | null; limit: number },
) {
  const { webhookId, status, after, limit } = query;
  let rows = db.ops
    .selectFrom("alert_deliveries")
    .selectAll()
    .where("webhook_id", "=", webhookId)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc");
  if (status !== undefined) rows = rows.where("status", "=", status);
  if (after) rows = rows.where((eb) => eb(eb.refTuple("created_at", "id"), "<", eb.tuple(after.createdAt, after.id)));
  return rows.limit(limit);
}
