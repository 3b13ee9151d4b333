import { vibeError, type PatchBatch } from "@shared/contracts";
import type { FileSnapshots, PlanOptions, PlanResult } from "./planTypes.ts";

/** The paths to load before a batch can be planned: old names and new ones. */
export function pathsOf(batch: Pick<PatchBatch, "patches">): string[] {
  const paths = new Set<string>();
  for (const patch of batch.patches) {
    if (patch.file !== "") paths.add(patch.file);
    if (patch.op === "rename-file") paths.add(patch.to);
  }
  return [...paths];
}

export function planBatch(_batch: PatchBatch, _files: FileSnapshots, _options: PlanOptions): PlanResult {
  return { ok: false, error: vibeError("UNSUPPORTED_OPERATION", "Planning is not built yet."), patches: [] };
}
