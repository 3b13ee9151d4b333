import type { ApplyResult } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { admit } from "./admit.ts";
import { runPatchctlBatchAndStream } from "./patchRunner.ts";
import { simulateAdmitted } from "./simulatePatches.ts";

/**
 * Applies a batch: all of its patches or none. Needs `patches:write`. The same `batchId` with the same payload has one
 * effect and the same answer; with another payload it is IDEMPOTENCY_CONFLICT. An answer whose `nothingWritten` is null
 * is in doubt, its outcome `pending`: it resolves by itself, and asking again tells.
 */
export async function applyPatches(ctx: ServiceContext, batch: unknown): Promise<ApplyResult> {
  const denied = requireScope(ctx, "patches:write");
  if (denied) return denied;
  const entered = admit(ctx, batch);
  if (!entered.ok) return entered;
  return entered.admitted.batch.dryRun
    ? simulateAdmitted(ctx, entered.admitted)
    : runPatchctlBatchAndStream(ctx, entered.admitted);
}
