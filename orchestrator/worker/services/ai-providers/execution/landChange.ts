import { CliProviderSchema, fail, type PatchOperationInput, type VibeError, vibeError } from "@shared/contracts";
import { z } from "zod";
import {
  applyChange,
  checkApplied,
  failedCheck,
  NotSettledError,
  type PatchSubject,
  type Processed,
  type ProviderPatches,
  refused,
  revertChange,
} from "../../patch-manager/patchProcessor.ts";
import { MAX_CHANGE_BYTES, type ProviderChange } from "../driver.ts";
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
  const claimed = await steps.do(at("claim"), "durable", () => claimBatch(ctx, plan.executionId, batchId));
  if (claimed === "over") return endOf("cancelled", "cancelled before its change was applied", null);
  if (claimed === "taken") return endOf("lost-race", "another change has its place", null);

  const subject = subjectOf(work, attempt);
  let processed: Processed;
  try {
    const imported = await importIn(work, attempt);
    processed = await steps.do(at("apply"), "durable", async () => {
      const change = imported ?? (await changeIn(work, attempt));
      return change.ok ? applyChange(ctx, subject, patchesOf(change)) : refused(change.error);
    });
    if (processed.class === "patch-refused" && processed.error.code === "IDEMPOTENCY_CONFLICT") {
      // Its steps were forgotten, and the change read anew came to other edits: what was applied before does not stand.
      await takeBack(work, attempt, "it was read anew");
    }
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
  await release(work, attempt, batchId);
  const { error, remediation } = processed;
  return { ...endOf(processed.class, error.message, error), remediation };
}

/** Reverts an attempt's batch. What is returned says that it still stands. */
export const takeBack = (work: Work, attempt: Attempt, reason: string): Promise<VibeError | null> =>
  work.steps.do(`attempt ${attempt.attempt}: revert`, "durable", () =>
    revertChange(work.ctx, subjectOf(work, attempt), reason),
  );

/** Leaves the execution's place for a batch to the next attempt: this one's does not stand. */
const release = ({ steps, ctx, plan }: Work, { attempt }: Attempt, batchId: string): Promise<boolean> =>
  steps.do(`attempt ${attempt}: release`, "durable", async () => {
    await releaseBatch(ctx, plan.executionId, batchId);
    return true;
  });

/**
 * The outcome could not be learned, or the check not be run: what may stand is taken back, or said to be in doubt. What
 * is in doubt keeps its place, so that nothing is applied beside it.
 */
async function abandon(work: Work, attempt: Attempt, batchId: string): Promise<AttemptEnd> {
  const { ctx, plan } = work;
  const doubt = vibeError("ENGINE_UNAVAILABLE", `the outcome of batch ${batchId} is not known`, {
    nothingWritten: null,
  });
  try {
    const standing = await takeBack(work, attempt, "its outcome could not be learned");
    const isGone = standing === null || standing.code === "BATCH_NOT_FOUND";
    if (!isGone) return endOf("patch-refused", doubt.message, standing);
    await release(work, attempt, batchId);
    return endOf("patch-refused", doubt.message, { ...doubt, nothingWritten: true });
  } catch (error) {
    ctx.log.error("a batch is left in doubt", { executionId: plan.executionId, batchId, error });
    return endOf("patch-refused", doubt.message, doubt);
  }
}

type Change = { ok: true; change: ProviderChange } | { ok: false; error: VibeError };
type Imported = { ok: true; patches: PatchOperationInput[] } | { ok: false; error: VibeError };

const patchesOf = (change: Extract<Change | Imported, { ok: true }>): ProviderPatches =>
  "patches" in change ? { kind: "operations", patches: change.patches } : { kind: "udiff", diff: change.change.text };

/**
 * A change as operations; null of a CLI agent's, which is a diff of a copy of the workspace and applies as it is. Others'
 * diffs are of a branch elsewhere, and are placed anew. A step of its own: what the operations are depends on the
 * workspace as it stands, and once they are applied it stands otherwise.
 */
async function importIn(work: Work, attempt: Attempt): Promise<Imported | null> {
  const { steps, ctx, parts, plan } = work;
  return steps.do(`attempt ${attempt.attempt}: import`, "durable", async () => {
    const change = await changeIn(work, attempt);
    if (!change.ok) return change;
    if (change.change.format === "udiff" && CliProviderSchema.safeParse(attempt.provider).success) return null;
    const imported = await parts.importChange(ctx, { workspaceId: plan.workspaceId, change: change.change });
    if (!imported.ok && imported.error.retryable) throw new NotSettledError(imported.error);
    if (!imported.ok) return imported;
    const { patches } = imported;
    return JSON.stringify(patches).length > MAX_CHANGE_BYTES
      ? fail("BODY_TOO_LARGE", `the change comes to more than ${MAX_CHANGE_BYTES} characters of edits`)
      : { ok: true as const, patches };
  });
}

async function changeIn({ ctx, plan }: Work, { attempt }: Attempt): Promise<Change> {
  const text = await changeOf(ctx, plan.executionId, attempt);
  if (text === null) return fail("IMPORT_INVALID", "the change is not on record");
  const { format, text: body, baseCommit } = ChangeSchema.parse(JSON.parse(text));
  return { ok: true, change: { format, text: body, ...(baseCommit === undefined ? {} : { baseCommit }) } };
}

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
