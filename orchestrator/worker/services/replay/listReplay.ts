import { type Replay, type Result, validationError } from "@shared/contracts";
import { z } from "zod";
import type { ServiceContext } from "../../context.ts";
import { replayOf } from "./replayOf.ts";

export const ListReplaySchema = z.object({
  /** The batches after this entry. */
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(500).default(200),
});

/**
 * An order's batches in the order they were carried out: when, by whom, the tree each left, the files it changed. Needs
 * `workspaces:read`. Errors: VALIDATION_FAILED, NOT_FOUND, FORBIDDEN.
 */
export async function listReplay(ctx: ServiceContext, input: { orderId: string }): Promise<Result<Replay>> {
  const parsed = ListReplaySchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { after, limit } = parsed.data;
  const found = await replayOf(ctx, input.orderId);
  if (!found.ok) return found;
  // One more than the page says whether there is another.
  const { batches, head } = await found.stub.replayBatches(input.orderId, after, limit + 1);
  const shown = batches.slice(0, limit);
  const next = batches.length > limit ? (shown.at(-1)?.seq ?? null) : null;
  return { ok: true, workspaceId: found.workspaceId, head, batches: shown, next };
}
