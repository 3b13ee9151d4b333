import type { ServiceContext } from "../../context.ts";
import { raiseAlert } from "../alerts/raiseAlert.ts";
import { writeOperation } from "../logging/logOperation.ts";
import { alertKeyOf, duesBetween, type Schedule } from "./schedule.ts";

/** A trigger may come this late; until then nothing is said to be missed. */
export const GRACE_MS = 5 * 60_000;
/** Runs that one look at a line accounts for; the next look goes on. */
const AT_ONCE = 500;

interface Watched {
  name: string;
  cron: string;
  accounted_until: string;
}
interface Stuck {
  schedule: string;
  due_at: string;
  started_at: string;
}

/**
 * Looks over the whole table of schedules, whichever trigger came: runs that nobody started are written as missed, those
 * that did not end in their time as stuck, each once, with a line in the log and an alert. A line is watched from when it
 * is first seen, and anew where its times are changed. Throws where a database does not answer.
 */
export async function noticeMissed(
  ctx: ServiceContext,
  table: Record<string, readonly Pick<Schedule, "name">[]>,
): Promise<void> {
  const now = ctx.now();
  const database = ctx.env.DB_LOGS;
  const lines = Object.entries(table).flatMap(([cron, schedules]) => schedules.map(({ name }) => ({ name, cron })));
  const [, stuck, watched] = await database.batch<Watched | Stuck>([
    database.prepare(WATCH).bind(JSON.stringify(lines), now.toISOString()),
    database.prepare(STUCK).bind(now.toISOString()),
    database.prepare("SELECT name, cron, accounted_until FROM schedules"),
  ]);
  for (const row of stuck?.results ?? []) if ("started_at" in row) await sayStuck(ctx, row);

  const until = new Date(now.getTime() - GRACE_MS);
  const known = new Set(lines.map(({ name }) => name));
  for (const row of watched?.results ?? []) {
    if ("accounted_until" in row && known.has(row.name)) await accountFor(ctx, row, until);
  }
}

async function accountFor(
  ctx: ServiceContext,
  { name, cron, accounted_until: from }: Watched,
  until: Date,
): Promise<void> {
  const dues = duesBetween(cron, new Date(from), until, AT_ONCE).map((due) => due.toISOString());
  const last = dues.at(-1);
  if (last === undefined) return;
  const database = ctx.env.DB_LOGS;
  const [missed] = await database.batch<{ due_at: string }>([
    database.prepare(MISSED).bind(name, JSON.stringify(dues)),
    // Only forward: of two looks at once the later one's place stands.
    database
      .prepare("UPDATE schedules SET accounted_until = max(accounted_until, ?2) WHERE name = ?1")
      .bind(name, last),
  ]);
  const rows = (missed?.results ?? []).map((row) => row.due_at).toSorted();
  const [first, end] = [rows[0], rows.at(-1)];
  if (first === undefined || end === undefined) return;
  const which = rows.length === 1 ? `the run of ${first}` : `${rows.length} runs, from ${first} to ${end}`;
  await writeOperation(ctx, "schedule", {
    operation: "schedule.missed",
    level: "warn",
    message: `${name}: nobody started ${which}`,
    outcome: "missed",
    meta: { schedule: name, runs: rows.length, from: first, to: end },
  });
  await raiseAlert(ctx, {
    kind: "schedule.missed",
    severity: "warning",
    title: `The scheduled run ${name} was missed`,
    text: `Nobody started ${which}.`,
    dedupeKey: alertKeyOf(name),
    worker: "vibehq-orchestrator",
    data: { schedule: name, runs: rows.length, from: first, to: end },
  });
}

async function sayStuck(ctx: ServiceContext, { schedule, due_at: dueAt, started_at: startedAt }: Stuck): Promise<void> {
  const message = `the run of ${dueAt}, started at ${startedAt}, did not end in its time`;
  await writeOperation(ctx, "schedule", {
    operation: "schedule.stuck",
    level: "error",
    message: `${schedule}: ${message}`,
    outcome: "stuck",
    meta: { schedule, dueAt, startedAt },
  });
  await raiseAlert(ctx, {
    kind: "schedule.stuck",
    severity: "critical",
    title: `The scheduled run ${schedule} is stuck`,
    text: `${message[0]?.toUpperCase()}${message.slice(1)}.`,
    dedupeKey: alertKeyOf(schedule),
    worker: "vibehq-orchestrator",
    data: { schedule, dueAt, startedAt },
  });
}

const WATCH = `
  INSERT INTO schedules (name, cron, since, accounted_until)
  SELECT value ->> 'name', value ->> 'cron', ?2, ?2 FROM json_each(?1) WHERE true
  ON CONFLICT (name) DO UPDATE SET cron = excluded.cron, since = excluded.since, accounted_until = excluded.accounted_until
    WHERE schedules.cron <> excluded.cron`;
const STUCK = `
  UPDATE scheduled_runs SET outcome = 'stuck', message = 'did not end in its time'
  WHERE outcome = 'running' AND deadline < ?1 RETURNING schedule, due_at, started_at`;
const MISSED = `
  INSERT INTO scheduled_runs (schedule, due_at, outcome, message)
  SELECT ?1, value, 'missed', 'nobody started it' FROM json_each(?2) WHERE true
  ON CONFLICT (schedule, due_at) DO NOTHING RETURNING due_at`;
