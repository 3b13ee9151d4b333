import { vibeError, type PatchBatch, type VibeError } from "@shared/contracts";
import { checkPatch, pathChecker } from "./checkPatch.ts";
import { contextAround } from "./context.ts";
import { effectOf, expandBatch, type FilePatch } from "./expand.ts";
import { FileState } from "./fileState.ts";
import type { FileSnapshot, FileSnapshots, PlanOptions, RefusedPatch } from "./planTypes.ts";
import { expectAt, type TextOperation, type TextToEdit } from "./resolve.ts";
import type { Clash } from "./settle.ts";
import { TextFile } from "./textFile.ts";

/** A file before the batch, as far as it could be read. */
export type Loaded = { state: FileState; snapshot: FileSnapshot | null } | { error: VibeError };

/** What both ways to read coordinates share: the batch, its files, and what is wrong with which patch. */
export class Planning {
  /** One a file: a diff of several is as many. */
  readonly patches: readonly FilePatch[];
  readonly ids: readonly string[];
  readonly #files: FileSnapshots;
  readonly #errors = new Map<number, VibeError>();
  readonly moved = new Map<number, number>();

  constructor(batch: PatchBatch, files: FileSnapshots, options: PlanOptions) {
    const expanded = expandBatch(batch, (index) => options.mintPatchId(index));
    this.patches = expanded.map(({ patch }) => patch);
    this.ids = expanded.map(({ id }) => id);
    this.#files = files;
    const pathVerdict = pathChecker();
    const seen = new Set<string>();
    for (const [index, patch] of this.patches.entries()) {
      const error = expanded[index]?.error ?? checkPatch(patch, pathVerdict);
      if (error) this.refuse(index, error);
      const id = this.idOf(index);
      if (seen.has(id)) {
        this.refuse(index, vibeError("VALIDATION_FAILED", `The batch has two patches with the id ${id}.`));
      }
      seen.add(id);
    }
  }

  idOf(index: number): string {
    return this.ids[index] ?? "";
  }

  /** Records what is wrong with a patch; the first error of each patch stays. */
  refuse(index: number, error: VibeError): void {
    if (this.#errors.has(index)) return;
    const file = error.file ?? this.patches[index]?.file;
    this.#errors.set(index, { ...error, patchId: this.idOf(index), ...(file ? { file } : {}) });
  }

  isRefused(index: number): boolean {
    return this.#errors.has(index);
  }

  refuseClashes(state: FileState, clashes: readonly Clash[]): void {
    for (const { later, earlier, line } of clashes) {
      const lines = contextAround(state.before, line);
      this.refuseOverlap(later, earlier, `both change ${state.path} at line ${line}`, lines);
    }
  }

  /** Refuses the later of two patches that cannot both be. */
  refuseOverlap(one: number, other: number, why: string, detail: Partial<VibeError> = {}): void {
    const [earlier, later] = one < other ? [one, other] : [other, one];
    const message = `Patches ${this.idOf(earlier)} and ${this.idOf(later)} ${why}.`;
    this.refuse(later, vibeError("OVERLAPPING_PATCHES", message, detail));
  }

  stands(path: string): boolean {
    return (this.#files.get(path) ?? null) !== null;
  }

  /** The file at a path before the batch, ready to be edited; without a snapshot where none stands. */
  load(path: string): Loaded {
    const snapshot = this.#files.get(path) ?? null;
    if (!snapshot) return { state: new FileState(path, null, TextFile.empty), snapshot: null };
    const read = TextFile.read(path, snapshot.bytes);
    if (!read.ok) return { error: read.error };
    return { state: new FileState(path, snapshot, read.text), snapshot };
  }

  /** Whether the file a patch speaks of is there or not, as its operation needs it, and is what the patch expects. */
  checkExistence(patch: FilePatch, isThere: boolean): VibeError | null {
    const { file } = patch;
    if (effectOf(patch) === "create") {
      if (!isThere) return null;
      const snapshot = this.#files.get(file);
      return vibeError("FILE_EXISTS", `${file} is there already.`, {
        file,
        ...(snapshot ? { currentSha256: snapshot.sha256 } : {}),
      });
    }
    if (isThere || patch.op === "append" || patch.op === "prepend") return null;
    return this.missing(file);
  }

  missing(file: string): VibeError {
    return vibeError("FILE_NOT_FOUND", `${file} does not exist.`, { file });
  }

  /** The hash is what the sender believes of the file before the batch, in either way to read coordinates. */
  checkHash(patch: FilePatch, snapshot: FileSnapshot | null): VibeError | null {
    const expected = patch.expect?.sha256;
    if (expected === undefined || expected === snapshot?.sha256) return null;
    if (!snapshot) return vibeError("STALE_CONTENT", `${patch.file} was expected to exist and does not.`);
    const read = TextFile.read(patch.file, snapshot.bytes);
    return vibeError("STALE_CONTENT", `${patch.file} does not have the expected SHA-256: it has changed.`, {
      currentSha256: snapshot.sha256,
      ...(read.ok ? contextAround(read.text, lineOf(patch)) : {}),
    });
  }

  /** For operations on whole files: the text they expect is all of it. */
  checkWhole(patch: FilePatch, target: TextToEdit): VibeError | null {
    const refused = expectAt(patch, target, 1, target.text.lineCount);
    return refused ? refused.error : null;
  }

  /** A patch whose file is not there can only expect that nothing is. */
  checkNothing(patch: FilePatch): VibeError | null {
    if (patch.expect?.text === undefined || patch.expect.text === "") return null;
    return vibeError("STALE_CONTENT", `${patch.file} was expected to exist and does not.`);
  }

  /** Null where no patch is refused; else the first error, and each patch with its own or BATCH_REFUSED. */
  refusal(): { error: VibeError; patches: RefusedPatch[] } | null {
    let first: VibeError | undefined;
    for (const index of this.patches.keys()) if ((first = this.#errors.get(index))) break;
    if (!first) return null;
    const { patchId } = first;
    const patches = this.patches.map((patch, index) => ({
      patch_id: this.idOf(index),
      file: patch.file,
      op: patch.op,
      task_id: patch.taskId ?? null,
      error:
        this.#errors.get(index) ??
        vibeError("BATCH_REFUSED", `Patch ${patchId} was refused, and a batch is all or nothing.`, {
          patchId: this.idOf(index),
          file: patch.file,
        }),
    }));
    return { error: first, patches };
  }
}

/** Whether an operation edits text; the others act on files. */
export function isTextOperation(patch: FilePatch): patch is TextOperation {
  return (
    patch.op !== "apply-diff" && patch.op !== "create-file" && patch.op !== "delete-file" && patch.op !== "rename-file"
  );
}

function lineOf(patch: FilePatch): number {
  if (patch.op === "replace-block") return patch.start;
  return patch.op === "insert-before" || patch.op === "insert-after" ? patch.line : 1;
}
