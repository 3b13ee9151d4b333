import {
  fail,
  findIllFormedString,
  MAX_BATCH_BYTES,
  OrderIdSchema,
  type PatchBatch,
  PatchBatchSchema,
  type Result,
  validationError,
} from "@shared/contracts";
import { payloadHashOf } from "patch-engine/core";
import { requireRequester, type ServiceContext } from "../../context.ts";
import { addressed } from "../workspace/workspaceObject.ts";

/** A batch that passed the door. */
export interface Admitted {
  workspaceId: string;
  batchId: string;
  batch: PatchBatch;
  /** The batch as sent, with its id: what the engine gets. JSON text. */
  payload: string;
  /** Over the batch as sent, before defaults, without its id. */
  payloadHash: string;
}

const MAX_PATH = 4096;
/** What a batch says of itself stands in each of its patches' events. */
const MAX_WORDS = { requester: 200, reason: 4000, phase: 200, branch: 300 } as const;

/**
 * The door checks, in order: size (BODY_TOO_LARGE), well-formed Unicode (ILL_FORMED_UNICODE), schema
 * (VALIDATION_FAILED), no `blockFile` (BLOCK_FILE_REFUSED), the requester (FORBIDDEN), the workspace
 * (WORKSPACE_UNRESOLVED). A batch without an id gets one.
 */
export function admit(ctx: ServiceContext, raw: unknown): Result<{ admitted: Admitted }> {
  const text = jsonText(raw);
  if (text === null) return fail("VALIDATION_FAILED", "a batch is a JSON object");
  if (text.length > MAX_BATCH_BYTES || Buffer.byteLength(text) > MAX_BATCH_BYTES) {
    return fail("BODY_TOO_LARGE", `a batch is at most ${MAX_BATCH_BYTES} bytes of JSON`);
  }
  const sent: unknown = JSON.parse(text);
  const illFormed = findIllFormedString(sent);
  if (illFormed) {
    return fail("ILL_FORMED_UNICODE", `${illFormed.join(".") || "the batch"} holds half of a surrogate pair`);
  }
  const parsed = PatchBatchSchema.safeParse(sent);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const batch = parsed.data;
  const unfit = unfitReason(batch);
  if (unfit) return unfit;
  const denied = requireRequester(ctx, batch.requester);
  if (denied) return denied;
  const named = addressed(batch);
  if (!named.ok) return named;

  const batchId = batch.batchId ?? ctx.mintId();
  const payload = batch.batchId === undefined ? `{"batchId":${JSON.stringify(batchId)},${text.slice(1)}` : text;
  const { workspaceId } = named;
  return { ok: true, admitted: { workspaceId, batchId, batch, payload, payloadHash: payloadHashOf(sent) } };
}

/** Null for what is no JSON object; RPC hands over values that JSON does not have. */
function jsonText(raw: unknown): string | null {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) return null;
  try {
    return JSON.stringify(raw);
  } catch {
    // A cycle or a bigint: the caller sent something that is no JSON, which is all there is to say.
    return null;
  }
}

function unfitReason(batch: PatchBatch) {
  for (const [index, patch] of batch.patches.entries()) {
    if ("blockFile" in patch && patch.blockFile !== undefined) {
      return fail("BLOCK_FILE_REFUSED", `patches.${index}: only patchctl reads a blockFile; send its text as block`, {
        file: patch.file,
      });
    }
    if (patch.file.length > MAX_PATH) return fail("PATH_INVALID", `patches.${index}: the path is too long`);
    if (patch.taskId !== undefined && patch.taskId.length > MAX_WORDS.phase) {
      return fail("VALIDATION_FAILED", `patches.${index}.taskId: at most ${MAX_WORDS.phase} characters`);
    }
  }
  for (const [name, max] of [
    ["requester", MAX_WORDS.requester],
    ["reason", MAX_WORDS.reason],
    ["phase", MAX_WORDS.phase],
    ["branch", MAX_WORDS.branch],
  ] as const) {
    if ((batch[name]?.length ?? 0) > max) return fail("VALIDATION_FAILED", `${name}: at most ${max} characters`);
  }
  const order = OrderIdSchema.optional().safeParse(batch.orderId);
  return order.success ? null : { ok: false as const, error: validationError(order.error) };
}
