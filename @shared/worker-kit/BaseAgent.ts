import {
  patchIdOf,
  PatchOperationSchema,
  type ApplyResult,
  type BatchId,
  type CheckOutcome,
  type FactoryOpsRpc,
  type Failed,
  type JsonObject,
  type Order,
  type PatchBatchInput,
  type PatchOperation,
  type PatchOperationInput,
  type PatchOpsRpc,
  type PhaseMessageType,
  type Result,
  type TaskId,
  type VibeError,
  WebSocketMessageResponses as Message,
} from "@shared/contracts";
import { resolveCoordsByMarker } from "./coordResolver.ts";
import { correctFromError } from "./correctFromError.ts";
import type { Logger } from "./logger.ts";
import { fileReader, filesToPatches, type BridgedPhase, type GeneratedFile } from "./patchBridge.ts";

/** What an agent works with: its bindings to the orchestrator, and whose work it does. */
export interface AgentContext {
  patchOps: PatchOpsRpc;
  factoryOps: FactoryOpsRpc;
  order: Order;
  phase: string;
  /** Names the phase's batch. A corrected one is `<batchId>.corrected`, its patches `<patch id>.corrected`. */
  batchId: BatchId;
  taskId?: TaskId | undefined;
  /** The name the agent gives itself in batches. */
  requester: string;
  log: Logger;
}

/**
 * An agent at work on one phase of an order: it reports what it does, places what was generated, ships batches, and
 * corrects a refused one once, where the refusal itself says how.
 */
export class BaseAgent {
  protected readonly context: AgentContext;

  constructor(context: AgentContext) {
    this.context = context;
  }

  /**
   * Publishes a phase message. Work does not stop for a message that could not be published: its patches are on record
   * either way, and the log tells what is missing.
   */
  async report(type: PhaseMessageType, message: string, data: JsonObject = {}): Promise<void> {
    const { factoryOps, order, phase, log } = this.context;
    const reported = await factoryOps.reportPhase({
      type,
      orderId: order.id,
      workspaceId: order.workspace_id,
      ...(order.project_id === null ? {} : { projectId: order.project_id }),
      phase,
      message,
      data,
    });
    if (!reported.ok) log.error("a phase message was not published", { type, code: reported.error.code });
  }

  /** Where the generated files belong in the order's workspace, as patches. */
  plan(files: readonly GeneratedFile[]): Promise<Result<BridgedPhase>> {
    const { patchOps, order } = this.context;
    return filesToPatches(
      { files },
      (file) => resolveCoordsByMarker(patchOps, order.workspace_id, file),
      fileReader(patchOps, order.workspace_id),
    );
  }

  /**
   * Sends patches as one batch. A refusal is reported with its structured error; where that error determines the fix
   * of every patch it refuses, the corrected batch is sent, once. Answers with the last outcome, `batchId` with what
   * it stands under.
   */
  async ship(
    patches: readonly PatchOperationInput[],
    reason: string,
  ): Promise<{ batchId: string; result: ApplyResult }> {
    const { batchId, taskId } = this.context;
    const named = patches.map((patch, at) =>
      PatchOperationSchema.parse({ taskId, ...patch, id: patch.id ?? patchIdOf(batchId, at) }),
    );
    const result = await this.send(batchId, named, reason);
    if (result.ok) return { batchId, result };

    await this.reportError("a batch was refused", result.error, { batchId });
    const corrected = correctBatch(named, result);
    if (!corrected) return { batchId, result };

    const secondId = correctedId(batchId);
    await this.report(Message.DETERMINISTIC_CODE_FIX_STARTED, "the refusal says how to correct the batch", {
      batchId: secondId,
      corrects: batchId,
      code: result.error.code,
      patchIds: corrected.changed,
    });
    const second = await this.send(secondId, corrected.patches, `${reason} (corrected)`);
    if (!second.ok) {
      await this.reportError("the corrected batch was refused", second.error, { batchId: secondId });
    } else if (second.outcome.status === "applied") {
      await this.report(Message.DETERMINISTIC_CODE_FIX_COMPLETED, "the corrected batch was applied", {
        batchId: secondId,
        corrects: batchId,
      });
    }
    return { batchId: secondId, result: second };
  }

  /** Runs the workspace's own check on what a batch left. */
  validate(batchId: string): Promise<Result<{ checks: CheckOutcome[] }>> {
    return this.context.patchOps.validateBatch({ workspaceId: this.context.order.workspace_id, batchId });
  }

  async reportError(message: string, error: VibeError, data: JsonObject = {}): Promise<void> {
    await this.report(Message.ERROR, message, { ...data, error: jsonOf(error) });
  }

  private async send(batchId: string, patches: readonly PatchOperation[], reason: string): Promise<ApplyResult> {
    const { patchOps, order, phase, requester } = this.context;
    const batch: PatchBatchInput = {
      batchId,
      orderId: order.id,
      workspaceId: order.workspace_id,
      ...(order.project_id === null ? {} : { projectId: order.project_id }),
      phase,
      requester,
      reason,
      patches: [...patches],
    };
    const first = await patchOps.applyPatches(batch);
    // In doubt: the same batch under the same id has one effect however often it is sent, and asking again tells.
    const inDoubt = first.ok ? first.outcome.status === "pending" : first.error.nothingWritten === null;
    return inDoubt ? patchOps.applyPatches(batch) : first;
  }
}

/** The id of a batch or patch that corrects another one. */
export const correctedId = (id: string): string => `${id}.corrected`;

/** The batch with each refused patch corrected, or null where one of them cannot be. */
function correctBatch(
  patches: readonly PatchOperation[],
  refusal: Extract<ApplyResult, { ok: false }>,
): { patches: PatchOperation[]; changed: string[] } | null {
  const errors = errorsByPatch(refusal);
  if (errors.size === 0) return null;
  const changed: string[] = [];
  const corrected: PatchOperation[] = [];
  for (const patch of patches) {
    const error = patch.id === undefined ? undefined : errors.get(patch.id);
    const fixed = error ? correctFromError(patch, error) : patch;
    if (!fixed) return null;
    // A patch id names one attempt: the refused ones keep their place in the record.
    const id = correctedId(patch.id ?? "");
    if (error) changed.push(id);
    corrected.push(PatchOperationSchema.parse({ ...fixed, id }));
  }
  return changed.length === errors.size ? { patches: corrected, changed } : null;
}

/** What is wrong with which patch; those refused only because of another of their batch are left out. */
function errorsByPatch({
  error,
  outcome,
}: Failed & { outcome?: { patches: { patch_id: string; error?: VibeError }[] } }) {
  const errors = new Map<string, VibeError>();
  for (const patch of outcome?.patches ?? []) {
    if (patch.error && patch.error.code !== "BATCH_REFUSED") errors.set(patch.patch_id, patch.error);
  }
  if (errors.size === 0 && error.patchId !== undefined) errors.set(error.patchId, error);
  return errors;
}

/** An error or a list of checks as the JSON a message carries: fields without a value are left out. */
export function jsonOf(value: VibeError | CheckOutcome[]): JsonObject[string] {
  return JSON.parse(JSON.stringify(value));
}
