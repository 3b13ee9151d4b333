import {
  BatchIdSchema,
  fail,
  FulfilPhaseSchema,
  MAX_LOG_MESSAGE,
  ORDER_TRANSITIONS,
  patchIdOf,
  canMove,
  validationError,
  WebSocketMessageRequests as Request,
  WebSocketMessageResponses as Message,
  type ApplyResult,
  type ErrorCode,
  type FactoryName,
  type FactoryOpsRpc,
  type FactoryRequest,
  type FactoryRpc,
  type Failed,
  type FulfilPhase,
  type FulfilPhaseInput,
  type JsonObject,
  type LoggingOpsRpc,
  type Order,
  type OrderStatus,
  type PatchOperationInput,
  type PatchOpsRpc,
  type RequestMessageType,
  type Result,
  type Task,
} from "@shared/contracts";
import { z } from "zod";
import { BaseAgent, correctedId, jsonOf } from "./BaseAgent.ts";
import { BaseWorkerEntrypoint, type RpcCall } from "./BaseWorkerEntrypoint.ts";
import { OperationLog } from "./OperationLog.ts";
import { codeReviewToPatchBatch, planStatedFix, type PlanFix } from "./reviewToPatches.ts";

/** A factory's bindings to the orchestrator, typed by the interfaces they answer to. */
export interface FactoryBindings {
  ORCHESTRATOR_PATCH: PatchOpsRpc;
  ORCHESTRATOR_FACTORY: FactoryOpsRpc;
  /** Absent: nothing is written to the operation log. */
  ORCHESTRATOR_LOGGING?: LoggingOpsRpc;
}

/**
 * What every factory is: it turns a phase's generated code into a patch batch, ships it, reports each step in order,
 * and answers with the outcome. A subclass says its name, and what it does its own way.
 */
