import { type Result, ScheduledRunSchema, type ScheduleState } from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { SCHEDULE } from "../../schedule.ts";
import { nextDue } from "./schedule.ts";

/**
 * The table of schedules with what became of each line's last run. Needs `logs:read`. Throws where the database does not
 * answer.
 */
export async function listSchedules(ctx: ServiceContext): Promise<Result<{ schedules: ScheduleState[] }>> {
  const denied = requireScope(ctx, "logs:read");
  if (denied) return denied;
  const lines = Object.entries(SCHEDULE).flatMap(([cron, schedules]) => schedules.map(({ name }) => ({ name, cron })));
  const database = ctx.env.DB_LOGS;
  const [runs, watched] = await database.batch([
    database.prepare(LAST_RUNS).bind(JSON.stringify(lines.map(({ name }) => name))),
    database.prepare("SELECT name, since FROM schedules"),
  ]);
  const last = z.array(ScheduledRunSchema).parse(runs?.results);
  const since = z.array(z.object({ name: z.string(), since: z.string() })).parse(watched?.results);
  return {
    ok: true,
    schedules: lines.map(({ name, cron }) => ({
      name,
      cron,
      since: since.find((row) => row.name === name)?.since ?? null,
      next_at: nextDue(cron, ctx.now())?.toISOString() ?? null,
      last: last.find((row) => row.schedule === name) ?? null,
    })),
  };
}

const LAST_RUNS = `
  SELECT schedule, due_at, started_at, ended_at, outcome, message FROM json_each(?1) AS line
  JOIN scheduled_runs ON (schedule, due_at) = (
    SELECT schedule, due_at FROM scheduled_runs WHERE schedule = line.value ORDER BY due_at DESC LIMIT 1)`;
