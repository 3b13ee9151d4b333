import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fail, MAX_BATCH_BYTES, type Result } from "@shared/contracts";

/**
 * Reads a batch as JSON, and the files that its `blockFile`s name, relative to `cwd`; what else may be wrong with it
 * the engine says. BODY_TOO_LARGE, MALFORMED_JSON, VALIDATION_FAILED, IO_ERROR.
 */
export function readBatchText(text: string, cwd: string): Result<{ batch: unknown }> {
  if (Buffer.byteLength(text) > MAX_BATCH_BYTES) return tooLarge();
  let batch: unknown;
  try {
    batch = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return fail("MALFORMED_JSON", `the batch is not JSON: ${error.message}`);
  }
  return withBlockFiles(batch, cwd);
}

export const tooLarge = () => fail("BODY_TOO_LARGE", `a batch is at most ${MAX_BATCH_BYTES} bytes`);

/** The batch by this id where it has none of its own. */
export const named = (batch: unknown, batchId: string | undefined): unknown =>
  batchId === undefined || typeof batch !== "object" || batch === null || Array.isArray(batch) || "batchId" in batch
    ? batch
    : { ...batch, batchId };

function withBlockFiles(batch: unknown, cwd: string): Result<{ batch: unknown }> {
  if (typeof batch !== "object" || batch === null || !("patches" in batch) || !Array.isArray(batch.patches)) {
    return { ok: true, batch };
  }
  const patches: unknown[] = [];
  for (const patch of batch.patches as unknown[]) {
    const naming = typeof patch === "object" && patch !== null && "blockFile" in patch ? patch : null;
    if (naming === null || typeof naming.blockFile !== "string") {
      patches.push(patch);
      continue;
    }
    if ("block" in naming) return fail("VALIDATION_FAILED", "a patch has either a block or a blockFile, not both");
    const { blockFile, ...rest } = naming;
    try {
      patches.push({ ...rest, block: readFileSync(resolve(cwd, blockFile), "utf8") });
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "failed";
      return fail("IO_ERROR", `cannot read the blockFile ${blockFile}: ${code}`);
    }
  }
  return { ok: true, batch: { ...batch, patches } };
}
