import type { FactoryOpsRpc, Order, OrderStatus, ReportPhaseInput, Result, Task, TaskStatus } from "@shared/contracts";
import { BaseWorkerEntrypoint, type RpcCall } from "@shared/worker-kit";
import { createContext, factoryActor, type ServiceContext } from "../context.ts";
import { getOrder } from "../services/order/getOrder.ts";
import { setOrderStatus } from "../services/order/setOrderStatus.ts";
import { reportPhase } from "../services/phase/reportPhase.ts";
import { setTaskStatus } from "../services/task/setTaskStatus.ts";

/** What a factory tells the orchestrator of its orders. The caller is who its binding's props name, and may touch its own orders alone. */
export class FactoryOps extends BaseWorkerEntrypoint<Env> implements FactoryOpsRpc {
  reportPhase(input: ReportPhaseInput): Promise<Result<{ seq: number }>> {
    return this.answer("reportPhase", (call) => reportPhase(this.contextOf(call), input));
  }

  getOrder(input: { orderId: string }): Promise<Result<{ order: Order; tasks: Task[] }>> {
    return this.answer("getOrder", (call) => getOrder(this.contextOf(call), input));
  }

  setOrderStatus(input: { orderId: string; status: OrderStatus; reason?: string }): Promise<Result<{ order: Order }>> {
    return this.answer("setOrderStatus", (call) => setOrderStatus(this.contextOf(call), input));
  }

  setTaskStatus(input: { taskId: string; status: TaskStatus; reason?: string }): Promise<Result<{ task: Task }>> {
    return this.answer("setTaskStatus", (call) => setTaskStatus(this.contextOf(call), input));
  }

  // An instance property: RPC reaches what stands on the prototype.
  private readonly contextOf = ({ caller, requestId, log }: RpcCall): ServiceContext =>
    createContext(this.env, { actor: factoryActor(caller), requestId, log });
}
