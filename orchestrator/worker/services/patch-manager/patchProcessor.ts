import {
  type AIPatch,
  AIPatchSchema,
  type ErrorCode,
  type PatchBatchInput,
  type PatchOperation,
  PatchOperationSchema,
  type Result,
  validationError,
  type VibeError,
  vibeError,
} from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { applyPatches } from "../patch/applyPatches.ts";
import { revertPatches } from "../patch/revertPatches.ts";
import { validateBatch } from "../patch/validateBatch.ts";
import { logOperation } from "./logOperation.ts";

/** What an AI made of a task: operations, the patches of the specification, or one unified diff. */
export type ProviderPatches =
  | { kind: "operations"; patches: PatchOperation[] }
  | { kind: "patches"; patches: AIPatch[] }
  | { kind: "udiff"; diff: string };

/** Whose change it is and where it belongs. */
export interface PatchSubject {
  /** Names the batch: processed twice, it is applied once. */
  batchId: string;
  workspaceId: string;
  orderId: string | null;
  projectId: string | null;
  taskId: string;
  provider: string;
  model: string | null;
  reason: string;
}

/** Why a change does not stand, in the classes of attempts. */
export type RefusalClass = "import-refused" | "gate-refused" | "patch-refused" | "validation-failed";
/** What became of a change. `remediation` is what its author is told, to do better. */
export type Processed =
  | { class: "applied"; batchId: string }
  | { class: RefusalClass; error: VibeError; remediation: string };

/** The change cannot be read: it names no place at all. */
const UNREADABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "DIFF_INVALID",
  "DIFF_BINARY",
  "IMPORT_INVALID",
  "VALIDATION_FAILED",
  "ILL_FORMED_UNICODE",
  "MISSING_BLOCK",
  "BODY_TOO_LARGE",
]);
const GATES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "TASK_SCOPE_VIOLATION",
  "GUARDED_REGION",
  "CHANGE_LIMIT_EXCEEDED",
  "OMISSION_FOUND",
  "SECRET_FOUND",
  "SYNTAX_ERROR",
  "TYPE_ERROR",
  "CHECK_FAILED",
]);

/** Thrown where the outcome is not known, or may be another in a moment: the same call again will tell. */
export class NotSettledError extends Error {
  readonly error: VibeError;
  constructor(error: VibeError) {
    super(`${error.code}: ${error.message}`);
    this.error = error;
    this.name = "NotSettledError";
  }
}

/**
 * Applies a provider's change as one batch under the task's gates and writes down how that ended. The same subject again
 * is the same batch: it has one effect. Needs `patches:write`. Throws NotSettledError where the engine did not answer or
 * the outcome is in doubt: asking again tells.
 */
export async function applyChange(
  ctx: ServiceContext,
  subject: PatchSubject,
  change: ProviderPatches,
): Promise<Processed> {
  const began = ctx.now().getTime();
  const built = batchOf(subject, change);
  const processed: Processed = built.ok ? await submit(ctx, subject, built.batch) : refused(built.error);
  await log(ctx, subject, processed, ctx.now().getTime() - began);
  return processed;
}

/**
 * Runs the workspace's own check on what the batch left. Null: it passed, or there is none. Needs `patches:write`.
 * Throws NotSettledError where it could not be run to its end.
 */
export async function checkApplied(ctx: ServiceContext, subject: PatchSubject): Promise<VibeError | null> {
  const { batchId, workspaceId } = subject;
  const validated = await validateBatch(ctx, { batchId, workspaceId });
  if (!validated.ok) throw new NotSettledError(validated.error);
  const failed = validated.checks.filter((check) => check.ok === false);
  if (failed.length === 0) return null;
  return vibeError("CHECK_FAILED", `the workspace's check failed: ${failed.map(({ name }) => name).join(", ")}`, {
    findings: failed.flatMap(({ findings }) => findings).slice(0, 50),
  });
}

/**
 * Takes an applied batch back. Asked twice, it is one revert. Needs `patches:revert`. Throws NotSettledError where the
 * outcome is in doubt; an error that is returned means that the batch still stands.
 */
export async function revertChange(
  ctx: ServiceContext,
  subject: PatchSubject,
  reason: string,
): Promise<VibeError | null> {
  const { batchId, workspaceId, provider } = subject;
  const target = { by: "batch" as const, id: batchId };
  const reverted = await revertPatches(ctx, {
    workspaceId,
    target,
    batchId: `${batchId}.revert`,
    requester: provider,
    reason,
  });
  if (reverted.ok || reverted.error.code === "ALREADY_REVERTED") return null;
  if (isUnsettled(reverted.error)) throw new NotSettledError(reverted.error);
  return reverted.error;
}

/**
 * A provider's change the whole way: applied under the gates, checked, and taken back where the check fails. For callers
 * that need no durable step in between. Needs `patches:write` and `patches:revert`; VALIDATION_FAILED for patches that
 * are none.
 */
