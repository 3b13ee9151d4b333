/** The pure heart of the patch engine: text in, text out. It knows no disk, no clock and no network. */
export { canonicalText, hashOf, sha256 } from "./canonical.ts";
export { applyEntry, effectsOf, entryHash, pathsOfEntry, payloadHashOf, verifyEntries } from "./entry.ts";
export type { ChainVerdict, FileEffect } from "./entry.ts";
export { coordinatesOf, findMarkers } from "./markers.ts";
export { checkPath, MAX_PATH_BYTES, MAX_SEGMENT_BYTES } from "./path.ts";
export type {
  FileSnapshot,
  FileSnapshots,
  Plan,
  PlannedFile,
  PlannedPatch,
  PlanOptions,
  PlanResult,
  RefusedPatch,
  TouchedLines,
} from "./planTypes.ts";
export { patchesOf, pathsOf, planBatch } from "./plan.ts";
export type { NamedPatch } from "./plan.ts";
export { pathsOfRevert, planRevert } from "./revert.ts";
export { TextFile } from "./textFile.ts";
export { TreeHash } from "./treeHash.ts";
