import { fail, type LogEntry, type LoggedPatch, type Result, type RevertTarget } from "@shared/contracts";

/** The patches to undo, by the entry that made them what they are now. */
export type Undone = ReadonlyMap<LogEntry, ReadonlySet<string>>;

/**
 * Which patches a target names and still stand, each with the entry that applied it last. ALREADY_REVERTED where none
 * of them stands any more; PATCH_NOT_FOUND, BATCH_NOT_FOUND or UNKNOWN_TASK where the log knows none.
 */
export function undoneBy(target: RevertTarget, entries: readonly LogEntry[]): Result<{ undone: Undone }> {
  /** The entry that made a patch stand; null since it was undone. */
  const standing = new Map<string, LogEntry | null>();
  /** The entry that last did or undid a patch. */
  const latest = new Map<string, LogEntry>();
  const patches = new Map<string, LoggedPatch>();
  for (const entry of entries) {
    for (const patch of entry.patches) if (!patches.has(patch.patch_id)) patches.set(patch.patch_id, patch);
    if (entry.reverts === null) {
      for (const patch of entry.patches) standing.set(patch.patch_id, entry);
    } else {
      // Undoing what an earlier revert undid makes a patch stand again.
      for (const id of entry.reverts.patchIds) standing.set(id, standing.get(id) ? null : entry);
    }
    for (const id of entry.reverts?.patchIds ?? idsOf(entry)) latest.set(id, entry);
  }

  if (target.by === "batch") {
    const entry = entries.find(({ batchId }) => batchId === target.id);
    if (!entry) return fail("BATCH_NOT_FOUND", `The log has no batch ${target.id}.`);
    if (entry.reverts === null) return standingOf(idsOf(entry), standing, target);
    // A revert is undone as far as it is the last word on its patches.
    const ids = entry.reverts.patchIds.filter((id) => latest.get(id) === entry);
    return ids.length > 0 ? { ok: true, undone: new Map([[entry, new Set(ids)]]) } : alreadyReverted(target);
  }
  if (target.by === "patch") {
    if (!patches.has(target.id)) return fail("PATCH_NOT_FOUND", `The log has no patch ${target.id}.`);
    return standingOf([target.id], standing, target);
  }
  const ids = [...patches.values()].filter(({ task_id }) => task_id === target.id).map(({ patch_id }) => patch_id);
  if (ids.length === 0) return fail("UNKNOWN_TASK", `The log has no patch of task ${target.id}.`);
  return standingOf(ids, standing, target);
}

const idsOf = (entry: LogEntry): string[] => entry.patches.map(({ patch_id }) => patch_id);

function standingOf(
  ids: readonly string[],
  standing: ReadonlyMap<string, LogEntry | null>,
  target: RevertTarget,
): Result<{ undone: Undone }> {
  const undone = new Map<LogEntry, Set<string>>();
  for (const id of ids) {
    const entry = standing.get(id);
    if (!entry) continue;
    const known = undone.get(entry);
    if (known) known.add(id);
    else undone.set(entry, new Set([id]));
  }
  return undone.size > 0 ? { ok: true, undone } : alreadyReverted(target);
}

const alreadyReverted = (target: RevertTarget) =>
  fail("ALREADY_REVERTED", `What ${target.by} ${target.id} did is reverted already.`);
