import { type ApplyResult, fail, GENESIS_HEAD } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { askedPatchesOf } from "../../durable-objects/workspace/payload.ts";
import { outcomeWithoutEntry } from "../../durable-objects/workspace/records.ts";
import { inWorkspace } from "../workspace/workspaceObject.ts";
import type { Admitted } from "./admit.ts";

/**
 * Hands an admitted batch to its workspace's object, which takes it to the engine and streams its events to D1 and the
 * hub. Answers when the outcome is stored. Where the object itself is out of reach the outcome is in doubt: the intent
 * may be stored, and asking again with the same `batchId` will tell.
 */
export async function runPatchctlBatchAndStream(ctx: ServiceContext, admitted: Admitted): Promise<ApplyResult> {
  const { batchId, payload, payloadHash, workspaceId, batch } = admitted;
  const intent = { batchId, kind: "batch" as const, payloadHash, actor: ctx.actor.id, payload };
  try {
    const answered = await inWorkspace(ctx, workspaceId, (stub, id) => stub.submit(id, intent));
    return answered.ok ? answered.answer : answered;
  } catch (error) {
    ctx.log.error("a workspace's object is out of reach", { workspaceId, batchId, error });
    const doubt = fail("ENGINE_UNAVAILABLE", "the outcome is not known yet: ask again with the same batchId", {
      nothingWritten: null,
    });
    const patches = askedPatchesOf(batch, batchId);
    return {
      ...doubt,
      outcome: outcomeWithoutEntry(workspaceId, batchId, GENESIS_HEAD, patches, "pending", doubt.error),
      results: [],
    };
  }
}
