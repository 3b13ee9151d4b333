import { type DeliveryReportRow, DeliveryReportRowSchema, type Result } from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { KeysetSchema, pageOf, type Place, readList } from "../keyset.ts";
import { REPORT_COLUMNS } from "./storeReport.ts";

export const LatestReportsSchema = KeysetSchema.extend({
  // A report may be a megabyte.
  limit: z.coerce.number().int().min(1).max(50).default(10),
});

/** The current reports of the orders the caller may see, the newest first. Needs `delivery:read`. */
export async function getLatestReports(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ reports: DeliveryReportRow[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "delivery:read");
  if (denied) return denied;
  const list = readList(LatestReportsSchema, input);
  if (!list.ok) return list;
  const { query, after } = list;
  const rows = await latestReportsQuery(ctx, query.limit, after).execute();
  const { items, cursor } = pageOf(
    rows.map((row) => ({
      row: DeliveryReportRowSchema.parse(row),
      created_at: row.created_at ?? "",
      id: row.order_id,
    })),
    query.limit,
    ({ row }) => row,
  );
  return { ok: true, reports: items, cursor };
}

export function latestReportsQuery(ctx: Pick<ServiceContext, "db" | "actor">, limit: number, after: Place | null) {
  const { actor } = ctx;
  let query = ctx.db.ops.selectFrom("delivery_reports").select(REPORT_COLUMNS);
  if (actor.workspaceId !== null) query = query.where("workspace_id", "=", actor.workspaceId);
  if (actor.kind === "factory") query = query.where("factory", "=", actor.id.slice("factory:".length));
  if (after) {
    query = query.where((eb) => eb(eb.refTuple("created_at", "order_id"), "<", eb.tuple(after.createdAt, after.id)));
  }
  return query
    .orderBy("created_at", "desc")
    .orderBy("order_id", "desc")
    .limit(limit + 1);
}
