import { type VibeError, vibeError } from "@shared/contracts";
import { z } from "zod";
import {
  applyChange,
  checkApplied,
  failedCheck,
  NotSettledError,
  type PatchSubject,
  type Processed,
  type ProviderPatches,
  remediationOf,
  revertChange,
} from "../../patch-manager/patchProcessor.ts";
import type { ProviderChange } from "../driver.ts";
import { changeOf, claimBatch, releaseBatch } from "./records.ts";
import { type Attempt, type AttemptEnd, batchIdOf, type Work } from "./work.ts";

const ChangeSchema = z.object({
  format: z.enum(["udiff", "search-replace", "files", "apply-patch"]),
  text: z.string(),
  baseCommit: z.string().optional(),
});

/**
 * Applies what an attempt collected: one batch under the gates, then the workspace's own check; what fails it is taken
 * back. The attempt first takes the execution's one place for a batch: a cancellation, or another of a race that was
 * before it, has it otherwise. Where the engine stays away beyond any outage, that is the error of a refusal.
 */
export async function landChange(work: Work, attempt: Attempt): Promise<AttemptEnd> {
  const { steps, ctx, plan } = work;
  const batchId = batchIdOf(work, attempt);
  const at = (what: string): string => `attempt ${attempt.attempt}: ${what}`;
  const isOurs = await steps.do(at("claim"), "durable", () => claimBatch(ctx, plan.executionId, batchId));
  if (!isOurs) return endOf("cancelled", "cancelled before its change was applied", null);

  const subject = subjectOf(work, attempt);
  let processed: Processed;
  try {
    processed = await steps.do(at("apply"), "durable", async () => {
      const change = await changeIn(work, attempt);
      return change.ok ? applyChange(ctx, subject, change.patches) : unreadable(change.error);
    });
    if (processed.class === "applied") {
      const failure = await steps.do(at("validate"), "durable", () => checkApplied(ctx, subject));
      if (failure !== null) {
        const standing = await takeBack(work, attempt, failure.message);
        processed = failedCheck(standing ?? failure);
      }
    }
  } catch (error) {
    ctx.log.error("a change did not come to its end", { executionId: plan.executionId, batchId, error });
    return abandon(work, attempt, batchId);
  }
  if (processed.class === "applied") return endOf("applied", `batch ${batchId} was applied`, null);
  await steps.do(at("release"), "durable", async () => {
    await releaseBatch(ctx, plan.executionId, batchId);
    return true;
  });
  const { error, remediation } = processed;
  return { ...endOf(processed.class, error.message, error), remediation };
}

/** Reverts an attempt's batch. What is returned says that it still stands. */
export const takeBack = (work: Work, attempt: Attempt, reason: string): Promise<VibeError | null> =>
  work.steps.do(`attempt ${attempt.attempt}: revert`, "durable", () =>
    revertChange(work.ctx, subjectOf(work, attempt), reason),
  );

/** The outcome could not be learned, or the check not be run: what may stand is taken back, or said to be in doubt. */
async function abandon(work: Work, attempt: Attempt, batchId: string): Promise<AttemptEnd> {
  const { ctx, plan } = work;
  const doubt = vibeError("ENGINE_UNAVAILABLE", `the outcome of batch ${batchId} is not known`, {
    nothingWritten: null,
  });
  try {
    const standing = await takeBack(work, attempt, "its outcome could not be learned");
    const isGone = standing === null || standing.code === "BATCH_NOT_FOUND";
    return endOf("patch-refused", doubt.message, isGone ? { ...doubt, nothingWritten: true } : standing);
  } catch (error) {
    ctx.log.error("a batch is left in doubt", { executionId: plan.executionId, batchId, error });
    return endOf("patch-refused", doubt.message, doubt);
  }
}

async function changeIn(
  { ctx, parts, plan }: Work,
  { attempt }: Attempt,
): Promise<{ ok: true; patches: ProviderPatches } | { ok: false; error: VibeError }> {
  const text = await changeOf(ctx, plan.executionId, attempt);
  if (text === null) return { ok: false, error: vibeError("IMPORT_INVALID", "the change is not on record") };
  const change: ProviderChange = withoutUndefined(ChangeSchema.parse(JSON.parse(text)));
  if (change.format === "udiff") return { ok: true, patches: { kind: "udiff", diff: change.text } };
  const imported = await parts.importChange(ctx, { workspaceId: plan.workspaceId, change });
  if (!imported.ok && imported.error.retryable) throw new NotSettledError(imported.error);
  return imported.ok ? { ok: true, patches: { kind: "operations", patches: imported.patches } } : imported;
}

const withoutUndefined = ({ format, text, baseCommit }: z.infer<typeof ChangeSchema>): ProviderChange => ({
  format,
  text,
  ...(baseCommit === undefined ? {} : { baseCommit }),
});

const unreadable = (error: VibeError): Processed => ({
  class: "import-refused",
  error,
  remediation: remediationOf("import-refused", error),
});

function subjectOf(work: Work, attempt: Attempt): PatchSubject {
  const { plan } = work;
  return {
    batchId: batchIdOf(work, attempt),
    workspaceId: plan.workspaceId,
    orderId: plan.order.id,
    projectId: plan.order.project_id,
    taskId: plan.task.id,
    provider: attempt.provider,
    model: attempt.model,
    reason: `${plan.task.title} (execution ${plan.executionId})`,
  };
}

const endOf = (attemptClass: AttemptEnd["class"], message: string, error: VibeError | null): AttemptEnd => ({
  class: attemptClass,
  message,
  error,
  remediation: null,
  until: null,
});
