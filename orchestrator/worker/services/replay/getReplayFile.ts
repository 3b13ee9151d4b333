import { type ReplayFile, type Result, validationError } from "@shared/contracts";
import { z } from "zod";
import type { ServiceContext } from "../../context.ts";
import { SeqSchema } from "./getReplayTree.ts";
import { replayOf } from "./replayOf.ts";

const ReplayFileQuerySchema = z.object({ seq: SeqSchema, file: z.string().min(1).max(4096) });

/**
 * A text file as it was after entry `seq` of the log of the order's workspace. Needs `workspaces:read`. Errors:
 * VALIDATION_FAILED, NOT_FOUND, FORBIDDEN, PATH_INVALID, FILE_NOT_FOUND, FILE_TOO_LARGE, TREE_MISMATCH, the engine's.
 */
export async function getReplayFile(
  ctx: ServiceContext,
  input: { orderId: string; seq: string; file: string },
): Promise<Result<ReplayFile>> {
  const parsed = ReplayFileQuerySchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const found = await replayOf(ctx, input.orderId);
  return found.ok ? found.stub.replayFile(parsed.data.seq, parsed.data.file) : found;
}
