import type { Failed, ScanTotals } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { rowsOf } from "../../database/batch.ts";
import { fetchRunLogs } from "../../integrations/logs.ts";
import { lineOf, storeLines } from "./logLines.ts";

/** Attempts that one scan reads; the next goes on. */
const MAX_READ = 50;
/** Logs of an attempt are there so long after its end. */
const SETTLE_MS = 2 * 60_000;
/** How long an attempt is asked for that GitHub does not give. */
const KEPT_MS = 7 * 24 * 3_600_000;
const SOURCE = { name: "github-actions", kind: "build-log" } as const;
/** There is nothing of it, and there will not be. */
const GONE: ReadonlySet<string> = new Set(["NOT_FOUND", "FORBIDDEN", "VALIDATION_FAILED"]);

export interface Attempt {
  repository: string;
  runId: number;
  attempt: number;
}

/** Asks for what a run's attempt logged, once. */
export const requestRerun = (database: D1Database, { repository, runId, attempt }: Attempt, now: Date) =>
  database.prepare(REQUEST).bind(repository, runId, attempt, now.toISOString());

/**
 * Reads attempts that failed after their run's first: the window of such a run has been read by then. A request goes once
 * its lines are stored; lines are known by their attempt, so one that is read twice is stored once. One that GitHub does
 * not give at the moment waits, behind the others. Null: all that is due was read, or there was no more time. Throws where
 * a database does not answer.
 */
export async function readReruns(
  ctx: ServiceContext,
  { deadline, alive, totals }: { deadline: number; alive: () => Promise<void>; totals: ScanTotals },
): Promise<Failed | null> {
  const { DB_LOGS } = ctx.env;
  const now = ctx.now();
  const over = await ctx.db.ops
    .deleteFrom("ops_rerun_requests")
    .where("asked_at", "<", new Date(now.getTime() - KEPT_MS).toISOString())
    .returning(["repository", "run_id", "attempt"])
    .execute();
  for (const request of over) ctx.log.error("a run's attempt could not be read for a week", request);
  const due = await dueRerunsQuery(ctx.db, new Date(now.getTime() - SETTLE_MS).toISOString(), MAX_READ).execute();
  let failure: Failed | null = null;
  for (const { repository, run_id: runId, attempt } of due) {
    if (ctx.now().getTime() >= deadline) break;
    await alive();
    const got = await fetchRunLogs(ctx.env, { repository, runId, attempt });
    if (!got.ok && !GONE.has(got.error.code)) {
      await ctx.env.DB_OPS.prepare(TRIED).bind(repository, runId, attempt, ctx.now().toISOString()).run();
      failure = got;
      // GitHub's limits hold for the next one too.
      if (got.error.code === "RATE_LIMITED") break;
      continue;
    }
    const skipped = got.ok ? got.page.skipped : [{ run_id: String(runId), why: got.error.message }];
    for (const { run_id, why } of skipped) ctx.log.warn("a run's logs could not be had", { run_id, why, attempt });
    totals.skipped += skipped.length;
    const lines = got.ok ? got.page.logs.map((line) => lineOf(ctx, "build-log", line)) : [];
    const statements = storeLines(DB_LOGS, SOURCE, lines);
    if (statements.length > 0) {
      const stored = (await DB_LOGS.batch(statements)).reduce((sum, result) => sum + rowsOf(result).length, 0);
      totals.logs_ingested += stored;
      totals.build_logs += stored;
    }
    await ctx.env.DB_OPS.prepare(READ).bind(repository, runId, attempt).run();
  }
  return failure;
}

/** Those that were tried last come last. */
export const dueRerunsQuery = (db: ServiceContext["db"], settled: string, limit: number) =>
  db.ops
    .selectFrom("ops_rerun_requests")
    .select(["repository", "run_id", "attempt"])
    .where("due_at", "<=", settled)
    .orderBy("due_at")
    .limit(limit);

const REQUEST = `
  INSERT INTO ops_rerun_requests (repository, run_id, attempt, asked_at, due_at) VALUES (?1, ?2, ?3, ?4, ?4)
  ON CONFLICT DO NOTHING`;
const TRIED = "UPDATE ops_rerun_requests SET due_at = ?4 WHERE repository = ?1 AND run_id = ?2 AND attempt = ?3";
const READ = "DELETE FROM ops_rerun_requests WHERE repository = ?1 AND run_id = ?2 AND attempt = ?3";
