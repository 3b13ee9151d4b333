import { MAX_FILE_BYTES, vibeError, type PatchBatch } from "@shared/contracts";
import { expandBatch, pathsOfPatch } from "./expand.ts";
import type { FileState } from "./fileState.ts";
import { finish } from "./finish.ts";
import { planOriginal } from "./originalPlan.ts";
import { Planning } from "./planning.ts";
import type { FileSnapshots, PlanOptions, PlanResult } from "./planTypes.ts";
import { planSequential } from "./sequentialPlan.ts";

/** The paths to load before a batch can be planned: old names and new ones. */
export function pathsOf(batch: Pick<PatchBatch, "patches">): string[] {
  const paths = new Set<string>();
  for (const { patch } of expandBatch(batch, () => "")) for (const path of pathsOfPatch(patch)) paths.add(path);
  return [...paths];
}

type PatchMetadata = PatchBatch["patches"][number]["metadata"];

/** A patch as it will be planned, logged and answered: an `apply-diff` is one for each of its files. */
export interface NamedPatch {
  patch_id: string;
  file: string;
  op: string;
  task_id: string | null;
  metadata: PatchMetadata;
  /** Every path it speaks of. */
  paths: string[];
}

/** The patches of a batch by the ids they get, before their files are known. */
export const patchesOf = (batch: Pick<PatchBatch, "patches">, mintPatchId: (index: number) => string): NamedPatch[] =>
  expandBatch(batch, mintPatchId).map(({ id, patch }) => ({
    patch_id: id,
    file: patch.file,
    op: patch.op,
    task_id: patch.taskId ?? null,
    metadata: patch.metadata,
    paths: pathsOfPatch(patch),
  }));

/**
 * Plans a batch against the files it names: all of it, or nothing with the error of each patch that is wrong in itself.
 * Touches no disk; `files` holds what stands at `pathsOf(batch)`.
 */
export function planBatch(batch: PatchBatch, files: FileSnapshots, options: PlanOptions): PlanResult {
  const planning = new Planning(batch, files, options);
  const states = batch.coordinates === "original" ? planOriginal(planning) : planSequential(planning);
  checkResult(planning, states);
  const refusal = planning.refusal();
  if (refusal) return { ok: false, ...refusal };

  const identities = planning.patches.map((patch, index) => ({
    patch_id: planning.idOf(index),
    op: patch.op,
    file: patch.file,
    task_id: patch.taskId ?? null,
    metadata: patch.metadata,
    moved: planning.moved.get(index) ?? 0,
  }));
  return { ok: true, plan: finish(identities, states) };
}

/** What can only be said of the files afterwards: their size, and that none stands where another needs a directory. */
function checkResult(planning: Planning, states: readonly FileState[]): void {
  const standing = new Map<string, number | null>();
  for (const { path, removers, makers, renamers, edits, text } of states) {
    if (removers.length > 0) continue;
    const owner = makers[0] ?? renamers[0] ?? null;
    standing.set(path, owner);
    if (text.bytes.length > MAX_FILE_BYTES) {
      const last = edits.at(-1)?.owners.at(-1) ?? owner;
      const error = vibeError(
        "FILE_TOO_LARGE",
        `${path} would have ${text.bytes.length} bytes; at most ${MAX_FILE_BYTES}.`,
      );
      if (last !== null) planning.refuse(last, error);
    }
  }
  for (const [path, owner] of standing) {
    if (owner === null) continue;
    for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
      const directory = path.slice(0, slash);
      const other = standing.get(directory);
      if (other === undefined) continue;
      if (other === null) {
        planning.refuse(owner, vibeError("FILE_EXISTS", `${directory} is a file, so ${path} cannot be made.`));
      } else planning.refuseOverlap(owner, other, `need ${directory} as a directory and as a file`);
    }
  }
}
