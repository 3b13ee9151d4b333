import type {
  AIProviderOpsRpc,
  Assignment,
  Decision,
  ExecuteTaskInput,
  Execution,
  ExecutionDetail,
  Failed,
  ProviderName,
  ProviderStatus,
  Result,
} from "@shared/contracts";
import { BaseWorkerEntrypoint } from "@shared/worker-kit";
import type { ServiceContext } from "../context.ts";
import { cancelExecution } from "../services/ai-providers/cancelExecution.ts";
import { executeTask } from "../services/ai-providers/executeTask.ts";
import { getExecution } from "../services/ai-providers/getExecution.ts";
import { getProviderStatus } from "../services/ai-providers/getProviderStatus.ts";
import { listAvailableProviders } from "../services/ai-providers/listAvailableProviders.ts";
import { assignProvider } from "../services/ai-providers/router.ts";
import { asFactory } from "./asFactory.ts";

/** AI providers for factories. The caller is who its binding's props name, and may touch its own orders' tasks alone. */
export class AIProviderOps extends BaseWorkerEntrypoint<Env> implements AIProviderOpsRpc {
  assignProvider(
    taskId: string,
    preferredProvider?: ProviderName,
  ): Promise<Result<{ assignment: Assignment; decision: Decision }>> {
    const preferred = preferredProvider === undefined ? {} : { preferredProvider };
    return this.run("assignProvider", (ctx) => assignProvider(ctx, { taskId, ...preferred }));
  }

  executeTask(
    taskId: string,
    provider?: ProviderName,
    options: Omit<ExecuteTaskInput, "taskId" | "provider"> = {},
  ): Promise<Result<{ execution: Execution }>> {
    return this.run("executeTask", (ctx) => executeTask(ctx, { ...options, taskId, provider }));
  }

  getProviderStatus(providerName: ProviderName): Promise<Result<{ status: ProviderStatus }>> {
    return this.run("getProviderStatus", (ctx) => getProviderStatus(ctx, { provider: providerName }));
  }

  listAvailableProviders(taskId: string): Promise<Result<{ providers: ProviderStatus[] }>> {
    return this.run("listAvailableProviders", (ctx) => listAvailableProviders(ctx, { taskId }));
  }

  cancelExecution(executionId: string, reason?: string): Promise<Result<{ execution: Execution }>> {
    return this.run("cancelExecution", (ctx) => cancelExecution(ctx, { executionId, reason }));
  }

  getExecution(executionId: string): Promise<Result<{ execution: ExecutionDetail }>> {
    return this.run("getExecution", (ctx) => getExecution(ctx, { executionId }));
  }

  // An instance property: RPC reaches what stands on the prototype.
  private readonly run = <T>(method: string, verb: (ctx: ServiceContext) => Promise<T>): Promise<T | Failed> =>
    this.answer(method, (call) => asFactory(this.env, call, verb));
}
