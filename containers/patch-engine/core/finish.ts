import { Buffer } from "node:buffer";
import type { Splice } from "@shared/contracts";
import { sha256 } from "./canonical.ts";
import { diffOf, type DiffSubject } from "./diff.ts";
import type { Edit } from "./edit.ts";
import type { FileState } from "./fileState.ts";
import { EditShare, PatchOfPlan, WholeShare, type EditedFile, type PatchIdentity, type Share } from "./plannedPatch.ts";
import type { Plan, PlannedFile } from "./planTypes.ts";
import type { TextFile } from "./textFile.ts";

const NOTHING = Buffer.alloc(0);

/** Turns files with their edits into a plan: splices, hashes, diffs, and what each patch has done. */
export function finish(patches: readonly PatchIdentity[], states: readonly FileState[]): Plan {
  const plan = new PlanInProgress(patches);
  const removed = new Map<string, FileState>();
  for (const state of states) {
    if (state.origin !== null && state.removers.length > 0) removed.set(state.origin, state);
  }
  for (const state of states) {
    const gone = state.origin === null ? removed.get(state.path) : undefined;
    if (state.removers.length > 0) continue;
    if (state.origin === null) {
      if (gone) plan.addReplacement(gone, state);
      else plan.addCreation(state);
      removed.delete(state.path);
    } else plan.addChange(state, state.origin);
  }
  for (const [path, state] of removed) plan.addDeletion(path, state);
  return plan.done();
}

class PlanInProgress {
  readonly #files: PlannedFile[] = [];
  readonly #patches: PatchOfPlan[];

  constructor(patches: readonly PatchIdentity[]) {
    this.#patches = patches.map((patch) => new PatchOfPlan(patch));
  }

