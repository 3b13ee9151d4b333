import {
  fail,
  type Failed,
  type HealthCheck,
  type HealthCheckDetail,
  type HealthDetail,
  type HealthOpsRpc,
  type HealthSummary,
  type Result,
  type StartHealthCheck,
  WorkerNameSchema,
  type WorkerCheckDetail,
  type WorkerHealth,
} from "@shared/contracts";
import { BaseWorkerEntrypoint, type RpcCall } from "@shared/worker-kit";
import { type Actor, createContext, type ServiceContext } from "../context.ts";
import { databaseErrorOf } from "../services/databaseError.ts";
import { probe } from "../services/health/probe.ts";
import { getHealthCheck } from "../services/health/readChecks.ts";
import { getHealthSummary, getLatestWorkerHealth } from "../services/health/readWorkers.ts";
import { startHealthCheck } from "../services/health/startHealthCheck.ts";
import { submitResult } from "../services/health/submitResult.ts";

/** A Worker of ours, named by its binding's props: it may see how all stand, and have itself checked. */
const workerActor = (name: string): Actor => ({
  id: `worker:${name}`,
  kind: "factory",
  scopes: new Set(["health:read", "health:write", "workspaces:write"]),
  requesters: null,
  workspaceId: null,
});

/** Health for Workers: results of their checks, what only the orchestrator can look at for them, and how all stand. */
export class HealthOps extends BaseWorkerEntrypoint<Env> implements HealthOpsRpc {
  submitResult(result: unknown): Promise<Result<{ status: string }>> {
    return this.#run("submitResult", (ctx, { caller }) =>
      submitResult(ctx, result, { kind: "binding", worker: caller }),
    );
  }

  probe(input: Parameters<HealthOpsRpc["probe"]>[0]): Promise<Result<{ details: HealthDetail[] }>> {
    return this.#run("probe", (ctx, { caller }) => probe(ctx, input, caller));
  }

  executeHealthCheck(input: StartHealthCheck = {}): Promise<Result<{ check: HealthCheck }>> {
    return this.#run("executeHealthCheck", (ctx) => startHealthCheck(ctx, input, { type: "rpc" }));
  }

  getHealthCheck(uuid: string): Promise<Result<{ check: HealthCheckDetail }>> {
    return this.#run("getHealthCheck", (ctx) => getHealthCheck(ctx, { uuid }));
  }

  getLatestWorkerHealth(worker: string): Promise<Result<{ worker: WorkerHealth; check: WorkerCheckDetail | null }>> {
    return this.#run("getLatestWorkerHealth", (ctx) => getLatestWorkerHealth(ctx, { worker }));
  }

  getSummary(input: { days?: number } = {}): Promise<Result<HealthSummary>> {
    return this.#run("getSummary", (ctx) => getHealthSummary(ctx, input));
  }

  #run<T>(method: string, verb: (ctx: ServiceContext, call: RpcCall) => Promise<T>): Promise<T | Failed> {
    return this.answer(method, async (call): Promise<T | Failed> => {
      const worker = WorkerNameSchema.safeParse(call.caller);
      if (!worker.success) return fail("UNAUTHENTICATED", "the binding does not name a Worker");
      const ctx = createContext(this.env, { actor: workerActor(worker.data), requestId: call.requestId });
      try {
        return await verb(ctx, call);
      } catch (error) {
        const known = databaseErrorOf(error);
        if (known === null) throw error;
        ctx.log.error("the database did not answer", { error });
        return { ok: false, error: known };
      }
    });
  }
}
