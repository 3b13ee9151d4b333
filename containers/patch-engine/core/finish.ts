import { Buffer } from "node:buffer";
import type { Splice } from "@shared/contracts";
import { sha256 } from "./canonical.ts";
import { diffOf, type DiffSubject } from "./diff.ts";
import type { Edit } from "./edit.ts";
import type { FileState } from "./fileState.ts";
import { landedAt, touchedBy } from "./lineSpans.ts";
import type { Landed, Plan, PlannedFile, PlannedPatch, TouchedLines } from "./planTypes.ts";
import { TextFile } from "./textFile.ts";

/** What a plan says of a patch, whatever became of its file. */
export interface PatchIdentity {
  patch_id: string;
  op: string;
  file: string;
  task_id: string | null;
  metadata: PlannedPatch["metadata"];
  moved: number;
}

/** What one patch did to one file. */
interface Share {
  subject: DiffSubject;
  before: TextFile;
  edits: Edit[];
  touched: TouchedLines[];
  landed: Landed | null;
}

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
  readonly #patches: readonly PatchIdentity[];
  readonly #shares: Share[][];

  constructor(patches: readonly PatchIdentity[]) {
    this.#patches = patches;
    this.#shares = patches.map(() => []);
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
    this.#shareEdits(own, origin, before, text, state.edits, opened);
    for (const renamer of isRename ? state.renamers : []) {
      const touched = [
        { file: origin, start: 1, end: before.lineCount },
        { file: path, start: 1, end: 0 },
      ];
      const renaming: DiffSubject = { kind: "rename", from: origin, path };
      this.#share(renamer, { subject: renaming, before, edits: [], touched, landed: null });
    }
    for (const setter of "oldMode" in modes ? state.modeSetters : []) {
      const touched = [{ file: origin, start: 1, end: before.lineCount }];
      this.#share(setter, { subject: { ...own, ...modes }, before, edits: [], touched, landed: null });
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
    this.#shareEdits(subject, path, before, text, state.edits, opened);
    const owners = ownersOf(state.makers, state.edits);
    for (const maker of state.makers) {
      const touched = [{ file: path, start: 1, end: 0 }];
      const isKnown = state.edits.some((edit) => edit.owners.includes(maker));
      if (!isKnown) this.#share(maker, { subject, before, edits: [], touched, landed: null });
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
    for (const owner of whole.owners) this.#share(owner, { subject, before, edits: [whole], touched, landed: null });
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
    for (const owner of owners) this.#share(owner, { subject, before, edits: [whole], touched, landed });
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
    const patches = this.#patches.map((patch, index) => {
      const shares = this.#shares[index] ?? [];
      let diff: string | null = null;
      // Written out: a spread beside an accessor is slow, and a batch may have thousands of patches.
      const { patch_id, op, file, task_id, metadata, moved } = patch;
      return {
        patch_id,
        op,
        file,
        task_id,
        metadata,
        moved,
        landed: hullOf(shares),
        touched: shares.length === 1 && shares[0] ? shares[0].touched : shares.flatMap((share) => share.touched),
        get diff() {
          diff ??= shares.map(({ subject, before, edits }) => diffOf(subject, before, edits).diff).join("");
          return diff;
        },
      };
    });
    return { files: this.#files, patches };
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

  /** Tells each owner of the edits what it did; `file` is the path before. */
  #shareEdits(
    subject: DiffSubject,
    file: string,
    before: TextFile,
    after: TextFile,
    edits: readonly Edit[],
    opened: { before: ReadonlySet<number>; after: ReadonlySet<number> },
  ): void {
    const ofOwner = new Map<number, Share>();
    let delta = 0;
    for (const edit of edits) {
      const touched = { file, ...touchedBy(before, edit) };
      const landed = landedAt(before, after, edit, edit.start + delta);
      delta += edit.text.length - (edit.end - edit.start);
      const [only, second] = edit.owners;
      if (only !== undefined && second === undefined) {
        // The blank lines around a block are not the block.
        if (opened.before.has(only)) landed.start++;
        if (opened.after.has(only)) landed.end--;
      }
      for (const owner of edit.owners) {
        const share = ofOwner.get(owner);
        if (share) {
          share.edits.push(edit);
          share.touched.push(touched);
          share.landed = hull(share.landed, landed);
        } else {
          const first = { subject, before, edits: [edit], touched: [touched], landed };
          ofOwner.set(owner, first);
          this.#share(owner, first);
        }
      }
    }
  }

  #share(owner: number, share: Share): void {
    this.#shares[owner]?.push(share);
  }

  #spliceOf(before: TextFile, { start, end, text, owners }: Edit): Splice {
    const [first, ...others] = owners.map((owner) => this.#patches[owner]?.patch_id ?? "");
    return {
      patchId: first ?? "",
      ...(others.length > 0 ? { alsoBy: others } : {}),
      start,
      end,
      old: before.bytes.toString("utf8", start, end),
      new: text.toString("utf8"),
    };
  }
}

function changesNothing(before: TextFile, { start, end, text }: Edit): boolean {
  return end - start === text.length && before.bytes.compare(text, 0, text.length, start, end) === 0;
}

function ownersOf(makers: readonly number[], edits: readonly Edit[]): number[] {
  return [...new Set([...makers, ...edits.flatMap((edit) => edit.owners)])].toSorted((a, b) => a - b);
}

function hullOf(shares: readonly Share[]): Landed | null {
  let all: Landed | null = null;
  for (const { landed } of shares) all = landed ? hull(all, landed) : all;
  return all;
}

function hull(a: Landed | null, b: Landed): Landed {
  return a ? { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) } : b;
}
