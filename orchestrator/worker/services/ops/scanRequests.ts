import type { OpsScope } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { startScan } from "./startScan.ts";

/** Logs of a run that has ended are there, and read, this long after. */
const SETTLED_MS = 150_000;
/** Events that go on and on put a scan off for this long at most. */
const LONGEST_MS = 15 * 60_000;
/** When a scan is asked for again that met another. */
const LATER_MS = 3 * 60_000;

/** In seconds: how long the message that reminds of a request is held back. */
export const SCAN_DELAY_SECONDS = SETTLED_MS / 1_000;

/** Asks for a scan of what has just ended, once: more of it puts the same request off, so that one scan reads it all. */
export const requestScan = (database: D1Database, scope: OpsScope, now: Date): D1PreparedStatement =>
  database
    .prepare(REQUEST)
    .bind(
      scope,
      now.toISOString(),
      new Date(now.getTime() + SETTLED_MS).toISOString(),
      new Date(now.getTime() - LONGEST_MS).toISOString(),
    );

/**
 * Runs the scan that was asked for, if it is due: of several messages about it one does, and one scan runs at a time in
 * any case. `later`: another runs, and the request stands. Throws where the scan was refused otherwise.
 */
export async function runRequestedScan(ctx: ServiceContext, scope: OpsScope): Promise<"none" | "done" | "later"> {
  const now = ctx.now();
  const taken = await ctx.db.ops
    .deleteFrom("ops_scan_requests")
    .where("scope", "=", scope)
    .where("due_at", "<=", now.toISOString())
    .returning("asked_at")
    .executeTakeFirst();
  if (!taken) return "none";
  const scanned = await startScan(ctx, { scope });
  if (scanned.ok) return "done";
  await ctx.env.DB_OPS.prepare(AGAIN)
    .bind(scope, taken.asked_at, new Date(now.getTime() + LATER_MS).toISOString())
    .run();
  if (scanned.error.code === "CONFLICT") return "later";
  throw new Error(`the scan was refused: ${scanned.error.code}`);
}

const REQUEST = `
  INSERT INTO ops_scan_requests (scope, asked_at, due_at) VALUES (?1, ?2, ?3)
  ON CONFLICT (scope) DO UPDATE SET due_at = CASE WHEN asked_at < ?4 THEN due_at ELSE excluded.due_at END`;
const AGAIN = `
  INSERT INTO ops_scan_requests (scope, asked_at, due_at) VALUES (?1, ?2, ?3) ON CONFLICT (scope) DO NOTHING`;
