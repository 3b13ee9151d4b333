import { type ApplyResult, fail, type PatchEvent, PatchEvents, type PatchOutcome } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { errorJson } from "../../durable-objects/workspace/records.ts";
import { askEngine, resolveWorkspace } from "../workspace/workspaceObject.ts";
import { admit, type Admitted } from "./admit.ts";

/** Plans and gates a batch, writes nothing and records nothing. Needs `patches:read`. */
export async function simulatePatches(ctx: ServiceContext, batch: unknown): Promise<ApplyResult> {
  const denied = requireScope(ctx, "patches:read");
  if (denied) return denied;
  const entered = admit(ctx, batch);
  return entered.ok ? simulateAdmitted(ctx, entered.admitted) : entered;
}

export async function simulateAdmitted(ctx: ServiceContext, admitted: Admitted): Promise<ApplyResult> {
  const resolved = await resolveWorkspace(ctx, { workspaceId: admitted.workspaceId });
  if (!resolved.ok) return resolved;
  const { workspaceId } = resolved;
  const call = { batch: admitted.payload, actor: ctx.actor.id, simulate: true };
  const simulated = await askEngine(ctx, workspaceId, async (engine) => {
    const answered = await engine.apply(workspaceId, call);
    // In an answer, too, the workspace may be one the engine has lost.
    return answered.ok && answered.answer.error?.code === "WORKSPACE_NOT_FOUND"
      ? { ok: false, error: answered.answer.error }
      : answered;
  });
  if (!simulated.ok) return simulated;
  const { ok, outcome, error } = simulated.answer;
  const results = outcome?.patches.map(eventOfSimulated) ?? [];
  if (ok && outcome) return { ok: true, outcome, results };
  return {
    ...(error ? { ok: false, error } : fail("INTERNAL", "the engine refused the batch without a reason")),
    ...(outcome ? { outcome, results } : {}),
  };
}

/** What the event of a patch would say; it stands nowhere. */
const eventOfSimulated = (patch: PatchOutcome): PatchEvent => ({
  patch_id: patch.patch_id,
  file: patch.file,
  op: patch.op,
  task_id: patch.task_id,
  ts_check_ok: null,
  event_type: patch.error ? PatchEvents.PATCH_FAILED : PatchEvents.PATCH_REQUESTED,
  meta: { dry_run: true, ...(patch.error ? { error: errorJson(patch.error) } : {}) },
});
