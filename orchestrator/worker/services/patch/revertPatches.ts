import {
  type ApplyResult,
  BatchIdSchema,
  fail,
  findIllFormedString,
  OrderIdSchema,
  PatchIdSchema,
  type RevertTarget,
  RevertTargetSchema,
  validationError,
  WorkspaceIdSchema,
} from "@shared/contracts";
import { hashOf } from "patch-engine/core";
import { z } from "zod";
import { requireRequester, requireScope, type ServiceContext } from "../../context.ts";
import type { RevertPayload } from "../../durable-objects/workspace/payload.ts";
import { logOperation } from "../logging/logOperation.ts";
import { addressed, inWorkspace } from "../workspace/workspaceObject.ts";
import { locate } from "./locate.ts";

export const RevertSchema = z.object({
  workspaceId: z.string().optional(),
  orderId: z.string().optional(),
  target: RevertTargetSchema,
  batchId: BatchIdSchema.optional(),
  requester: z.string().max(200).default("agent"),
  reason: z.string().max(4000).default(""),
});

/**
 * Undoes a patch, a batch or all of a task's patches; later edits stay. Needs `patches:revert`. The workspace is the one
 * named, else the order's, else the one that holds the target. Errors: ALREADY_REVERTED, REVERT_CONFLICT (a later edit
 * stands on the same lines, which it names), PATCH_NOT_FOUND, BATCH_NOT_FOUND; in doubt as for a batch.
 */
export async function revertPatches(ctx: ServiceContext, input: unknown): Promise<ApplyResult> {
  const denied = requireScope(ctx, "patches:revert");
  if (denied) return denied;
  const parsed = RevertSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  if (findIllFormedString(parsed.data)) return fail("ILL_FORMED_UNICODE", "a text holds half of a surrogate pair");
  const { target, requester, reason, workspaceId, orderId } = parsed.data;
  const mayNot = requireRequester(ctx, requester);
  if (mayNot) return mayNot;
  const found =
    workspaceId === undefined && orderId === undefined
      ? await locate(ctx, target)
      : addressed({ workspaceId, orderId });
  if (!found.ok) return found;

  const payload: RevertPayload = { target, requester, reason };
  const batchId = parsed.data.batchId ?? ctx.mintId();
  const intent = {
    batchId,
    kind: "revert" as const,
    payloadHash: hashOf(payload),
    actor: ctx.actor.id,
    payload: JSON.stringify(payload),
  };
  try {
    const answered = await inWorkspace(ctx, found.workspaceId, (stub, id) => stub.submit(id, intent));
    const answer = answered.ok ? answered.answer : answered;
    logRevert(ctx, { workspaceId: found.workspaceId, orderId, target, reason, requester, batchId }, answer);
    return answer;
  } catch (error) {
    ctx.log.error("a workspace's object is out of reach", { workspaceId: found.workspaceId, batchId, error });
    return fail("ENGINE_UNAVAILABLE", `the outcome is not known yet: ask again with batchId ${batchId}`, {
      nothingWritten: null,
    });
  }
}

/** A line about what was undone, or why not; after the answer. */
function logRevert(
  ctx: ServiceContext,
  asked: {
    workspaceId: string;
    orderId: string | undefined;
    target: RevertTarget;
    reason: string;
    requester: string;
    batchId: string;
  },
  answer: ApplyResult,
): void {
  const { workspaceId, orderId, target, ...rest } = asked;
  const what = `${target.by} ${target.id}`;
  const order = OrderIdSchema.safeParse(orderId);
  const patch = target.by === "patch" ? PatchIdSchema.safeParse(target.id) : null;
  const workspace = WorkspaceIdSchema.safeParse(workspaceId);
  logOperation(ctx, "patches", {
    operation: "patch.revert",
    level: answer.ok ? "info" : "warn",
    message: answer.ok ? `${what}: ${answer.outcome.status}` : `${what}: ${answer.error.code}: ${answer.error.message}`,
    outcome: answer.ok ? answer.outcome.status : "refused",
    ...(workspace.success ? { workspaceId: workspace.data } : {}),
    ...(order.success ? { orderId: order.data } : {}),
    ...(patch?.success ? { patchId: patch.data } : {}),
    requestId: ctx.requestId,
    meta: rest,
  });
}
