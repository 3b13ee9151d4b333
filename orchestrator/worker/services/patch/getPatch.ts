import { type CustodyRecord, fail, type PatchEvent, type Result } from "@shared/contracts";
import { requireScope, requireWorkspace, type ServiceContext } from "../../context.ts";
import { eventOf } from "../../durable-objects/workspace/records.ts";
import { stubOf } from "../workspace/workspaceObject.ts";
import { locate } from "./locate.ts";

/**
 * A patch: its last event, its life, and its diff where it was written. The life and the diff are read from the chain
 * and the log themselves, not from what was delivered of them. Needs `patches:read`. Errors: PATCH_NOT_FOUND.
 */
export async function getPatch(
  ctx: ServiceContext,
  input: { patchId: string },
): Promise<Result<{ patch: PatchEvent; events: CustodyRecord[]; diff: string | null }>> {
  const denied = requireScope(ctx, "patches:read");
  if (denied) return denied;
  const located = await locate(ctx, { by: "patch", id: input.patchId });
  if (!located.ok) return located;
  const confined = requireWorkspace(ctx, located.workspaceId);
  if (confined) return confined;

  const stub = stubOf(ctx.env, located.workspaceId);
  const events = await stub.eventsOfPatch(input.patchId);
  const last = events.at(-1);
  if (!last) return fail("PATCH_NOT_FOUND", `no patch ${input.patchId} is on record`);
  const written = events.findLast((event) => event.log !== null && event.event_type === "patch_applied");
  const entry = written?.log ? await stub.entry(written.log.seq) : null;
  const diff = entry?.patches.find((patch) => patch.patch_id === input.patchId)?.diff ?? null;
  return { ok: true, patch: eventOf(last), events, diff };
}
