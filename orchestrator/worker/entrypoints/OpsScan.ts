import type { Failed, OpsScanned, OpsScanRpc, OpsScope, Result } from "@shared/contracts";
import { BaseWorkerEntrypoint } from "@shared/worker-kit";
import type { ServiceContext } from "../context.ts";
import { startScan } from "../services/ops/startScan.ts";
import { asFactory } from "./asFactory.ts";

/** Scans of logs for Workers that are bound to this class, as ORCHESTRATOR_OPS or ORCHESTRATOR_OPS_MONITOR. */
export class OpsScan extends BaseWorkerEntrypoint<Env> implements OpsScanRpc {
  scan(scope: OpsScope = "full"): Promise<Result<OpsScanned>> {
    return this.run("scan", (ctx) => startScan(ctx, { scope }));
  }

  // An instance property: RPC reaches what stands on the prototype.
  private readonly run = <T>(method: string, verb: (ctx: ServiceContext) => Promise<T>): Promise<T | Failed> =>
    this.answer(method, (call) => asFactory(this.env, call, verb));
}
