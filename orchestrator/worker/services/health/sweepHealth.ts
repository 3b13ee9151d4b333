import type { ServiceContext } from "../../context.ts";

/** Single checks are kept so long, days of them longer; those of containers, which come and go, as long as checks. */
const KEPT_DAYS = { checks: 14, failedChecks: 90, summaries: 400 } as const;
const DAY_MS = 86_400_000;
/** Rows a statement, so that none holds the database up. */
const PAGE = 2_000;
const MAX_PAGES = 50;

/** The nightly retention: checks that passed go after two weeks, those that did not after three months, their days later. */
export async function sweepHealth(ctx: ServiceContext): Promise<{ checks: number; days: number }> {
  const { DB_HEALTH } = ctx.env;
  const daysAgo = (days: number): string => new Date(ctx.now().getTime() - days * DAY_MS).toISOString();
  let checks = 0;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const swept = await DB_HEALTH.prepare(SWEEP_CHECKS)
      .bind(daysAgo(KEPT_DAYS.checks), daysAgo(KEPT_DAYS.failedChecks), PAGE)
      .run();
    checks += swept.meta.changes;
    if (swept.meta.changes === 0) break;
  }
  const days = await DB_HEALTH.prepare("DELETE FROM health_summaries WHERE day < ?1")
    .bind(daysAgo(KEPT_DAYS.summaries).slice(0, 10))
    .run();
  const gone = await DB_HEALTH.prepare(SWEEP_CONTAINER_DAYS).bind(daysAgo(KEPT_DAYS.failedChecks).slice(0, 10)).run();
  await DB_HEALTH.prepare(SWEEP_CONTAINERS).bind(daysAgo(KEPT_DAYS.checks)).run();
  return { checks, days: days.meta.changes + gone.meta.changes };
}

// What belongs to a check goes with it.
const SWEEP_CHECKS = `
  DELETE FROM health_checks WHERE uuid IN (
    SELECT uuid FROM health_checks
    WHERE created_at < ?1 AND (created_at < ?2 OR status = 'passed') AND status NOT IN ('queued', 'running')
    ORDER BY created_at LIMIT ?3)`;
const SWEEP_CONTAINER_DAYS = `
  DELETE FROM health_summaries WHERE worker_name >= 'container:' AND worker_name < 'container;' AND day < ?1`;
const SWEEP_CONTAINERS = `
  DELETE FROM worker_states WHERE kind = 'container' AND heartbeat_every_s IS NULL AND heartbeat_at < ?1
    AND NOT EXISTS (SELECT 1 FROM worker_health_checks w WHERE w.worker_name = worker_states.worker_name)`;
