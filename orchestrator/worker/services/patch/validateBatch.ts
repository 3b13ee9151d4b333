import { type CheckOutcome, type PatchEvent, type Result, validationError } from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { engineOf } from "../../integrations/engine.ts";
import { inWorkspace, resolveWorkspace, stubOf } from "../workspace/workspaceObject.ts";
import { locate } from "./locate.ts";

export const ValidateBatchSchema = z.object({
  workspaceId: z.string().optional(),
  batchId: z.string().min(1).max(100),
});

/**
 * Runs the workspace's own check command on what an applied batch left and records the verdict on its patches: passed,
 * they are validated; not passed, they stay applied with `ts_check_ok` false and the names of the failed checks, since
 * their edits stand. Needs `patches:write`. Errors: BATCH_NOT_FOUND, HEAD_MISMATCH (the workspace changed while it was
 * checked: ask again), those of the engine.
 */
export async function validateBatch(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ checks: CheckOutcome[]; results: PatchEvent[] }>> {
  const denied = requireScope(ctx, "patches:write");
  if (denied) return denied;
  const parsed = ValidateBatchSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { batchId, workspaceId: named } = parsed.data;
  const located =
    named === undefined ? await locate(ctx, { by: "batch", id: batchId }) : { ok: true as const, workspaceId: named };
  if (!located.ok) return located;
  const resolved = await resolveWorkspace(ctx, { workspaceId: located.workspaceId });
  if (!resolved.ok) return resolved;
  const { workspaceId } = resolved;

  // Level before and after, so that an edit made beside the orchestrator during the check is noticed.
  const before = await level(ctx, workspaceId);
  if (!before.ok) return before;
  const checked = await engineOf(ctx.env).validate(workspaceId);
  if (!checked.ok) return checked;
  const after = await level(ctx, workspaceId);
  if (!after.ok) return after;
  const { checks } = checked;
  const recorded = await stubOf(ctx.env, workspaceId).recordVerdict(workspaceId, {
    batchId,
    actor: ctx.actor.id,
    headSeq: before.headSeq,
    checks,
  });
  return recorded.ok ? { ok: true, checks, results: recorded.results } : recorded;
}

async function level(ctx: ServiceContext, workspaceId: string): Promise<Result<{ headSeq: number }>> {
  const restored = await inWorkspace(ctx, workspaceId, (stub, id) => stub.restore(id));
  if (!restored.ok) return restored;
  const { answer } = restored;
  return answer.ok ? { ok: true, headSeq: answer.workspace.head.seq } : answer;
}
