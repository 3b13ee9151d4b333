import type { ServiceContext } from "../../context.ts";
import { say, sayOver } from "./runSchedules.ts";
import { settle } from "./settle.ts";
import { scheduleCause } from "./tellAlert.ts";

const MAX_ENDED = 100;
const ASKED_FOR = "checks";

/**
 * Ends the checks of Workers whose time is over, and says which runs were stuck: nobody else would notice that what
 * carried them out is gone.
 */
export async function endOverdueChecks(ctx: ServiceContext): Promise<{ ended: number; stuck: number }> {
  const now = ctx.now().toISOString();
  const overdue = await overdueChecks(ctx.db, now, MAX_ENDED).execute();
  let ended = 0;
  const stuck = new Set<string>();
  for (const row of overdue) {
    const isEnded = await settle(ctx, {
      uuid: row.uuid,
      checkUuid: row.check_uuid,
      worker: row.worker_name,
      status: "timed_out",
      code: "WORKER_SILENT",
      message: "no result came before the check's time was over",
      durationMs: null,
      by: "deadline",
    });
    if (!isEnded) continue;
    ended += 1;
    stuck.add(row.check_uuid);
  }
  for (const uuid of stuck) {
    const check = await ctx.db.health
      .selectFrom("health_checks")
      .select(["schedule_id"])
      .where("uuid", "=", uuid)
      .executeTakeFirst();
    if (check?.schedule_id) {
      await ctx.db.health
        .updateTable("health_check_schedules")
        .set((eb) => ({ stuck_runs: eb("stuck_runs", "+", 1) }))
        .where("id", "=", check.schedule_id)
        .execute();
    }
    await say(ctx, {
      key: `health:check:${uuid}:stuck`,
      kind: "stuck-run",
      // Checks that somebody asked for are one cause.
      subject: check?.schedule_id ?? ASKED_FOR,
      message: `the health check ${uuid} did not end in its time`,
    });
    // A schedule's is over with its next run that ends. Of one that was asked for nothing comes after.
    if (!check?.schedule_id) await sayOver(ctx, scheduleCause(ASKED_FOR, "stuck"));
  }
  return { ended, stuck: stuck.size };
}

export const overdueChecks = (db: ServiceContext["db"], now: string, limit: number) =>
  db.health
    .selectFrom("worker_health_checks")
    .select(["uuid", "check_uuid", "worker_name"])
    .where("status", "=", "pending")
    .where("deadline_at", "<", now)
    .orderBy("deadline_at")
    .limit(limit);
