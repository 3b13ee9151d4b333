import { type ReplayTree, type Result, validationError } from "@shared/contracts";
import { z } from "zod";
import type { ServiceContext } from "../../context.ts";
import { replayOf } from "./replayOf.ts";

export const ReplayTreeQuerySchema = z.object({
  /** The files after this path. */
  after: z.string().min(1).max(4096).optional(),
});
export const SeqSchema = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/**
 * The files of an order's workspace as they were after entry `seq` of its log, 0 being the source, checked against the
 * hash on record. Needs `workspaces:read`. Errors: VALIDATION_FAILED, NOT_FOUND, FORBIDDEN, TREE_MISMATCH, the engine's.
 */
export async function getReplayTree(
  ctx: ServiceContext,
  input: { orderId: string; seq: string },
): Promise<Result<ReplayTree>> {
  const parsed = ReplayTreeQuerySchema.extend({ seq: SeqSchema }).safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const found = await replayOf(ctx, input.orderId);
  return found.ok ? found.stub.replayTree(parsed.data.seq, parsed.data.after ?? null) : found;
}
