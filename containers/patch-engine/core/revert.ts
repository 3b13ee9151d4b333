import { vibeError, type LogEntry, type RevertTarget } from "@shared/contracts";
import type { FileSnapshots, PlanResult } from "./planTypes.ts";

/** The paths to load before a revert can be planned. */
export function pathsOfRevert(_target: RevertTarget, entries: readonly LogEntry[]): string[] {
  return [
    ...new Set(
      entries.flatMap((entry) => entry.files.flatMap((file) => [file.path, ...(file.from ? [file.from] : [])])),
    ),
  ];
}

export function planRevert(_target: RevertTarget, _entries: readonly LogEntry[], _files: FileSnapshots): PlanResult {
  return { ok: false, error: vibeError("UNSUPPORTED_OPERATION", "Reverting is not built yet."), patches: [] };
}
