import { vibeError, type LogEntry, type LoggedPatch, type RevertTarget, type VibeError } from "@shared/contracts";
import { candidate, contextAround, MAX_CANDIDATES } from "./context.ts";
import { FileState } from "./fileState.ts";
import { finish } from "./finish.ts";
import type { PatchIdentity } from "./plannedPatch.ts";
import type { FileSnapshots, PlanResult } from "./planTypes.ts";
import { undoneBy, type Undone } from "./revertTarget.ts";
import { walk, type Followed, type Obstacle } from "./revertWalk.ts";
import { TextFile } from "./textFile.ts";

/** The paths to load before a revert can be planned. */
export function pathsOfRevert(target: RevertTarget, entries: readonly LogEntry[]): string[] {
  const found = undoneBy(target, entries);
  if (!found.ok) return [];
  const paths = new Set<string>();
  for (const { path, renamed } of walk(found.undone, entries).files) {
    paths.add(path);
    if (renamed) paths.add(renamed.to);
  }
  return [...paths];
}

/**
 * Plans the undoing of a patch, a batch or a task: the inverse of its splices, carried through all that came later.
 * `entries` is the whole log, `files` what stands now at `pathsOfRevert`. The plan's patches and splices bear the ids of
 * the patches they undo. PATCH_NOT_FOUND, BATCH_NOT_FOUND, UNKNOWN_TASK, ALREADY_REVERTED; REVERT_CONFLICT, with the
 * lines, where later edits intersect; STALE_CONTENT where a file was changed around the engine.
 */
export function planRevert(target: RevertTarget, entries: readonly LogEntry[], files: FileSnapshots): PlanResult {
  const found = undoneBy(target, entries);
  if (!found.ok) return { ok: false, error: found.error, patches: [] };
  const { patches, indexOf } = patchesOf(found.undone, entries);
  const { files: followed, obstacles } = walk(found.undone, entries);
  const revert = new Revert(files, indexOf);
  for (const obstacle of obstacles) revert.refuse(obstacle);
  revert.freeNames(followed);
  for (const file of followed) revert.add(file);

  const [error] = revert.errors;
  if (!error) return { ok: true, plan: finish(patches, revert.states) };
  return {
    ok: false,
    error,
    patches: patches.map(({ patch_id, op, file, task_id }) => {
      const own = revert.errors.find(({ patchId }) => patchId === patch_id);
      const refused = vibeError("BATCH_REFUSED", "Another patch cannot be reverted, and a revert is all or nothing.", {
        patchId: patch_id,
        file,
      });
      return { patch_id, op, file, task_id, error: own ?? refused };
    }),
  };
}

function patchesOf(
  undone: Undone,
  entries: readonly LogEntry[],
): { patches: PatchIdentity[]; indexOf: Map<string, number> } {
  const patches: PatchIdentity[] = [];
  const indexOf = new Map<string, number>();
  const add = ({ patch_id, op, file, task_id, metadata }: LoggedPatch) => {
    indexOf.set(patch_id, patches.length);
    patches.push({ patch_id, op, file, task_id, metadata, moved: 0 });
  };
  for (const entry of entries) {
    const ids = undone.targets.get(entry);
    for (const patch of entry.patches) if (ids?.has(patch.patch_id) && !indexOf.has(patch.patch_id)) add(patch);
  }
  return { patches, indexOf };
}

class Revert {
  readonly errors: VibeError[] = [];
  readonly states: FileState[] = [];
  readonly #files: FileSnapshots;
  readonly #indexOf: ReadonlyMap<string, number>;
  /** Names that the revert itself frees. */
  readonly #freed = new Set<string>();

  constructor(files: FileSnapshots, indexOf: ReadonlyMap<string, number>) {
    this.#files = files;
    this.#indexOf = indexOf;
  }

  refuse({ followed, patchId, why, isForeign }: Obstacle): void {
    const read = this.#read(followed.path);
    const place = followed.inverses[0];
    const message = `Patch ${patchId} cannot be reverted: ${why}.`;
    this.errors.push(
      vibeError(isForeign ? "STALE_CONTENT" : "REVERT_CONFLICT", message, {
        patchId,
        file: followed.path,
        ...(read
          ? { currentSha256: read.sha256, ...contextAround(read.text, place ? read.text.lineAt(place.start) : 1) }
          : {}),
      }),
    );
  }

  freeNames(files: readonly Followed[]): void {
    for (const { path, madeBy, deleted, renamed } of files) {
      if (!deleted && (madeBy ?? renamed)) this.#freed.add(path);
    }
  }

