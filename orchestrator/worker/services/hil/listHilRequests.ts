import { type HilRequest, HilRequestSchema, OrderIdSchema, type Result } from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { requireListAccess } from "../ai-providers/access.ts";
import { KeysetSchema, pageOf, type Place, readList } from "../keyset.ts";
import { hilOfRow } from "./hilRow.ts";

export const ListHilSchema = KeysetSchema.extend({
  status: HilRequestSchema.shape.status.optional(),
  order_id: OrderIdSchema.optional(),
  execution_id: z.string().max(100).optional(),
});
type ListHil = z.infer<typeof ListHilSchema>;

/**
 * What was asked of people, the newest first. Needs `hil:read`. A factory lists by order; a token confined to a workspace
 * is shown that workspace's. Errors: VALIDATION_FAILED, FORBIDDEN.
 */
export async function listHilRequests(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ requests: HilRequest[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "hil:read");
  if (denied) return denied;
  const list = readList(ListHilSchema, input);
  if (!list.ok) return list;
  const { query, after } = list;
  const refused = await requireListAccess(ctx, query.order_id);
  if (refused) return refused;
  const rows = await hilQuery(ctx, query, after).execute();
  const { items, cursor } = pageOf(rows, query.limit, hilOfRow);
  return { ok: true, requests: items, cursor };
}

export function hilQuery(ctx: Pick<ServiceContext, "db" | "actor">, filter: ListHil, after: Place | null) {
  let query = ctx.db.ops.selectFrom("hil_requests").selectAll();
  const { workspaceId } = ctx.actor;
  if (workspaceId !== null) query = query.where("workspace_id", "=", workspaceId);
  if (filter.status !== undefined) query = query.where("status", "=", filter.status);
  if (filter.order_id !== undefined) query = query.where("order_id", "=", filter.order_id);
  if (filter.execution_id !== undefined) query = query.where("execution_id", "=", filter.execution_id);
  if (after) query = query.where((eb) => eb(eb.refTuple("created_at", "id"), "<", eb.tuple(after.createdAt, after.id)));
  return query
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(filter.limit + 1);
}
