import { FactoryNameSchema, type Order, OrderStatusSchema, ProjectIdSchema, type Result } from "@shared/contracts";
import type { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { KeysetSchema, type Place, pageOf, readList } from "../keyset.ts";
import { orderOfRow } from "./orderOfRow.ts";

export const ListOrdersSchema = KeysetSchema.extend({
  status: OrderStatusSchema.optional(),
  project_id: ProjectIdSchema.optional(),
  factory: FactoryNameSchema.optional(),
});
type ListOrders = z.infer<typeof ListOrdersSchema>;

/** The orders the caller may see, newest first. Needs `orders:read`. */
export async function listOrders(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ orders: Order[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "orders:read");
  if (denied) return denied;
  const list = readList(ListOrdersSchema, input);
  if (!list.ok) return list;
  const { query, after } = list;
  const rows = await ordersQuery(ctx, query, after).execute();
  const { items, cursor } = pageOf(rows, query.limit, orderOfRow);
  return { ok: true, orders: items, cursor };
}

export function ordersQuery(ctx: Pick<ServiceContext, "db" | "actor">, filter: ListOrders, after: Place | null) {
  let query = ctx.db.projects.selectFrom("orders").selectAll();
  if (filter.status !== undefined) query = query.where("status", "=", filter.status);
  if (filter.project_id !== undefined) query = query.where("project_id", "=", filter.project_id);
  if (filter.factory !== undefined) query = query.where("factory", "=", filter.factory);
  if (ctx.actor.workspaceId !== null) query = query.where("workspace_id", "=", ctx.actor.workspaceId);
  if (after) query = query.where((eb) => eb(eb.refTuple("created_at", "id"), "<", eb.tuple(after.createdAt, after.id)));
  return query
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(filter.limit + 1);
}
