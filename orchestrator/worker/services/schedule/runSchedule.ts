import type { ServiceContext } from "../../context.ts";
import { raiseAlert } from "../alerts/raiseAlert.ts";
import { resolveAlert } from "../alerts/resolveAlert.ts";
import { writeOperation } from "../logging/logOperation.ts";
import { alertKeyOf, deadlineOf, type Schedule, ToldFailure } from "./schedule.ts";

type Start = { state: "running"; before: string | null } | { state: "skipped" } | { state: "known" };

/**
 * Runs one line of the table of schedules and keeps a row of it: the same minute's run again is not run, nor is one whose
 * predecessor is still under way. A run goes ahead without its row where the database of the log does not answer. Throws
 * what the verb threw, and where the verb refused; people are told of it, but where they have been (`ToldFailure`).
 */
export async function runSchedule(ctx: ServiceContext, schedule: Schedule, dueAt: string): Promise<void> {
  const { name } = schedule;
  const startedAt = ctx.now();
  const start = await tryStart(ctx, schedule, dueAt, startedAt);
  if (start.state === "known") return ctx.log.info("a scheduled run is known already", { schedule: name, dueAt });
  if (start.state === "skipped") {
    const message = `the run of ${dueAt} was left out: the one before is still under way`;
    return writeOperation(ctx, "schedule", {
      operation: "schedule.run",
      level: "warn",
      message: `${name}: ${message}`,
      outcome: "skipped",
      meta: { schedule: name, dueAt },
    });
  }

  let failure: unknown = null;
  let result: unknown;
  try {
    result = await schedule.run(ctx);
    if (isRefusal(result)) failure = new Error(`${result.error.code}: ${result.error.message}`);
  } catch (error) {
    failure = error;
  }
  const outcome = failure === null ? "ok" : "failed";
  const said = failure === null ? JSON.stringify(result ?? null).slice(0, 500) : messageOf(failure).slice(0, 500);
  const durationMs = ctx.now().getTime() - startedAt.getTime();
  if (failure === null) ctx.log.info("a scheduled run ended", { schedule: name, result });
  else ctx.log.error("a scheduled run failed", { schedule: name, error: failure });

  await tryEnd(ctx, { name, dueAt, startedAt, outcome, message: said });
  await writeOperation(ctx, "schedule", {
    operation: "schedule.run",
    level: failure !== null ? "error" : schedule.quiet === true ? "debug" : "info",
    message: failure === null ? `${name}: ended well` : `${name}: failed: ${said}`,
    outcome,
    durationMs,
    meta: { schedule: name, dueAt, ...(failure === null ? { result: said } : {}) },
  });
  if (failure instanceof ToldFailure) throw failure;
  if (failure !== null) {
    await raiseAlert(ctx, {
      kind: "schedule.failed",
      severity: "warning",
      title: `The scheduled run ${name} failed`,
      text: said,
      dedupeKey: alertKeyOf(name),
      worker: "vibehq-orchestrator",
      data: { schedule: name, dueAt },
    });
    throw failure;
  }
  if (start.before !== null && start.before !== "ok") await resolveAlert(ctx, { dedupeKey: alertKeyOf(name) });
}

async function tryStart(
  ctx: ServiceContext,
  { name, maxMs }: Schedule,
  dueAt: string,
  startedAt: Date,
): Promise<Start> {
  const database = ctx.env.DB_LOGS;
  try {
    const [before, started] = await database.batch<{ outcome: string }>([
      database.prepare(LAST).bind(name, dueAt),
      database.prepare(START).bind(name, dueAt, startedAt.toISOString(), deadlineOf(startedAt, maxMs)),
    ]);
    const row = started?.results[0];
    if (row === undefined) return { state: "known" };
    return row.outcome === "running"
      ? { state: "running", before: before?.results[0]?.outcome ?? null }
      : { state: "skipped" };
  } catch (error) {
    ctx.log.error("a scheduled run is not on record: the log's database does not answer", { schedule: name, error });
    return { state: "running", before: null };
  }
}

async function tryEnd(
  ctx: ServiceContext,
  run: { name: string; dueAt: string; startedAt: Date; outcome: string; message: string },
): Promise<void> {
  try {
    await ctx.env.DB_LOGS.prepare(END)
      .bind(run.name, run.dueAt, run.startedAt.toISOString(), ctx.now().toISOString(), run.outcome, run.message)
      .run();
  } catch (error) {
    // Left as running, it will be noticed as stuck: its outcome stands in the Worker's own log.
    ctx.log.error("a scheduled run's end is not on record", { schedule: run.name, outcome: run.outcome, error });
  }
}

function isRefusal(result: unknown): result is { ok: false; error: { code: string; message: string } } {
  return typeof result === "object" && result !== null && "ok" in result && result.ok === false && "error" in result;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const LAST = `SELECT outcome FROM scheduled_runs WHERE schedule = ?1 AND due_at < ?2 ORDER BY due_at DESC LIMIT 1`;
// A run that counts as missed and comes late after all is run.
const START = `
  INSERT INTO scheduled_runs (schedule, due_at, started_at, deadline, outcome)
  SELECT ?1, ?2, ?3, ?4, CASE WHEN EXISTS (
    SELECT 1 FROM scheduled_runs WHERE schedule = ?1 AND outcome = 'running' AND due_at <> ?2 AND deadline >= ?3
  ) THEN 'skipped' ELSE 'running' END WHERE true
  ON CONFLICT (schedule, due_at) DO UPDATE SET
    outcome = excluded.outcome, started_at = excluded.started_at, deadline = excluded.deadline, message = NULL
    WHERE scheduled_runs.outcome = 'missed'
  RETURNING outcome`;
// One that was given up as stuck and ends after all says how it ended.
const END = `
  UPDATE scheduled_runs SET ended_at = ?4, outcome = ?5, message = ?6
  WHERE schedule = ?1 AND due_at = ?2 AND started_at = ?3 AND outcome IN ('running', 'stuck')`;