export async function processPatches(
  ctx: ServiceContext,
  subject: PatchSubject,
  patches: unknown,
): Promise<Result<{ processed: Processed }>> {
  const denied = requireScope(ctx, "patches:write") ?? requireScope(ctx, "patches:revert");
  if (denied) return denied;
  const parsed = z.array(AIPatchSchema).min(1).safeParse(patches);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  try {
    const applied = await applyChange(ctx, subject, { kind: "patches", patches: parsed.data });
    if (applied.class !== "applied") return { ok: true, processed: applied };
    const failed = await checkApplied(ctx, subject);
    if (failed === null) return { ok: true, processed: applied };
    const standing = await revertChange(ctx, subject, failed.message);
    return standing === null ? { ok: true, processed: failedCheck(failed) } : { ok: false, error: standing };
  } catch (error) {
    if (error instanceof NotSettledError) return { ok: false, error: error.error };
    throw error;
  }
}

/** What stands for a change that was applied, checked and taken back. */
export const failedCheck = (error: VibeError): Processed => ({
  class: "validation-failed",
  error,
  remediation: remediationOf("validation-failed", error),
});

/** What the author of a refused change is told: the error with all that locates it. */
export function remediationOf(refusal: RefusalClass, error: VibeError): string {
  const said = {
    "import-refused": "Your answer could not be read as a change. Nothing was written.",
    "gate-refused": "Your change was refused by a gate. Nothing was written.",
    "patch-refused": "Your change could not be placed. Nothing was written.",
    "validation-failed": "Your change was applied, failed the workspace's own check and was taken back.",
  }[refusal];
  return `${said} Do the task again so that this does not happen:\n${JSON.stringify(error, null, 2).slice(0, 20_000)}`;
}

function refused(error: VibeError): Processed {
  const refusal = UNREADABLE.has(error.code)
    ? "import-refused"
    : GATES.has(error.code)
      ? "gate-refused"
      : "patch-refused";
  return { class: refusal, error, remediation: remediationOf(refusal, error) };
}

async function submit(ctx: ServiceContext, subject: PatchSubject, batch: PatchBatchInput): Promise<Processed> {
  const applied = await applyPatches(ctx, batch);
  if (applied.ok) return { class: "applied", batchId: subject.batchId };
  if (isUnsettled(applied.error)) throw new NotSettledError(applied.error);
  return refused(applied.error);
}

/** In doubt, or refused for a reason that passes. */
const isUnsettled = (error: VibeError): boolean => error.nothingWritten === null || error.retryable;

/** A change as the batch that is asked for: the same change makes the same batch. */
function batchOf(subject: PatchSubject, change: ProviderPatches): Result<{ batch: PatchBatchInput }> {
  const { provider, model, taskId } = subject;
  const metadata = { provider, ...(model === null ? {} : { model }) };
  const patches: PatchBatchInput["patches"] = [];
  if (change.kind === "udiff") patches.push({ op: "apply-diff", diff: change.diff, taskId, metadata });
  else if (change.kind === "operations") {
    for (const patch of change.patches)
      patches.push({ ...patch, taskId, metadata: { ...metadata, ...patch.metadata } });
  } else {
    for (const patch of change.patches) {
      const operation = operationOf(patch, taskId);
      if (!operation.ok) return operation;
      patches.push(operation.patch);
    }
  }
  const { batchId, workspaceId, orderId, projectId, reason } = subject;
  return {
    ok: true,
    batch: {
      batchId,
      workspaceId,
      ...(orderId === null ? {} : { orderId }),
      ...(projectId === null ? {} : { projectId }),
      requester: provider,
      reason: reason.slice(0, 1000),
      check: "types",
      patches,
    },
  };
}

/** A patch of the specification as an operation; it says itself where, and the task is the execution's. */
function operationOf(patch: AIPatch, taskId: string): Result<{ patch: PatchOperation }> {
  const { operation: op, file, start, end, line, block, metadata } = patch;
  const parsed = PatchOperationSchema.safeParse({ op, file, start, end, line, block, metadata, taskId });
  return parsed.success ? { ok: true, patch: parsed.data } : { ok: false, error: validationError(parsed.error) };
}

/** One line of the log of operations for each outcome of a batch. */
function log(ctx: ServiceContext, subject: PatchSubject, processed: Processed, durationMs: number): Promise<void> {
  const error = processed.class === "applied" ? null : processed.error;
  return logOperation(ctx, {
    operation: `ai_patch.${processed.class}`,
    key: subject.batchId,
    level: error === null ? "info" : "warn",
    message:
      error === null
        ? `${subject.provider}'s change was applied`
        : `${subject.provider}'s change was refused: ${error.code}: ${error.message}`,
    orderId: subject.orderId,
    taskId: subject.taskId,
    durationMs,
    meta: { batch_id: subject.batchId, provider: subject.provider, model: subject.model, code: error?.code ?? null },
  });
}
