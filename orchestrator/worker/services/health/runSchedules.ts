import type { ServiceContext } from "../../context.ts";
import { scheduleOfRow } from "./rows.ts";
import { startHealthCheck } from "./startHealthCheck.ts";
import { endAlert, scheduleCause, tellAlert } from "./tellAlert.ts";

/** The minute's trigger may come late by so much before a time that no run came for counts as missed. */
const GRACE_MS = 2 * 60_000;
const MAX_DUE = 50;

/** The next time after `now` in steps of the schedule from `due`, and how many times have gone by without a run. */
export function nextRun(due: number, everyMs: number, now: number): { next: number; missed: number } {
  const steps = Math.floor((now - due) / everyMs) + 1;
  const late = now - due > GRACE_MS;
  return { next: due + steps * everyMs, missed: late ? steps - 1 : 0 };
}

/**
 * Begins the checks of the schedules that are due, each once however many look at the same time. Times that have gone by
 * meanwhile are not made up for; they are counted and said.
 */
export async function runSchedules(ctx: ServiceContext): Promise<{ begun: number; missed: number }> {
  const now = ctx.now();
  const due = await dueSchedules(ctx.db, now.toISOString(), MAX_DUE).execute();
  let begun = 0;
  let missedRuns = 0;
  for (const row of due) {
    const schedule = scheduleOfRow(row);
    const { next, missed } = nextRun(Date.parse(row.next_run_at), row.every_minutes * 60_000, now.getTime());
    // A schedule that has never run has missed nothing: its first time is when it was made.
    const isMissed = row.last_run_at !== null && missed > 0;
    const claimed = await ctx.db.health
      .updateTable("health_check_schedules")
      .set((eb) => ({
        next_run_at: new Date(next).toISOString(),
        last_run_at: now.toISOString(),
        missed_runs: eb("missed_runs", "+", isMissed ? missed : 0),
      }))
      .where("id", "=", row.id)
      .where("next_run_at", "=", row.next_run_at)
      .where("enabled", "=", 1)
      .executeTakeFirst();
    if (claimed.numUpdatedRows === 0n) continue;
    if (isMissed) {
      missedRuns += missed;
      await say(ctx, {
        key: `health:schedule:${row.id}:${row.next_run_at}:missed`,
        kind: "missed-run",
        subject: row.id,
        message: `the schedule ${row.name} missed ${missed} of its runs: none came since ${row.next_run_at}`,
      });
    } else await sayOver(ctx, scheduleCause(row.id, "missed"));
    if (await hasEnded(ctx, row.last_check_uuid)) await sayOver(ctx, scheduleCause(row.id, "stuck"));
    const started = await startHealthCheck(
      ctx,
      {
        ...(schedule.workers === null ? {} : { workers: schedule.workers }),
        ...(schedule.profiles === null ? {} : { profiles: schedule.profiles }),
        timeout_ms: schedule.timeout_ms,
        max_retries: schedule.max_retries,
      },
      { type: "schedule", scheduleId: row.id },
    );
    if (!started.ok) {
      ctx.log.error("a schedule's check could not be begun", { schedule: row.id, code: started.error.code });
      continue;
    }
    begun += 1;
    await ctx.db.health
      .updateTable("health_check_schedules")
      .set({ last_check_uuid: started.check.uuid })
      .where("id", "=", row.id)
      .execute();
  }
  return { begun, missed: missedRuns };
}

export const dueSchedules = (db: ServiceContext["db"], now: string, limit: number) =>
  db.health
    .selectFrom("health_check_schedules")
    .selectAll()
    .where("enabled", "=", 1)
    .where("next_run_at", "<=", now)
    .orderBy("next_run_at")
    .limit(limit);

/** Whether the run before came to its end by itself. */
async function hasEnded(ctx: ServiceContext, uuid: string | null): Promise<boolean> {
  if (uuid === null) return false;
  const check = await ctx.db.health
    .selectFrom("health_checks")
    .select("status")
    .where("uuid", "=", uuid)
    .executeTakeFirst();
  return check?.status === "passed" || check?.status === "failed";
}

/** What is over is closed again by the next run where it could not be now. */
export async function sayOver(ctx: ServiceContext, cause: string): Promise<void> {
  try {
    await endAlert(ctx, cause);
  } catch (error) {
    ctx.log.error("an alert could not be closed", { cause, error });
  }
}

/** News of the watch itself; the count beside the schedule stays where it cannot be handed over. */
export async function say(
  ctx: ServiceContext,
  alert: { key: string; kind: "missed-run" | "stuck-run"; subject: string; message: string },
): Promise<void> {
  try {
    await tellAlert(ctx, { ...alert, severity: "warning", code: null, at: ctx.now().toISOString() });
  } catch (error) {
    ctx.log.error("an alert could not be handed over", { key: alert.key, error });
  }
}
