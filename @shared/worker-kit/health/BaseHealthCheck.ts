import type { HealthCheckRpc, HealthQuick, HealthResult, HealthStatus, Result } from "@shared/contracts";
import { BaseWorkerEntrypoint } from "../BaseWorkerEntrypoint.ts";
import { createLogger } from "../logger.ts";
import { deliverTo } from "./deliver.ts";
import type { AppHealthBindings } from "./factoryHealth.ts";
import { HealthDoors } from "./HealthDoors.ts";
import type { WorkerHealth } from "./profiles.ts";
import { realClock } from "./retrying.ts";

/** The doors of a Worker's health, with what it has for them. */
export const healthDoorsOf = (env: AppHealthBindings, health: WorkerHealth): HealthDoors =>
  new HealthDoors({
    env,
    health,
    deliver: deliverTo(env, realClock.now),
    clock: realClock,
    mintId: () => crypto.randomUUID(),
    log: createLogger({
      fields: { worker: health.worker, part: "health" },
      secrets: env.HEALTH_SECRET === undefined ? [] : [env.HEALTH_SECRET],
    }),
  });

/**
 * The RPC side of a Worker's `/health-check/` doors, for who is bound: its binding's props say who that is. A subclass
 * says what it can be tested for.
 */
export abstract class BaseHealthCheck<Environment extends AppHealthBindings>
  extends BaseWorkerEntrypoint<Environment>
  implements HealthCheckRpc
{
  protected abstract readonly health: WorkerHealth;

  quick(): Promise<Result<{ quick: HealthQuick }>> {
    return this.answer("quick", async () => this.doors().quick());
  }

  status(): Promise<Result<{ status: HealthStatus }>> {
    return this.answer("status", async () => this.doors().status());
  }

  execute(input: unknown): Promise<Result<{ worker_check_uuid: string; delivered: boolean }>> {
    return this.answer("execute", async () => {
      const accepted = this.doors().accept(input);
      if (!accepted.ok) return accepted;
      const { run, worker_check_uuid } = accepted;
      return { ok: true as const, worker_check_uuid, delivered: await run() };
    });
  }

  result(input: unknown): Promise<Result<{ result: HealthResult }>> {
    return this.answer("result", async () => this.doors().result(input));
  }

  // An instance property: RPC reaches what stands on the prototype.
  private readonly doors = (): HealthDoors => healthDoorsOf(this.env, this.health);
}
