import { fail, type Result } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { getPatch } from "./getPatch.ts";

/** A patch's unified diff. Needs `patches:read`. Errors: PATCH_NOT_FOUND, NOT_FOUND (the patch wrote nothing). */
export async function getPatchDiff(ctx: ServiceContext, input: { patchId: string }): Promise<Result<{ diff: string }>> {
  const found = await getPatch(ctx, input);
  if (!found.ok) return found;
  return found.diff === null
    ? fail("NOT_FOUND", `patch ${input.patchId} wrote nothing, so it has no diff`)
    : { ok: true, diff: found.diff };
}
