import type { Failed, LoggingOpsRpc, LogsWritten, OperationEntryInput, Result } from "@shared/contracts";
import { BaseWorkerEntrypoint } from "@shared/worker-kit";
import type { ServiceContext } from "../context.ts";
import { writeLogs } from "../services/logging/writeLogs.ts";
import { asFactory } from "./asFactory.ts";

/** The operation log for factories and specialists. A line's source is who the binding's props name. */
export class LoggingOps extends BaseWorkerEntrypoint<Env> implements LoggingOpsRpc {
  write(input: { entries: OperationEntryInput[] }): Promise<Result<LogsWritten>> {
    return this.run("write", (ctx) => writeLogs(ctx, input));
  }

  // An instance property: RPC reaches what stands on the prototype.
  private readonly run = <T>(method: string, verb: (ctx: ServiceContext) => Promise<T>): Promise<T | Failed> =>
    this.answer(method, (call) => asFactory(this.env, call, verb));
}
