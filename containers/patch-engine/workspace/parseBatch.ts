import {
  fail,
  findIllFormedString,
  PatchBatchSchema,
  validationError,
  type PatchBatch,
  type Result,
} from "@shared/contracts";
import { payloadHashOf } from "../core/index.ts";

/** A batch as its sender wrote it, parsed, with the hash that knows it again. */
export function parseBatch(raw: unknown): Result<{ batch: PatchBatch; payloadHash: string; explicitCheck: boolean }> {
  const illFormed = findIllFormedString(raw);
  if (illFormed) {
    const where = illFormed.join(".") || "the batch";
    return fail("ILL_FORMED_UNICODE", `${where}: a string holds a lone surrogate`, {
      findings: [{ path: illFormed, message: "a lone surrogate" }],
    });
  }
  const parsed = PatchBatchSchema.safeParse(raw);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const batch = parsed.data;
  for (const [index, patch] of batch.patches.entries()) {
    if ("blockFile" in patch && patch.blockFile !== undefined) {
      return fail("BLOCK_FILE_REFUSED", `patches.${index}: only patchctl reads a blockFile; send the text as block`, {
        file: patch.file,
        ...(patch.id !== undefined && { patchId: patch.id }),
      });
    }
  }
  const explicitCheck = typeof raw === "object" && raw !== null && "check" in raw && raw.check !== undefined;
  return { ok: true, batch, payloadHash: payloadHashOf(raw), explicitCheck };
}
