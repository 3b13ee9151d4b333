import type {
  FactoryOpsRpc,
  Failed,
  Order,
  OrderStatus,
  ReportPhaseInput,
  Result,
  Task,
  TaskStatus,
} from "@shared/contracts";
import { BaseWorkerEntrypoint } from "@shared/worker-kit";
import type { ServiceContext } from "../context.ts";
import { getOrder } from "../services/order/getOrder.ts";
import { setOrderStatus } from "../services/order/setOrderStatus.ts";
import { reportPhase } from "../services/phase/reportPhase.ts";
import { setTaskStatus } from "../services/task/setTaskStatus.ts";
import { asFactory } from "./asFactory.ts";

/**
 * What a factory tells the orchestrator of its orders. The caller is who its binding's props name, and may touch its
 * own orders alone.
 */
export class FactoryOps extends BaseWorkerEntrypoint<Env> implements FactoryOpsRpc {
  reportPhase(input: ReportPhaseInput): Promise<Result<{ seq: number }>> {
    return this.run("reportPhase", (ctx) => reportPhase(ctx, input));
  }

  getOrder(input: { orderId: string }): Promise<Result<{ order: Order; tasks: Task[] }>> {
    return this.run("getOrder", (ctx) => getOrder(ctx, input));
  }

  setOrderStatus(input: { orderId: string; status: OrderStatus; reason?: string }): Promise<Result<{ order: Order }>> {
    return this.run("setOrderStatus", (ctx) => setOrderStatus(ctx, input));
  }

  setTaskStatus(input: { taskId: string; status: TaskStatus; reason?: string }): Promise<Result<{ task: Task }>> {
    return this.run("setTaskStatus", (ctx) => setTaskStatus(ctx, input));
  }

  // An instance property: RPC reaches what stands on the prototype.
  private readonly run = <T>(method: string, verb: (ctx: ServiceContext) => Promise<T>): Promise<T | Failed> =>
    this.answer(method, (call) => asFactory(this.env, call, verb));
}
