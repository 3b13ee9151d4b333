import { type ApplyResult, BatchOutcomeSchema, MAX_BATCH_BYTES, PatchEventSchema } from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import type { AppContext, NamedSchema } from "./route.ts";

/** A batch at its limit, and the white space around it. */
export const MAX_BATCH_BODY_BYTES = MAX_BATCH_BYTES + 64 * 1024;

export const applyAnswer: NamedSchema = {
  name: "ApplyAnswer",
  schema: z.object({ ok: z.literal(true), outcome: BatchOutcomeSchema, results: z.array(PatchEventSchema) }),
};

/** What became of a batch; 202 where that is in doubt yet and asking again with the same batchId will tell. */
export const respondApplied = (c: AppContext, result: ApplyResult): Response =>
  respond(c, result, result.ok && result.outcome.status === "pending" ? 202 : 200);