  add(file: Followed): void {
    if (file.deleted) this.#restore(file, file.deleted);
    else this.#change(file);
  }

  #restore(file: Followed, { bytes, mode, by }: NonNullable<Followed["deleted"]>): void {
    const path = file.renamed?.to ?? file.path;
    if (!this.#isFree(path, by[0] ?? "")) return;
    if (this.#hasConflict(file, TextFile.of(bytes), undefined)) return;
    const owners = this.#indices([
      ...by,
      ...(file.renamed?.by ?? []),
      ...file.inverses.flatMap(({ owners }) => owners),
    ]);
    const content = TextFile.of(bytes).withEdits(
      file.inverses.map(({ start, end, restore }) => ({ start, end, text: restore })),
    );
    const state = FileState.made(path, owners, file.remoded?.to ?? mode);
    state.take([{ start: 0, end: 0, text: content.bytes, owners }]);
    this.states.push(state);
  }

  #change(file: Followed): void {
    const read = this.#read(file.path);
    if (!read || read.sha256 !== file.sha256) {
      const patchId =
        file.inverses[0]?.owners[0] ?? file.madeBy?.[0] ?? file.renamed?.by[0] ?? file.remoded?.by[0] ?? "";
      const message = `Patch ${patchId} cannot be reverted: ${file.path} was changed around the engine.`;
      const detail = read ? { currentSha256: read.sha256, ...contextAround(read.text, 1) } : {};
      this.errors.push(vibeError("STALE_CONTENT", message, { patchId, file: file.path, ...detail }));
      return;
    }
    const { text, snapshot, sha256 } = read;
    if (this.#hasConflict(file, text, sha256)) return;
    const state = new FileState(file.path, snapshot, text);
    if (file.madeBy) {
      state.removers.push(...this.#indices([...file.madeBy, ...file.inverses.flatMap(({ owners }) => owners)]));
    } else {
      state.take(
        file.inverses.map(({ start, end, restore, owners }) => ({
          start,
          end,
          text: restore,
          owners: this.#indices(owners),
        })),
      );
      if (file.renamed) {
        if (!this.#isFree(file.renamed.to, file.renamed.by[0] ?? "")) return;
        state.path = file.renamed.to;
        state.renamers.push(...this.#indices(file.renamed.by));
      }
      if (file.remoded) for (const index of this.#indices(file.remoded.by)) state.setMode(file.remoded.to, index);
    }
    this.states.push(state);
  }

  /** Refuses where a later edit changed what is to be undone, and shows the lines. */
  #hasConflict(file: Followed, text: TextFile, currentSha256: string | undefined): boolean {
    const conflicts = file.inverses.filter(({ conflict }) => conflict !== null);
    const [first] = conflicts;
    if (!first) return false;
    const places = conflicts.slice(0, MAX_CANDIDATES).map(({ start, end }) => {
      const line = Math.max(1, Math.min(text.lineAt(start), text.lineCount));
      return candidate(text, line, Math.max(line, Math.min(text.lineAt(Math.max(start, end - 1)), text.lineCount)));
    });
    const line = places[0]?.start ?? 1;
    const patchId = first.owners[0] ?? "";
    const message = `Patch ${patchId} cannot be reverted: patch ${first.conflict} changed the same text of ${file.path}, at line ${line}.`;
    this.errors.push(
      vibeError("REVERT_CONFLICT", message, {
        patchId,
        file: file.path,
        ...(currentSha256 === undefined ? {} : { currentSha256 }),
        ...contextAround(text, line),
        candidates: places,
      }),
    );
    return true;
  }

  #isFree(path: string, patchId: string): boolean {
    if ((this.#files.get(path) ?? null) === null || this.#freed.has(path)) return true;
    const message = `Patch ${patchId} cannot be reverted: another file stands at ${path} now.`;
    this.errors.push(vibeError("REVERT_CONFLICT", message, { patchId, file: path }));
    return false;
  }

  #read(path: string) {
    const snapshot = this.#files.get(path) ?? null;
    if (!snapshot) return null;
    const read = TextFile.read(path, snapshot.bytes);
    return read.ok ? { text: read.text, snapshot, sha256: snapshot.sha256 } : null;
  }

  #indices(ids: readonly string[]): number[] {
    const indices = new Set<number>();
    for (const id of ids) {
      const index = this.#indexOf.get(id);
      if (index !== undefined) indices.add(index);
    }
    return [...indices].toSorted((a, b) => a - b);
  }
}
