import type { ServiceContext } from "../../context.ts";
import { endOverdueChecks } from "./endOverdueChecks.ts";
import { refreshStanding } from "./refreshStanding.ts";
import { runHealthCheck } from "./runHealthCheck.ts";
import { runSchedules } from "./runSchedules.ts";
import { summariseFailures } from "./summariseFailures.ts";
import { watchHeartbeats } from "./watchHeartbeats.ts";

/** A check that the queue has not carried out within this time is carried out here. */
const QUEUED_MS = 30_000;
const MAX_LEFT = 5;

/**
 * The minute's run: ends what is overdue, notes who beats, begins what is due, carries out what the queue left, folds
 * and says what an earlier run did not get to. Each step is done though another failed; throws then, once all are done.
 */
export async function watchHealth(ctx: ServiceContext): Promise<Record<string, unknown>> {
  const steps: Record<string, () => Promise<unknown>> = {
    overdue: () => endOverdueChecks(ctx),
    heartbeats: () => watchHeartbeats(ctx),
    schedules: () => runSchedules(ctx),
    queued: () => runLeftChecks(ctx),
    standings: () => refreshLeftStandings(ctx),
    summaries: () => summariseFailures(ctx),
  };
  const done: Record<string, unknown> = {};
  const failures: unknown[] = [];
  for (const [name, step] of Object.entries(steps)) {
    try {
      done[name] = await step();
    } catch (error) {
      ctx.log.error("a step of the minute's health run failed", { step: name, error });
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} steps of the health run failed`);
  return done;
}

async function runLeftChecks(ctx: ServiceContext): Promise<{ run: number }> {
  const before = new Date(ctx.now().getTime() - QUEUED_MS).toISOString();
  const left = await ctx.db.health
    .selectFrom("health_checks")
    .select("uuid")
    .where("status", "=", "queued")
    .where("created_at", "<", before)
    .orderBy("deadline_at")
    .limit(MAX_LEFT)
    .execute();
  const ran = await Promise.all(left.map(({ uuid }) => runHealthCheck(ctx, uuid)));
  return { run: ran.filter(Boolean).length };
}

/** Ended checks that nobody folded, and alerts that nobody took: what did so was cut off. */
async function refreshLeftStandings(ctx: ServiceContext): Promise<{ refreshed: number }> {
  const { results } = await ctx.env.DB_HEALTH.prepare(LEFT).all<{
    worker_name: string;
    kind: "worker" | "container";
  }>();
  for (const { worker_name, kind } of results) await refreshStanding(ctx, worker_name, kind);
  return { refreshed: results.length };
}

const LEFT = `
  SELECT s.worker_name, s.kind FROM worker_states s
  WHERE s.pending_alerts <> '[]'
    OR EXISTS (SELECT 1 FROM worker_health_checks w WHERE w.worker_name = s.worker_name AND w.settled_seq > s.cursor)`;
