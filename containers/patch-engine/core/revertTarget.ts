import { fail, type LogEntry, type LoggedPatch, type Result, type RevertTarget } from "@shared/contracts";

/** Patches by the entry that did something with them. */
export type PatchesByEntry = ReadonlyMap<LogEntry, ReadonlySet<string>>;

export interface Undone {
  /** The patches to undo, by the entry that made them what they are now. */
  targets: PatchesByEntry;
  /** All that entries did and later ones undid: the two together changed nothing. */
  cancelled: PatchesByEntry;
}

/**
 * Which patches a target names and still stand, each with the entry that applied it last. ALREADY_REVERTED where none
 * of them stands any more; PATCH_NOT_FOUND, BATCH_NOT_FOUND or UNKNOWN_TASK where the log knows none.
 */
export function undoneBy(target: RevertTarget, entries: readonly LogEntry[]): Result<{ undone: Undone }> {
  /** What did, undid and redid each patch, in turn. */
  const history = new Map<string, LogEntry[]>();
  const patches = new Map<string, LoggedPatch>();
  for (const entry of entries) {
    for (const patch of entry.patches) if (!patches.has(patch.patch_id)) patches.set(patch.patch_id, patch);
    for (const id of entry.reverts?.patchIds ?? idsOf(entry)) {
      const ofPatch = history.get(id);
      if (ofPatch) ofPatch.push(entry);
      else history.set(id, [entry]);
    }
  }

  const found = targetsOf(target, entries, patches, history);
  if (!found.ok) return found;
  const first = Math.min(...[...found.targets.keys()].map(({ seq }) => seq));
  return { ok: true, undone: { targets: found.targets, cancelled: cancelledSince(first, history) } };
}

type History = ReadonlyMap<string, readonly LogEntry[]>;

function targetsOf(
  target: RevertTarget,
  entries: readonly LogEntry[],
  patches: ReadonlyMap<string, LoggedPatch>,
  history: History,
): Result<{ targets: PatchesByEntry }> {
  if (target.by === "batch") {
    const entry = entries.find(({ batchId }) => batchId === target.id);
    if (!entry) return fail("BATCH_NOT_FOUND", `The log has no batch ${target.id}.`);
    if (entry.reverts === null) return standingOf(idsOf(entry), history, target);
    // A revert is undone as far as it is the last word on its patches.
    const ids = entry.reverts.patchIds.filter((id) => history.get(id)?.at(-1) === entry);
    return ids.length > 0 ? { ok: true, targets: new Map([[entry, new Set(ids)]]) } : alreadyReverted(target);
  }
  if (target.by === "patch") {
    if (!patches.has(target.id)) return fail("PATCH_NOT_FOUND", `The log has no patch ${target.id}.`);
    return standingOf([target.id], history, target);
  }
  const ids = [...patches.values()].filter(({ task_id }) => task_id === target.id).map(({ patch_id }) => patch_id);
  if (ids.length === 0) return fail("UNKNOWN_TASK", `The log has no patch of task ${target.id}.`);
  return standingOf(ids, history, target);
}

const idsOf = (entry: LogEntry): string[] => entry.patches.map(({ patch_id }) => patch_id);

/** The patches that stand: done, or done, undone and redone. */
function standingOf(
  ids: readonly string[],
  history: History,
  target: RevertTarget,
): Result<{ targets: PatchesByEntry }> {
  const targets = new Map<LogEntry, Set<string>>();
  for (const id of ids) {
    const ofPatch = history.get(id) ?? [];
    const last = ofPatch.at(-1);
    if (last && ofPatch.length % 2 === 1) add(targets, last, id);
  }
  return targets.size > 0 ? { ok: true, targets } : alreadyReverted(target);
}

/** What was done and undone again, both since an entry. */
function cancelledSince(seq: number, history: History): PatchesByEntry {
  const cancelled = new Map<LogEntry, Set<string>>();
  for (const [id, ofPatch] of history) {
    for (let i = 0; i + 1 < ofPatch.length; i += 2) {
      const did = ofPatch[i];
      const undid = ofPatch[i + 1];
      if (!did || !undid || did.seq < seq) continue;
      add(cancelled, did, id);
      add(cancelled, undid, id);
    }
  }
  return cancelled;
}

function add(sets: Map<LogEntry, Set<string>>, entry: LogEntry, id: string): void {
  const known = sets.get(entry);
  if (known) known.add(id);
  else sets.set(entry, new Set([id]));
}

const alreadyReverted = (target: RevertTarget) =>
  fail("ALREADY_REVERTED", `What ${target.by} ${target.id} did is reverted already.`);
