import {
  orderOfWorkspace,
  type PatchBatch,
  PatchBatchSchema,
  patchIdOf,
  type RevertTarget,
  RevertTargetSchema,
} from "@shared/contracts";
import { patchesOf } from "patch-engine/core";
import { z } from "zod";
import type { Intent } from "./Intents.ts";
import type { AskedPatch, BatchFacts } from "./records.ts";

/** What an intent asks for, read from its payload. */
export type Asked = { facts: BatchFacts; patches: AskedPatch[] } & (
  | { kind: "batch" }
  | { kind: "revert"; target: RevertTarget }
);

export const RevertPayloadSchema = z.object({
  target: RevertTargetSchema,
  requester: z.string(),
  reason: z.string(),
});
export type RevertPayload = z.infer<typeof RevertPayloadSchema>;

/** The patches under the ids that the engine gives them: a diff is one for each of its files. */
export const askedPatchesOf = (batch: PatchBatch, batchId: string): AskedPatch[] =>
  patchesOf(batch, (index) => patchIdOf(batchId, index)).map(({ patch_id, file, op, task_id, metadata }) => ({
    patchId: patch_id,
    file,
    op,
    taskId: task_id,
    provider: metadata?.provider ?? null,
    model: metadata?.model ?? null,
  }));

export function askedOf(intent: Intent, workspaceId: string): Asked {
  const { batchId, actor } = intent;
  const payload: unknown = JSON.parse(intent.payload);
  if (intent.kind === "revert") {
    const { target, requester, reason } = RevertPayloadSchema.parse(payload);
    const facts = { batchId, actor, requester, reason, orderId: null, projectId: null, phase: null, branch: null };
    return { kind: "revert", target, facts, patches: [] };
  }
  const batch = PatchBatchSchema.parse(payload);
  const facts = {
    batchId,
    actor,
    requester: batch.requester,
    reason: batch.reason,
    orderId: batch.orderId ?? orderOfWorkspace(workspaceId),
    projectId: batch.projectId ?? null,
    phase: batch.phase ?? null,
    branch: batch.branch,
  };
  return { kind: "batch", facts, patches: askedPatchesOf(batch, batchId) };
}
