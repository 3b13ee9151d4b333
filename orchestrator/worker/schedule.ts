import { createContext, loggerOf, systemActor } from "./context.ts";
import { sweepAlerts } from "./services/alerts/sweepAlerts.ts";
import { trimAlerts } from "./services/alerts/trimAlerts.ts";
import { watchProviders } from "./services/ai-providers/watchProviders.ts";
import { sweepExecutions } from "./services/ai-providers/sweepExecutions.ts";
import { commentReports } from "./services/delivery/commentReports.ts";
import { generateReports } from "./services/delivery/generateReports.ts";
import { sweepHealth } from "./services/health/sweepHealth.ts";
import { watchHealth } from "./services/health/watchHealth.ts";
import { expireClaims } from "./services/ops/expireClaims.ts";
import { scheduledScan } from "./services/ops/scheduledScan.ts";
import { trimOps } from "./services/ops/trimOps.ts";
import { sweepDeliveries } from "./services/webhooks/sweepDeliveries.ts";
import { expireHilRequests } from "./services/hil/expireHilRequests.ts";
import { trimLogs } from "./services/logging/trimLogs.ts";
import { noticeMissed } from "./services/schedule/noticeMissed.ts";
import { runSchedule } from "./services/schedule/runSchedule.ts";
import { minuteOf, type Schedule } from "./services/schedule/schedule.ts";

/**
 * What runs when: a cron expression (UTC) and its lines. The same expressions stand in wrangler.jsonc. Each run leaves a
 * row in `scheduled_runs` and a line in `operation_logs`; whichever trigger comes next notices a missed or stuck one.
 */
export const SCHEDULE: Record<string, readonly Schedule[]> = {
  // Health: what is overdue, who beats, which of its schedules are due.
  "* * * * *": [{ name: "health-watch", run: watchHealth, quiet: true }],
  // Questions whose time is over, runs that were not woken by their answer, executions that nobody works on any more.
  "*/5 * * * *": [
    { name: "people-requests", run: (ctx) => expireHilRequests(ctx), maxMs: 5 * 60_000, quiet: true },
    { name: "executions", run: (ctx) => sweepExecutions(ctx), maxMs: 5 * 60_000, quiet: true },
  ],
  // What the queue of alerts lost, and what waits longer than a queue can.
  "*/10 * * * *": [{ name: "alerts", run: sweepAlerts, maxMs: 5 * 60_000, quiet: true }],
  // What broke overnight: read, grouped, filed; what has been silent for nights is closed.
  "0 9 * * *": [{ name: "ops-scan-nightly", run: (ctx) => scheduledScan(ctx) }],
  // The last hour's window, so that the night's is short; claims whose time is over.
  "20 * * * *": [
    { name: "ops-scan-hourly", run: (ctx) => scheduledScan(ctx) },
    { name: "ops-claims", run: (ctx) => expireClaims(ctx), maxMs: 5 * 60_000, quiet: true },
    { name: "webhook-deliveries", run: (ctx) => sweepDeliveries(ctx), maxMs: 5 * 60_000, quiet: true },
  ],
  // Whether the providers that have a key would work, as far as asking costs nothing. Apart from the scans of the hour.
  "50 * * * *": [{ name: "providers", run: (ctx) => watchProviders(ctx), quiet: true }],
  // Reports that no message asked for, or whose message was lost.
  // Then what did not come to their pull requests.
  "30 2 * * *": [
    { name: "delivery-reports", run: (ctx) => generateReports(ctx) },
    { name: "delivery-comments", run: (ctx) => commentReports(ctx) },
  ],
  "15 3 * * *": [
    { name: "health-retention", run: sweepHealth },
    { name: "log-retention", run: trimLogs },
    { name: "ops-retention", run: trimOps },
    { name: "alert-retention", run: trimAlerts },
  ],
};

/** Runs the lines of a trigger one after the other. Throws where one failed, once all have run: the platform shows it. */
export async function scheduled(
  controller: Pick<ScheduledController, "cron"> & { scheduledTime?: number },
  env: Env,
): Promise<void> {
  const { cron, scheduledTime } = controller;
  const log = loggerOf(env).child({ cron });
  const ctx = createContext(env, { actor: systemActor("schedule"), log });
  // Who names no time asks for a run of its own.
  const dueAt = scheduledTime === undefined ? ctx.now().toISOString() : minuteOf(scheduledTime);
  const failures: unknown[] = [];
  for (const schedule of SCHEDULE[cron] ?? []) {
    try {
      await runSchedule(ctx, schedule, dueAt);
    } catch (error) {
      failures.push(error);
    }
  }
  if (SCHEDULE[cron] === undefined) log.error("nothing is scheduled for this trigger");
  try {
    await noticeMissed(ctx, SCHEDULE);
  } catch (error) {
    log.error("it could not be seen whether runs were missed", { error });
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} scheduled runs failed`);
}