export abstract class BaseFactory<Environment extends FactoryBindings>
  extends BaseWorkerEntrypoint<Environment>
  implements FactoryRpc
{
  protected abstract readonly factory: FactoryName;

  /** How a review's issue becomes a patch. Without a model: where the issue states its own fix. */
  protected readonly planFix: PlanFix = planStatedFix;

  /** What this factory refuses of a plan before it is sent; null where nothing. */
  protected readonly checkPlan: (patches: readonly PatchOperationInput[]) => Failed | null = () => null;

  /**
   * Fulfils one phase of an order. The order is in progress from its first phase, delivered when the phase marked as
   * the last is validated, failed when a phase is refused or does not pass the workspace's check.
   * Beside the engine's refusals: FORBIDDEN for another factory's order, UNKNOWN_TASK, INVALID_TRANSITION for a
   * cancelled order, CONFLICT where everything already stands as generated, CHECK_FAILED (the batch is applied).
   */
  fulfilPhase(input: FulfilPhaseInput): Promise<ApplyResult> {
    return this.answer("fulfilPhase", async (call): Promise<ApplyResult> => {
      const parsed = FulfilPhaseSchema.safeParse(input);
      if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
      const started = Date.now();
      const result = await this.runPhase(call, parsed.data);
      this.logPhase(call, parsed.data, result, Date.now() - started);
      return result;
    });
  }

  /** Requests from a socket that this factory can truly serve; the others are answered with UNKNOWN_REQUEST. */
  handleRequest(request: FactoryRequest): Promise<Result<{ data: JsonObject }>> {
    return this.answer("handleRequest", async (call): Promise<Result<{ data: JsonObject }>> => {
      const serve = this.requests[request.type];
      return serve ? serve(call, request) : fail("UNKNOWN_REQUEST", `${this.factory} has no answer to ${request.type}`);
    });
  }

  // Instance properties, as in BaseWorkerEntrypoint: RPC reaches what stands on the prototype.

  private readonly requests: Partial<
    Record<RequestMessageType, (call: RpcCall, request: FactoryRequest) => Promise<Result<{ data: JsonObject }>>>
  > = {
    [Request.GENERATE]: (call, request) => this.generateAll(call, request, [request.payload]),
    [Request.GENERATE_ALL]: async (call, request) => {
      const phases = z.array(z.unknown()).min(1).max(100).safeParse(request.payload.phases);
      if (!phases.success) return { ok: false, error: validationError(phases.error) };
      return this.generateAll(call, request, phases.data);
    },
    [Request.STOP_GENERATION]: (call, request) =>
      this.moveOnRequest(call, request, "failed", Message.GENERATION_STOPPED),
    [Request.RESUME_GENERATION]: (call, request) =>
      this.moveOnRequest(call, request, "in_progress", Message.GENERATION_RESUMED),
    [Request.GET_CONVERSATION_STATE]: (_, request) => this.describeOrder(request.orderId),
  };

  private readonly logPhase = (call: RpcCall, input: FulfilPhase, result: ApplyResult, durationMs: number): void => {
    const log = new OperationLog(this.env.ORCHESTRATOR_LOGGING, call.log);
    log.add({
      operation: "phase.fulfil",
      level: result.ok ? "info" : "warn",
      message: result.ok
        ? `phase ${input.phase}: ${result.outcome.patches.length} patches, ${result.outcome.status}`
        : `phase ${input.phase}: ${result.error.code}: ${result.error.message}`.slice(0, MAX_LOG_MESSAGE),
      outcome: result.ok ? result.outcome.status : "refused",
      orderId: input.orderId,
      ...(input.taskId === undefined ? {} : { taskId: input.taskId }),
      requestId: call.requestId,
      durationMs,
    });
    this.ctx.waitUntil(log.flush());
  };

  private readonly runPhase = async (call: RpcCall, input: FulfilPhase): Promise<ApplyResult> => {
    const found = await this.findOrder(input);
    if (!found.ok) return found;
    const { order } = found;
    const repeated = await this.findApplied(input);
    if (repeated) return repeated;
    const agent = this.agentFor(call, order, input);

    if (order.status === "received") {
      await agent.report(Message.GENERATION_STARTED, `${this.factory} works on ${order.title}`);
    }
    if (order.status !== "in_progress") {
      const moved = await this.setOrderStatus(order, "in_progress", `phase ${input.phase}`);
      if (!moved.ok) return moved;
    }

    const result = await this.generateAndApply(agent, input);
    if (!result.ok) {
      if (DONE_ALREADY.has(result.error.code)) return result;
      const failed = await this.setOrderStatus(order, "failed", result.error.code);
      if (!failed.ok) call.log.error("the order's failure is not on record", { code: failed.error.code });
      return result;
    }
    if (input.lastPhase && result.outcome.status === "applied") {
      await agent.report(Message.GENERATION_COMPLETE, `${order.title} is delivered`);
      const delivered = await this.setOrderStatus(order, "delivered", `phase ${input.phase}`);
      if (!delivered.ok) return afterApplying(delivered, result);
    }
    return result;
  };

  /**
   * A phase asked for again after its batch was applied. Generated files are placed in the tree as it stands, so the
   * same phase would come out as other patches now: it is answered with CONFLICT, and nothing moves.
   */
  private readonly findApplied = async ({ batchId, implementation }: FulfilPhase): Promise<ApplyResult | null> => {
    if (batchId === undefined || !implementation) return null;
    const first = patchIdOf(batchId, 0);
    // A diff's patches are logged one a file, under its id and the file's number.
    const hasDiff = implementation.files.some(({ format }) => format === "unified_diff");
    const ids = [first, correctedId(first)];
    for (const patchId of hasDiff ? ids.flatMap((id) => [id, `${id}.1`]) : ids) {
      const found = await this.env.ORCHESTRATOR_PATCH.getPatch({ patchId });
      if (!found.ok || !found.events.some(({ event_type }) => event_type === "patch_applied")) continue;
      return fail("CONFLICT", `the phase's batch ${batchId} is applied already: see patch ${patchId}`);
    }
    return null;
  };

  private readonly agentFor = (call: RpcCall, order: Order, { phase, batchId, taskId }: FulfilPhase): BaseAgent =>
    new BaseAgent({
      patchOps: this.env.ORCHESTRATOR_PATCH,
      factoryOps: this.env.ORCHESTRATOR_FACTORY,
      order,
      phase,
      batchId: batchId ?? BatchIdSchema.parse(this.mintRequestId()),
      taskId,
      requester: this.factory,
      log: call.log.child({ orderId: order.id, phase }),
    });

  private readonly generateAndApply = async (agent: BaseAgent, input: FulfilPhase): Promise<ApplyResult> => {
    await agent.report(Message.PHASE_GENERATING, `phase ${input.phase} is being placed`);
    const planned = await this.planPhase(agent, input);
    if (!planned.ok) {
      await agent.reportError("the phase could not be placed", planned.error);
      return planned;
    }
    const { patches } = planned;
    const files = [...new Set(patches.map((patch) => patch.file ?? ""))].filter((file) => file !== "");
    await agent.report(Message.PHASE_GENERATED, `${patches.length} patches`, { patches: patches.length, files });

    await agent.report(Message.PHASE_IMPLEMENTING, `phase ${input.phase} is being applied`, { files });
    const { batchId, result } = await agent.ship(patches, `phase ${input.phase}`);
    // Not applied yet: the orchestrator goes on by itself, and the same call with the same batchId will tell.
    if (!result.ok || result.outcome.status !== "applied") return result;
    for (const { file, linesAdded, linesRemoved } of result.outcome.files) {
      await agent.report(Message.FILE_GENERATED, file, { file, linesAdded, linesRemoved });
    }
    await agent.report(Message.PHASE_IMPLEMENTED, `batch ${batchId} is applied`, { batchId });
    return this.validatePhase(agent, batchId, result);
  };

  private readonly planPhase = async (
    agent: BaseAgent,
    { implementation, review, patches: given }: FulfilPhase,
  ): Promise<Result<{ patches: PatchOperationInput[] }>> => {
    if (!implementation && !review && given.length === 0) {
      return fail("VALIDATION_FAILED", "a phase needs an implementation, a review or patches");
    }
    const patches: PatchOperationInput[] = [];
    if (implementation) {
      const bridged = await agent.plan(implementation.files);
      if (!bridged.ok) return bridged;
      patches.push(...bridged.batch.patches);
    }
    if (review) {
      const issues = review.filesToFix.reduce((count, file) => count + file.issues.length, 0);
      await agent.report(Message.CODE_REVIEWING, `${issues} issues`, { issues });
      const fixes = await codeReviewToPatchBatch(review, this.planFix);
      await agent.report(Message.CODE_REVIEWED, `${fixes.patches.length} fixes`, { fixes: fixes.patches.length });
      patches.push(...fixes.patches);
    }
    patches.push(...given);
    if (patches.length === 0)
      return fail("CONFLICT", "there is nothing to patch: all of it already stands as generated");
    return this.checkPlan(patches) ?? { ok: true, patches };
  };

  private readonly validatePhase = async (
    agent: BaseAgent,
    batchId: string,
    applied: Extract<ApplyResult, { ok: true }>,
  ): Promise<ApplyResult> => {
    await agent.report(Message.PHASE_VALIDATING, `batch ${batchId} is being checked`, { batchId });
    const validated = await agent.validate(batchId);
    if (!validated.ok) {
      await agent.reportError("the workspace could not be checked", validated.error, { batchId });
      return afterApplying(validated, applied);
    }
    const { checks } = validated;
    const findings = checks.filter((check) => check.ok === false).flatMap((check) => check.findings);
    if (checks.some((check) => check.ok === false)) {
      await agent.report(Message.STATIC_ANALYSIS_RESULTS, "the workspace's check failed", {
        batchId,
        checks: jsonOf(checks),
      });
      const failed = fail("CHECK_FAILED", "the batch is applied, but the workspace's own check does not pass", {
        findings,
      });
      await agent.reportError("the phase is not valid", failed.error, { batchId });
      return afterApplying(failed, applied);
    }
    await agent.report(Message.PHASE_VALIDATED, `batch ${batchId} is valid`, { batchId, checks: jsonOf(checks) });
    return applied;
  };

  /** The phases one after another, until one is refused or somebody has stopped the order. */
  private readonly generateAll = async (
    call: RpcCall,
    request: FactoryRequest,
    phases: readonly unknown[],
  ): Promise<Result<{ data: JsonObject }>> => {
    const parsed = z
      .array(FulfilPhaseSchema)
      .safeParse(phases.map((phase) => (typeof phase === "object" ? { ...phase, orderId: request.orderId } : phase)));
    if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
    const batches: string[] = [];
    for (const [at, phase] of parsed.data.entries()) {
      if (at > 0) {
        const found = await this.env.ORCHESTRATOR_FACTORY.getOrder({ orderId: request.orderId });
        if (!found.ok) return found;
        if (found.order.status !== "in_progress") {
          return { ok: true, data: { stopped: true, status: found.order.status, batches } };
        }
      }
      const result = await this.runPhase(call, phase);
      if (!result.ok) return { ok: false, error: result.error };
      batches.push(result.outcome.batchId);
    }
    return { ok: true, data: { stopped: false, batches } };
  };

  private readonly moveOnRequest = async (
    call: RpcCall,
    request: FactoryRequest,
    status: OrderStatus,
    message: typeof Message.GENERATION_STOPPED | typeof Message.GENERATION_RESUMED,
  ): Promise<Result<{ data: JsonObject }>> => {
    const moved = await this.env.ORCHESTRATOR_FACTORY.setOrderStatus({
      orderId: request.orderId,
      status,
      reason: `${request.type} by ${request.actor}`,
    });
    if (!moved.ok) return moved;
    const reported = await this.env.ORCHESTRATOR_FACTORY.reportPhase({
      type: message,
      orderId: request.orderId,
      workspaceId: moved.order.workspace_id,
      message: `${request.type} by ${request.actor}`,
    });
    if (!reported.ok) call.log.error("a phase message was not published", { type: message, code: reported.error.code });
    return { ok: true, data: { orderId: request.orderId, status: moved.order.status } };
  };

  private readonly describeOrder = async (orderId: string): Promise<Result<{ data: JsonObject }>> => {
    const found = await this.env.ORCHESTRATOR_FACTORY.getOrder({ orderId });
    if (!found.ok) return found;
    const tasks = found.tasks.map(({ id, title, type, status }) => ({ id, title, type, status }));
    return { ok: true, data: { orderId, title: found.order.title, status: found.order.status, tasks } };
  };

  private readonly findOrder = async ({
    orderId,
    taskId,
  }: FulfilPhase): Promise<Result<{ order: Order; tasks: Task[] }>> => {
    const found = await this.env.ORCHESTRATOR_FACTORY.getOrder({ orderId });
    if (!found.ok) return found;
    const { order, tasks } = found;
    if (order.factory !== this.factory) return fail("FORBIDDEN", `order ${orderId} is for ${order.factory}`);
    if (taskId !== undefined && !tasks.some((task) => task.id === taskId)) {
      return fail("UNKNOWN_TASK", `order ${orderId} has no task ${taskId}`);
    }
    if (order.status !== "in_progress" && !canMove(ORDER_TRANSITIONS, order.status, "in_progress")) {
      return fail("INVALID_TRANSITION", `order ${orderId} is ${order.status}`);
    }
    return found;
  };

  private readonly setOrderStatus = (order: Order, status: OrderStatus, reason: string) =>
    this.env.ORCHESTRATOR_FACTORY.setOrderStatus({ orderId: order.id, status, reason });
}

/** Refusals that say the work stands already: no reason to call the order failed. */
const DONE_ALREADY: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["CONFLICT", "IDEMPOTENCY_CONFLICT"]);

/** What failed after the batch was applied: the answer still says what was written. */
const afterApplying = ({ error }: Failed, { outcome, results }: Extract<ApplyResult, { ok: true }>): ApplyResult => ({
  ok: false,
  error: { ...error, nothingWritten: false },
  outcome,
  results,
});
