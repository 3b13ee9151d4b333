import { type OpsScan, type Result, validationError } from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { scanOfRow } from "./opsRows.ts";

export const ListScansSchema = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, "not one of this list's cursors")
    .optional(),
});

/** Scans, the newest first. Needs `ops:read`. Errors: VALIDATION_FAILED. */
export async function listScans(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ scans: OpsScan[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "ops:read");
  if (denied) return denied;
  const parsed = ListScansSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { limit } = parsed.data;
  const rows = await scansQuery(ctx.db, parsed.data).execute();
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { ok: true, scans: shown.map(scanOfRow), cursor: rows.length > limit && last ? String(last.id) : null };
}

/** One row more than a page holds. */
export const scansQuery = (db: ServiceContext["db"], { limit, cursor }: z.infer<typeof ListScansSchema>) =>
  db.ops
    .selectFrom("ops_scans")
    .selectAll()
    .where("id", "<", cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor))
    .orderBy("id", "desc")
    .limit(limit + 1);

/** The last scan; null: none has run. Needs `ops:read`. Starts nothing. */
export async function getLastScan(ctx: ServiceContext): Promise<Result<{ scan: OpsScan | null }>> {
  const listed = await listScans(ctx, { limit: 1 });
  return listed.ok ? { ok: true, scan: listed.scans[0] ?? null } : listed;
}
