import { type HealthCheckDetail, type HealthResult, type Result, type StartHealthCheck } from "@shared/contracts";
import type { Clock } from "@shared/worker-kit";
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { createContext, type ServiceContext, systemActor } from "../../worker/context.ts";
import { nonceOf } from "../../worker/services/health/nonce.ts";
import { getHealthCheck } from "../../worker/services/health/readChecks.ts";
import { runHealthCheck } from "../../worker/services/health/runHealthCheck.ts";
import { startHealthCheck } from "../../worker/services/health/startHealthCheck.ts";

/** A context whose time the test owns, of an environment it may break. No queue: the test carries checks out itself. */
export function healthContext(broken: Partial<Record<string, unknown>> = {}, actor = systemActor("health-test")) {
  let at = Date.now();
  const own = { ...env, HEALTH_QUEUE: undefined, ...broken } as unknown as Env;
  const ctx: ServiceContext = createContext(own, { actor, now: () => new Date(at) });
  return {
    ctx,
    /** Lets time go by. */
    pass: (ms: number): void => {
      at += ms;
    },
  };
}

/** The limit of one attempt in these tests: no wait is as long. */
const LIMIT = 29_999;

/** Waits between attempts are over at once; a limit is reached at once where the Worker hangs, and never where not. */
export function instantClock(ctx: ServiceContext, hangs: boolean): Clock & { waits: number[] } {
  const waits: number[] = [];
  return {
    waits,
    now: () => ctx.now(),
    random: () => 0,
    sleep: async (ms) => {
      // What a part may take is 5 s, and more.
      if (ms < 5_000) waits.push(ms);
      else if (!hangs) await new Promise(() => undefined);
    },
  };
}

export function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result;
}

/** A check of these Workers, carried out. */
export async function check(
  ctx: ServiceContext,
  input: StartHealthCheck,
  { hangs = false, clock }: { hangs?: boolean; clock?: Clock } = {},
): Promise<HealthCheckDetail> {
  const { check: begun } = value(await startHealthCheck(ctx, { timeout_ms: LIMIT, ...input }, { type: "schedule" }));
  await runHealthCheck(ctx, begun.uuid, clock ?? instantClock(ctx, hangs));
  return value(await getHealthCheck(ctx, { uuid: begun.uuid })).check;
}

interface Stub {
  become(health: string): Promise<void>;
}
/** Says what a Worker's stand-in is like from now on. */
export const become = (binding: string, health: string): Promise<void> =>
  (Reflect.get(env, binding) as unknown as Stub).become(health);

/** A check of one Worker that is under way, and the result that its Worker would send. */
export async function pending(
  ctx: ServiceContext,
  worker = "agent-factory",
): Promise<{ uuid: string; workerCheck: string; result: HealthResult }> {
  const { check: begun } = value(await startHealthCheck(ctx, { workers: [worker] }, { type: "schedule" }));
  const { check } = value(await getHealthCheck(ctx, { uuid: begun.uuid }));
  const workerCheck = check.worker_checks[0]?.uuid ?? "";
  return { uuid: begun.uuid, workerCheck, result: resultFor(ctx, worker, workerCheck) };
}

export function resultFor(ctx: ServiceContext, worker: string, workerCheck: string, passed = true): HealthResult {
  const at = ctx.now().toISOString();
  const code = passed ? null : ("DATABASE_FAILED" as const);
  return {
    worker_check_uuid: workerCheck,
    worker,
    worker_type: "factory",
    version: { id: "v1", tag: "", timestamp: at },
    nonce: nonceOf(ctx.env, workerCheck),
    status: passed ? "passed" : "failed",
    attempts: [
      {
        attempt: 1,
        status: passed ? "passed" : "failed",
        code,
        message: null,
        started_at: at,
        duration_ms: 5,
        waited_ms: 0,
      },
    ],
    results: [
      {
        profile: "database",
        status: passed ? "passed" : "failed",
        code,
        message: null,
        details: [],
        attempt: 1,
        duration_ms: 5,
      },
    ],
    started_at: at,
    finished_at: at,
    duration_ms: 5,
  };
}

/** The alerts that the hub's room for everything was told of a Worker's health, or of a schedule, oldest first. */
export const toldOf = (subject: string): Promise<{ kind: string; key: string }[]> =>
  runInDurableObject(env.EVENT_HUB.getByName("all") as never, (_: unknown, state) =>
    state.storage.sql
      .exec<{ body: string }>("SELECT body FROM messages ORDER BY offset")
      .toArray()
      .map(({ body }) => JSON.parse(body) as { kind: string; data?: { key: string; subject: string } })
      .flatMap(({ kind, data }) => (data?.subject === subject ? [{ kind, key: data.key }] : [])),
  );

/** The alerts of a cause there were, the oldest first. */
export const alertsOf = async (cause: string): Promise<{ kind: string; status: string; told: number }[]> =>
  (
    await env.DB_OPS.prepare("SELECT kind, status, told FROM alerts WHERE dedupe_key = ?1 ORDER BY first_at")
      .bind(cause)
      .all<{ kind: string; status: string; told: number }>()
  ).results;
