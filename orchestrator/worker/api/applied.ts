import { BatchOutcomeSchema, MAX_BATCH_BYTES, PatchEventSchema } from "@shared/contracts";
import { z } from "zod";
import type { NamedSchema } from "./route.ts";

/** A batch at its limit, and the white space around it. */
export const MAX_BATCH_BODY_BYTES = MAX_BATCH_BYTES + 64 * 1024;

export const applyAnswer: NamedSchema = {
  name: "ApplyAnswer",
  schema: z.object({ ok: z.literal(true), outcome: BatchOutcomeSchema, results: z.array(PatchEventSchema) }),
};
