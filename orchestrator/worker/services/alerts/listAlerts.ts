import { type Alert, AlertKindSchema, AlertSeveritySchema, type Result } from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { KeysetSchema, pageOf, type Place, readList } from "../keyset.ts";
import { alertOfRow } from "./alertRow.ts";

export const ListAlertsSchema = KeysetSchema.extend({
  status: z.enum(["open", "resolved"]).optional(),
  kind: AlertKindSchema.optional(),
  severity: AlertSeveritySchema.optional(),
});
type ListAlerts = z.infer<typeof ListAlertsSchema>;

/** Alerts, the newest first. Needs `alerts:read`. Errors: VALIDATION_FAILED. */
export async function listAlerts(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ alerts: Alert[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "alerts:read");
  if (denied) return denied;
  const list = readList(ListAlertsSchema, input);
  if (!list.ok) return list;
  const { query, after } = list;
  const rows = await alertsQuery(ctx.db, query, after).execute();
  const { items, cursor } = pageOf(
    rows.map((row) => ({ ...row, created_at: row.first_at })),
    query.limit,
    alertOfRow,
  );
  return { ok: true, alerts: items, cursor };
}

export function alertsQuery(db: ServiceContext["db"], query: ListAlerts, after: Place | null) {
  let rows = db.ops.selectFrom("alerts").selectAll().orderBy("first_at", "desc").orderBy("id", "desc");
  for (const column of ["status", "kind", "severity"] as const) {
    const value = query[column];
    if (value !== undefined) rows = rows.where(column, "=", value);
  }
  if (after) rows = rows.where((eb) => eb(eb.refTuple("first_at", "id"), "<", eb.tuple(after.createdAt, after.id)));
  return rows.limit(query.limit + 1);
}
