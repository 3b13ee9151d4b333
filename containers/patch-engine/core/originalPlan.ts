import { vibeError, type VibeError } from "@shared/contracts";
import { Block } from "./block.ts";
import { diffAction } from "./diffAction.ts";
import { effectOf, type FileDiff } from "./expand.ts";
import type { FileState } from "./fileState.ts";
import { isTextOperation, type Planning } from "./planning.ts";
import { resolve, type Placed } from "./resolve.ts";

/** Plans patches whose coordinates and paths all speak of the state before the batch. */
export function planOriginal(planning: Planning): FileState[] {
  const groups = new Map<string, number[]>();
  for (const [index, patch] of planning.patches.entries()) {
    if (planning.isRefused(index)) continue;
    const group = groups.get(patch.file);
    if (group) group.push(index);
    else groups.set(patch.file, [index]);
  }

  const states: FileState[] = [];
  for (const [path, indices] of groups) {
    const state = planFile(planning, path, indices);
    if (state) states.push(state);
  }
  checkTargets(planning, states);
  return states;
}

function planFile(planning: Planning, path: string, indices: readonly number[]): FileState | null {
  const loaded = planning.load(path);
  if ("error" in loaded) {
    for (const index of indices) planning.refuse(index, loaded.error);
    return null;
  }
  const { state, snapshot } = loaded;
  const target = { file: path, text: state.text, sha256: () => snapshot?.sha256 ?? "" };
  const placed: Placed[] = [];
  for (const index of indices) {
    const patch = planning.patches[index];
    if (!patch) continue;
    const refused =
      planning.checkExistence(patch, snapshot !== null) ??
      planning.checkHash(patch, snapshot) ??
      (snapshot ? null : planning.checkNothing(patch));
    if (refused) {
      planning.refuse(index, refused);
      continue;
    }
    if (snapshot === null) state.makers.push(index);
    if (isTextOperation(patch)) {
      const resolved = resolve(patch, target, index);
      if (!resolved.ok) planning.refuse(index, resolved.error);
      else {
        placed.push(...resolved.placed);
        if (resolved.moved !== 0) planning.moved.set(index, resolved.moved);
      }
    } else if (patch.op === "apply-diff") {
      const error = planDiff(planning, state, patch, { index, placed });
      if (error) planning.refuse(index, error);
    } else if (patch.op === "create-file") {
      placed.push({ owner: index, kind: "insert", gap: 1, block: new Block(patch.block ?? ""), openSpace: false });
    } else {
      const stale = planning.checkWhole(patch, target);
      if (stale) planning.refuse(index, stale);
      else if (patch.op === "delete-file") state.removers.push(index);
      else if (patch.op === "rename-file") {
        state.renamers.push(index);
        state.path = patch.to;
      }
    }
  }
  checkTogether(planning, path, indices);
  const clashes = state.edit(placed);
  if (clashes) planning.refuseClashes(state, clashes);
  return state;
}

/** Puts what a diff does to a file into its state and its places. */
function planDiff(
  planning: Planning,
  state: FileState,
  { file, part }: FileDiff,
  { index, placed }: { index: number; placed: Placed[] },
): VibeError | null {
  if (part === null) return null;
  const target = { file, text: state.text, sha256: () => state.snapshot?.sha256 ?? "" };
  const done = diffAction(part, target, index, (path) => {
    const source = planning.load(path);
    if ("error" in source) return source;
    return source.snapshot
      ? { text: source.state.text, mode: source.snapshot.mode }
      : { error: planning.missing(path) };
  });
  // Also where it cannot be: other patches of the file still are told that it cannot be together with them.
  if (part.change.kind === "delete") state.removers.push(index);
  if (!done.ok) return done.error;
  const { action } = done;
  if (action.kind === "delete") return null;
  if (action.moved !== 0) planning.moved.set(index, action.moved);
  if (action.kind === "make") {
    state.mode = action.mode;
    placed.push({ owner: index, kind: "insert", gap: 1, block: new Block(action.content), openSpace: false });
    return null;
  }
  const { mode, to } = action;
  placed.push(...action.placed);
  if (to !== null) {
    state.renamers.push(index);
    state.path = to;
  }
  if (mode === null) return null;
  const other = state.modeSetters[0];
  if (other !== undefined && state.mode !== mode) planning.refuseOverlap(index, other, `give ${file} two modes`);
  state.setMode(mode, index);
  return null;
}

/** Operations on one file that cannot be in one batch, whatever their lines. */
function checkTogether(planning: Planning, path: string, indices: readonly number[]): void {
  const effectAt = (index: number) => {
    const patch = planning.patches[index];
    return patch && effectOf(patch);
  };
  const first = indices[0];
  if (first === undefined || indices.length === 1) return;
  const creator = indices.find((index) => effectAt(index) === "create");
  const remover = indices.find((index) => effectAt(index) === "delete");
  const renamer = indices.find((index) => effectAt(index) === "rename");
  for (const index of indices) {
    if (remover !== undefined && index !== remover) {
      planning.refuseOverlap(index, remover, `cannot be in one batch: one deletes ${path}, the other acts on it`);
    } else if (creator !== undefined && index !== creator && !planning.stands(path)) {
      planning.refuseOverlap(index, creator, `both make ${path}`);
    } else if (renamer !== undefined && index !== renamer && effectAt(index) === "rename") {
      planning.refuseOverlap(index, renamer, `both rename ${path}`);
    }
  }
}

/** A file may only be renamed to a name that is free before the batch and that no other patch takes. */
function checkTargets(planning: Planning, states: readonly FileState[]): void {
  const takenBy = new Map<string, number>();
  for (const { path, makers } of states) {
    const maker = makers[0];
    if (maker !== undefined) takenBy.set(path, maker);
  }
  for (const { path, renamers } of states) {
    const renamer = renamers[0];
    if (renamer === undefined) continue;
    const other = takenBy.get(path);
    if (planning.stands(path)) {
      planning.refuse(renamer, vibeError("FILE_EXISTS", `${path} is there already.`));
    } else if (other !== undefined) {
      planning.refuseOverlap(renamer, other, `both make ${path}`);
    } else takenBy.set(path, renamer);
  }
}
