import { type Alert, fail, type Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { alertOfRow } from "./alertRow.ts";

/**
 * Closes the open alert of a cause that is over, or the one of this id; the same cause then raises a new one. Needs
 * `alerts:write`. Errors: NOT_FOUND. Where there is no open alert of a cause, that is no error: `alert` is null.
 */
export async function resolveAlert(
  ctx: ServiceContext,
  input: { dedupeKey: string } | { id: string },
): Promise<Result<{ alert: Alert | null }>> {
  const denied = requireScope(ctx, "alerts:write");
  if (denied) return denied;
  const [column, value] = "id" in input ? (["id", input.id] as const) : (["dedupe_key", input.dedupeKey] as const);
  const row = await ctx.db.ops
    .updateTable("alerts")
    .set({ status: "resolved", resolved_at: ctx.now().toISOString(), resolved_by: ctx.actor.id })
    .where(column, "=", value)
    .where("status", "=", "open")
    .returningAll()
    .executeTakeFirst();
  if (row) return { ok: true, alert: alertOfRow(row) };
  if (!("id" in input)) return { ok: true, alert: null };
  const known = await ctx.db.ops.selectFrom("alerts").selectAll().where("id", "=", input.id).executeTakeFirst();
  return known ? { ok: true, alert: alertOfRow(known) } : fail("NOT_FOUND", "there is no such alert");
}
