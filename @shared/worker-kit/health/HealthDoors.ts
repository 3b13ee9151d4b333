import {
  ExecuteHealthCheckSchema,
  fail,
  HEALTH_CHECK_PATHS,
  type HealthQuick,
  type HealthResult,
  type HealthStatus,
  type Result,
  validationError,
  WorkerVersionSchema,
} from "@shared/contracts";
import { z } from "zod";
import type { Logger } from "../logger.ts";
import type { AppHealthBindings } from "./factoryHealth.ts";
import type { WorkerHealth } from "./profiles.ts";
import { backoffMs, type Clock } from "./retrying.ts";
import { runProfiles } from "./runProfiles.ts";

/** Hands a result to the callback. `retryable` of its refusal says whether it is sent again. */
export type Deliver = (result: HealthResult, callbackUrl: string) => Promise<Result<{ status: string }>>;

export interface HealthDoorsOptions {
  env: AppHealthBindings;
  health: WorkerHealth;
  deliver: Deliver;
  clock: Clock;
  mintId: () => string;
  log: Logger;
}

/** How often a result is sent before the orchestrator is left to notice that none came. */
const DELIVERIES = 4;
/** Results of the latest checks that an isolate holds. */
const MAX_KEPT = 20;
/** Checks that one isolate runs at a time. */
const MAX_RUNNING = 8;

/** What this isolate knows: a Worker has no memory of its own, and the record is the orchestrator's. */
const running = new Set<string>();
const kept = new Map<string, HealthResult>();

const ResultInputSchema = z.object({ worker_check_uuid: z.uuid() });

/** Where a check of this Worker may be answered, and nowhere else; null where it is not told where the orchestrator is. */
export function callbackUrlOf(env: AppHealthBindings): string | null {
  const base = env.ORCHESTRATOR_URL;
  return base !== undefined && URL.canParse(base) ? new URL(HEALTH_CHECK_PATHS.result, base).href : null;
}

/** What a Worker's doors of health do, whichever way one comes to them. */
export class HealthDoors {
  readonly #options: HealthDoorsOptions;

  constructor(options: HealthDoorsOptions) {
    this.#options = options;
  }

  quick(): Result<{ quick: HealthQuick }> {
    const { env, health, clock } = this.#options;
    const version = WorkerVersionSchema.safeParse(env.CF_VERSION_METADATA);
    return {
      ok: true,
      quick: {
        worker: env.WORKER_NAME ?? health.worker,
        worker_type: env.WORKER_TYPE ?? null,
        version: version.success ? version.data : null,
        ts: clock.now().toISOString(),
      },
    };
  }

  status(): Result<{ status: HealthStatus }> {
    const quick = this.quick();
    if (!quick.ok) return quick;
    const last = [...kept.values()].at(-1);
    return {
      ok: true,
      status: {
        ...quick.quick,
        running: [...running],
        last: last
          ? { worker_check_uuid: last.worker_check_uuid, status: last.status, finished_at: last.finished_at }
          : null,
      },
    };
  }

  /** Errors: VALIDATION_FAILED, NOT_FOUND where this isolate does not hold it. */
  result(input: unknown): Result<{ result: HealthResult }> {
    const parsed = ResultInputSchema.safeParse(input);
    if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
    const result = kept.get(parsed.data.worker_check_uuid);
    return result ? { ok: true, result } : fail("NOT_FOUND", "this isolate holds no result of that check");
  }

  /**
   * Takes a check in; `run` carries it out and sends its result. Errors: VALIDATION_FAILED, CONFLICT (it is for another
   * Worker, or runs here already), HEALTH_CALLBACK_FOREIGN, RATE_LIMITED.
   */
  accept(input: unknown): Result<{ worker_check_uuid: string; run: () => Promise<boolean> }> {
    const { env, health } = this.#options;
    const parsed = ExecuteHealthCheckSchema.safeParse(input);
    if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
    const check = parsed.data;
    if (check.worker !== health.worker) return fail("CONFLICT", `this is ${health.worker}, not ${check.worker}`);
    if (check.callback_url !== callbackUrlOf(env)) {
      return fail("HEALTH_CALLBACK_FOREIGN", "checks are answered at the orchestrator's own address alone");
    }
    const uuid = check.worker_check_uuid;
    if (running.has(uuid) || kept.has(uuid)) return fail("CONFLICT", "this check was taken already");
    if (running.size >= MAX_RUNNING) return fail("RATE_LIMITED", `${MAX_RUNNING} checks run here already`);
    running.add(uuid);
    return {
      ok: true,
      worker_check_uuid: uuid,
      run: async () => {
        try {
          const { clock, mintId } = this.#options;
          const quick = this.quick();
          const version = quick.ok ? quick.quick.version : null;
          const result = await runProfiles(health, check, { clock, mintId, version });
          kept.set(uuid, result);
          const oldest = kept.keys().next();
          if (kept.size > MAX_KEPT && !oldest.done) kept.delete(oldest.value);
          return await this.#send(result, check.callback_url);
        } finally {
          running.delete(uuid);
        }
      },
    };
  }

  /** Whether the orchestrator has it. What was taken before, its answer lost, it has too. */
  async #send(result: HealthResult, callbackUrl: string): Promise<boolean> {
    const { deliver, clock, log } = this.#options;
    for (let delivery = 1; ; delivery += 1) {
      let answer: Result<{ status: string }>;
      try {
        answer = await deliver(result, callbackUrl);
      } catch (error) {
        log.warn("a health result could not be sent", { delivery, error });
        answer = fail("UNREACHABLE", "the orchestrator did not answer");
      }
      if (answer.ok || (delivery > 1 && answer.error.code === "HEALTH_CALLBACK_REPEATED")) return true;
      if (!answer.error.retryable || delivery === DELIVERIES) {
        log.error("a health result was not taken", { delivery, code: answer.error.code });
        return false;
      }
      await clock.sleep(backoffMs(delivery, clock.random()));
    }
  }
}
