import {
  DEFAULT_HEALTH_PROFILES,
  fail,
  HEALTH_DEFAULTS,
  type HealthCheck,
  type Result,
  StartHealthCheckSchema,
  validationError,
} from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { checkOfRow } from "./rows.ts";
import { nonceHashOf, nonceOf } from "./nonce.ts";
import { pickTargets } from "./targets.ts";

/** So many checks may one caller begin in a minute. */
const CHECKS_PER_MINUTE = 10;

export interface Trigger {
  type: "manual" | "schedule" | "rpc";
  scheduleId?: string;
}

/**
 * How long a check may last: reaching a Worker and its own attempts, each with every retry and the longest wait, and a
 * minute for results to be sent.
 */
export const budgetMs = (timeoutMs: number, maxRetries: number): number =>
  2 * (timeoutMs + HEALTH_DEFAULTS.maxDelayMs) * (maxRetries + 1) + 60_000;

/**
 * Puts a check on record and in the queue. Needs `health:write`. Errors: VALIDATION_FAILED, NOT_FOUND (a Worker that is
 * no target), RATE_LIMITED.
 */
export async function startHealthCheck(
  ctx: ServiceContext,
  input: unknown,
  trigger: Trigger = { type: "manual" },
): Promise<Result<{ check: HealthCheck }>> {
  const denied = requireScope(ctx, "health:write");
  if (denied) return denied;
  const parsed = StartHealthCheckSchema.safeParse(input ?? {});
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const picked = pickTargets(ctx.env, parsed.data.workers);
  if (!picked.ok) return picked;
  if (picked.targets.length === 0) return fail("CONFLICT", "HEALTH_WORKER_TARGETS names no Worker");
  const { profiles = DEFAULT_HEALTH_PROFILES, timeout_ms = HEALTH_DEFAULTS.timeoutMs } = parsed.data;
  const { max_retries = HEALTH_DEFAULTS.maxRetries } = parsed.data;

  const { DB_HEALTH } = ctx.env;
  const now = ctx.now();
  const uuid = ctx.mintId();
  const deadline = new Date(now.getTime() + budgetMs(timeout_ms, max_retries)).toISOString();
  const workers = picked.targets.map(({ name }) => name);
  const rows = workers.map((worker) => {
    const workerCheck = ctx.mintId();
    return { uuid: workerCheck, worker, nonce: nonceHashOf(nonceOf(ctx.env, workerCheck)) };
  });
  const isOurs = trigger.type === "schedule";
  const [begun] = await DB_HEALTH.batch([
    DB_HEALTH.prepare(BEGIN).bind(
      uuid,
      trigger.type,
      trigger.scheduleId ?? null,
      JSON.stringify(workers),
      JSON.stringify([...new Set(profiles)]),
      timeout_ms,
      max_retries,
      ctx.actor.id,
      workers.length,
      now.toISOString(),
      deadline,
      new Date(now.getTime() - 60_000).toISOString(),
      isOurs ? Number.MAX_SAFE_INTEGER : CHECKS_PER_MINUTE,
    ),
    DB_HEALTH.prepare(BEGIN_WORKERS).bind(uuid, JSON.stringify(rows), now.toISOString(), deadline),
    DB_HEALTH.prepare(KNOW_WORKERS).bind(JSON.stringify(workers), now.toISOString()),
  ]);
  if (begun?.meta.changes === 0) return fail("RATE_LIMITED", `at most ${CHECKS_PER_MINUTE} checks a minute`);
  await enqueue(ctx, uuid);
  const row = await ctx.db.health.selectFrom("health_checks").selectAll().where("uuid", "=", uuid).executeTakeFirst();
  return row ? { ok: true, check: checkOfRow(row) } : fail("NOT_FOUND", "the check is gone already");
}

/** A deployment may do without the queue: then the minute's run takes the check up. */
async function enqueue(ctx: ServiceContext, uuid: string): Promise<void> {
  const { HEALTH_QUEUE: queue }: { HEALTH_QUEUE?: Queue } = ctx.env;
  try {
    await queue?.send({ uuid });
  } catch (error) {
    ctx.log.warn("a health check is left to the minute's run: the queue did not take it", { uuid, error });
  }
}

const BEGIN = `
  INSERT INTO health_checks (uuid, trigger_type, schedule_id, workers, profiles, timeout_ms, max_retries, requested_by,
    total_workers, created_at, deadline_at)
  SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11
  WHERE (SELECT count(*) FROM health_checks WHERE requested_by = ?8 AND created_at > ?12) < ?13`;
const BEGIN_WORKERS = `
  INSERT INTO worker_health_checks (uuid, check_uuid, worker_name, nonce_hash, created_at, deadline_at)
  SELECT r.value ->> 'uuid', ?1, r.value ->> 'worker', r.value ->> 'nonce', ?3, ?4
  FROM json_each(?2) r WHERE EXISTS (SELECT 1 FROM health_checks WHERE uuid = ?1)`;
// Who has a row is looked after by the minute's run, whatever becomes of this one.
const KNOW_WORKERS = `INSERT OR IGNORE INTO worker_states (worker_name, updated_at) SELECT value, ?2 FROM json_each(?1)`;
