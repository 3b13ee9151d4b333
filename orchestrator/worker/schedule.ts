import { createContext, loggerOf, type ServiceContext, systemActor } from "./context.ts";
import { sweepExecutions } from "./services/ai-providers/sweepExecutions.ts";
import { generateReports } from "./services/delivery/generateReports.ts";
import { expireClaims } from "./services/ops/expireClaims.ts";
import { scheduledScan } from "./services/ops/scheduledScan.ts";
import { sweepDeliveries } from "./services/webhooks/sweepDeliveries.ts";
import { expireHilRequests } from "./services/hil/expireHilRequests.ts";

/** What runs when: a cron expression (UTC) and its verbs. The same expressions stand in wrangler.jsonc. */
export const SCHEDULE: Record<string, readonly ((ctx: ServiceContext) => Promise<unknown>)[]> = {
  // Reports that no message asked for, or whose message was lost.
  "30 2 * * *": [(ctx) => generateReports(ctx)],
  // What broke overnight: read, grouped, filed; what has been silent for nights is closed.
  "0 9 * * *": [(ctx) => scheduledScan(ctx)],
  // The last hour's window, so that the night's is short; claims whose time is over.
  "20 * * * *": [(ctx) => scheduledScan(ctx), (ctx) => expireClaims(ctx), (ctx) => sweepDeliveries(ctx)],
  // Questions whose time is over, runs that were not woken by their answer, executions that nobody works on any more.
  "*/5 * * * *": [(ctx) => expireHilRequests(ctx), (ctx) => sweepExecutions(ctx)],
};

/** Runs the verbs of a trigger one after the other. Throws where one threw, once all have run: the platform shows it. */
export async function scheduled({ cron }: Pick<ScheduledController, "cron">, env: Env): Promise<void> {
  const log = loggerOf(env).child({ cron });
  const ctx = createContext(env, { actor: systemActor("schedule"), log });
  const failures: unknown[] = [];
  for (const verb of SCHEDULE[cron] ?? []) {
    try {
      log.info("a scheduled run ended", { result: await verb(ctx) });
    } catch (error) {
      log.error("a scheduled run failed", { error });
      failures.push(error);
    }
  }
  if (SCHEDULE[cron] === undefined) log.error("nothing is scheduled for this trigger");
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} scheduled runs failed`);
}