  addChange(state: FileState, origin: string): void {
    const opened = state.close();
    const { before, text, path } = state;
    const isRename = path !== origin;
    const edits = state.edits.filter((edit) => !changesNothing(before, edit));
    const oldMode = state.snapshot?.mode ?? state.mode;
    const modes = oldMode === state.mode ? {} : { oldMode, mode: state.mode };
    const subject: DiffSubject = isRename
      ? { kind: "rename", from: origin, path, ...modes }
      : { kind: "edit", path, ...modes };
    const own: DiffSubject = { kind: "edit", path: origin };
    this.#shareEdits({ subject: own, file: origin, before, after: text, opened }, state.edits);
    for (const renamer of isRename ? state.renamers : []) {
      const touched = [
        { file: origin, start: 1, end: before.lineCount },
        { file: path, start: 1, end: 0 },
      ];
      const renaming: DiffSubject = { kind: "rename", from: origin, path };
      this.#share(renamer, new WholeShare(renaming, before, [], touched));
    }
    for (const setter of "oldMode" in modes ? state.modeSetters : []) {
      const touched = [{ file: origin, start: 1, end: before.lineCount }];
      this.#share(setter, new WholeShare({ ...own, ...modes }, before, [], touched));
    }
    if (!isRename && edits.length === 0 && !("oldMode" in modes)) return;
    this.#files.push({
      ...this.#contents(state, text),
      path,
      from: isRename ? origin : null,
      kind: subject.kind,
      mode: state.mode,
      ...("oldMode" in modes ? { modeBefore: oldMode } : {}),
      splices: edits.map((edit) => this.#spliceOf(before, edit)),
      ...diffOf(subject, before, edits),
    });
  }

  addCreation(state: FileState): void {
    const opened = state.close();
    const { before, text, path, mode } = state;
    const subject: DiffSubject = { kind: "create", path, mode };
    this.#shareEdits({ subject, file: path, before, after: text, opened }, state.edits);
    const owners = ownersOf(state.makers, state.edits);
    for (const maker of state.makers) {
      const touched = [{ file: path, start: 1, end: 0 }];
      const isKnown = state.edits.some((edit) => edit.owners.includes(maker));
      if (!isKnown) this.#share(maker, new WholeShare(subject, before, [], touched));
    }
    this.#files.push({
      ...this.#contents(state, text),
      path,
      from: null,
      kind: "create",
      mode,
      splices: [this.#spliceOf(before, { start: 0, end: 0, text: text.bytes, owners })],
      ...diffOf(subject, null, state.edits),
    });
  }

  addDeletion(path: string, state: FileState): void {
    const { before, mode } = state;
    const subject: DiffSubject = { kind: "delete", path, mode };
    const whole: Edit = {
      start: 0,
      end: before.bytes.length,
      text: NOTHING,
      owners: ownersOf(state.removers, state.edits),
    };
    const touched = [{ file: path, start: 1, end: before.lineCount }];
    for (const owner of whole.owners) this.#share(owner, new WholeShare(subject, before, [whole], touched));
    this.#files.push({
      ...this.#contents(state, null),
      path,
      from: null,
      kind: "delete",
      mode,
      splices: [this.#spliceOf(before, whole)],
      ...diffOf(subject, before, [whole]),
    });
  }

  /** A file deleted and made anew under its name is that file with all of it replaced. */
  addReplacement(gone: FileState, made: FileState): void {
    made.close();
    const { before, mode } = gone;
    const { path } = made;
    const subject: DiffSubject = { kind: "edit", path };
    const owners = ownersOf([...gone.removers, ...made.makers], [...gone.edits, ...made.edits]);
    const whole: Edit = { start: 0, end: before.bytes.length, text: made.text.bytes, owners };
    const touched = [{ file: path, start: 1, end: before.lineCount }];
    const landed = { start: 1, end: made.text.lineCount };
    for (const owner of owners) this.#share(owner, new WholeShare(subject, before, [whole], touched, landed));
    if (changesNothing(before, whole)) return;
    this.#files.push({
      ...this.#contents(gone, made.text),
      path,
      from: null,
      kind: "edit",
      mode,
      splices: [this.#spliceOf(before, whole)],
      ...diffOf(subject, before, [whole]),
    });
  }

  done(): Plan {
    return { files: this.#files, patches: this.#patches };
  }

  #contents(
    state: FileState,
    after: TextFile | null,
  ): Pick<PlannedFile, "before" | "after" | "beforeSha256" | "afterSha256"> {
    const { snapshot } = state;
    const isSame = after !== null && snapshot !== null && after === state.before;
    return {
      before: snapshot?.bytes ?? null,
      after: after?.bytes ?? null,
      beforeSha256: snapshot?.sha256 ?? null,
      afterSha256: after ? (isSame ? snapshot.sha256 : sha256(after.bytes)) : null,
    };
  }

  /** Tells each owner of the edits what it did. */
  #shareEdits(file: EditedFile, edits: readonly Edit[]): void {
    const ofOwner = new Map<number, EditShare>();
    let delta = 0;
    for (const edit of edits) {
      for (const owner of edit.owners) {
        let share = ofOwner.get(owner);
        if (!share) {
          share = new EditShare(file);
          ofOwner.set(owner, share);
          this.#share(owner, share);
        }
        share.add(edit, edit.start + delta);
      }
      delta += edit.text.length - (edit.end - edit.start);
    }
  }

  #share(owner: number, share: Share): void {
    this.#patches[owner]?.share(share);
  }

  #spliceOf(before: TextFile, { start, end, text, owners }: Edit): Splice {
    const patchId = this.#idOf(owners[0]);
    const old = before.bytes.toString("utf8", start, end);
    const splice: Splice = { patchId, start, end, old, new: text.toString("utf8") };
    if (owners.length > 1) splice.alsoBy = owners.slice(1).map((owner) => this.#idOf(owner));
    return splice;
  }

  #idOf(owner: number | undefined): string {
    return owner === undefined ? "" : (this.#patches[owner]?.patch_id ?? "");
  }
}

function changesNothing(before: TextFile, { start, end, text }: Edit): boolean {
  return end - start === text.length && before.bytes.compare(text, 0, text.length, start, end) === 0;
}

function ownersOf(makers: readonly number[], edits: readonly Edit[]): number[] {
  return [...new Set([...makers, ...edits.flatMap((edit) => edit.owners)])].toSorted((a, b) => a - b);
}
