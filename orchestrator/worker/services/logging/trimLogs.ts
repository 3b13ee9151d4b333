import type { Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";

/** How long lines are kept: what only helps to look into something now, and the rest. */
export const KEEP_DAYS = { debug: 7, other: 90 } as const;
/** Runs of the schedule stand for as long as lines do; counts of lines a minute for a day. */
const RATE_DAYS = 1;
const DAY_MS = 86_400_000;
/** Rows of one statement: a deletion of a year at once would hold the database up. */
const ROWS = 2_000;
/** Statements of one run; what is left is the next night's. */
const ROUNDS = 100;

/**
 * Deletes lines, runs and counts that are older than they are kept. Interrupted anywhere, the next run goes on. Needs
 * `admin`. Throws where the database does not answer.
 */
export async function trimLogs(ctx: ServiceContext): Promise<Result<{ lines: number; runs: number }>> {
  const denied = requireScope(ctx, "admin");
  if (denied) return denied;
  const before = (days: number): string => new Date(ctx.now().getTime() - days * DAY_MS).toISOString();
  const database = ctx.env.DB_LOGS;
  const lines =
    (await trim(database.prepare(DEBUG_LINES).bind(before(KEEP_DAYS.debug), ROWS))) +
    (await trim(database.prepare(LINES).bind(before(KEEP_DAYS.other), ROWS)));
  const runs = await trim(database.prepare(RUNS).bind(before(KEEP_DAYS.other), ROWS));
  await trim(database.prepare(RATES).bind(before(RATE_DAYS).slice(0, 16), ROWS));
  return { ok: true, lines, runs };
}

async function trim(statement: D1PreparedStatement): Promise<number> {
  let deleted = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const { results } = await statement.all();
    deleted += results.length;
    if (results.length < ROWS) break;
  }
  return deleted;
}

const DEBUG_LINES = `
  DELETE FROM operation_logs WHERE id IN (
    SELECT id FROM operation_logs WHERE level = 'debug' AND ts < ?1 ORDER BY ts DESC, id DESC LIMIT ?2) RETURNING id`;
const LINES = `
  DELETE FROM operation_logs WHERE id IN (SELECT id FROM operation_logs WHERE ts < ?1 ORDER BY ts DESC, id DESC LIMIT ?2)
  RETURNING id`;
// The last run of each line stays, whatever its age: what becomes of the next one is told from it.
const RUNS = `
  DELETE FROM scheduled_runs WHERE (schedule, due_at) IN (
    SELECT old.schedule, old.due_at FROM scheduled_runs AS old WHERE old.due_at < ?1
      AND EXISTS (SELECT 1 FROM scheduled_runs AS next WHERE next.schedule = old.schedule AND next.due_at > old.due_at)
    LIMIT ?2) RETURNING due_at`;
const RATES = `
  DELETE FROM log_rates WHERE (source, minute) IN (SELECT source, minute FROM log_rates WHERE minute < ?1 LIMIT ?2)
  RETURNING minute`;
