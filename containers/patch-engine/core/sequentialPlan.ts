import { vibeError, type FileMode, type VibeError } from "@shared/contracts";
import { Block } from "./block.ts";
import { sha256 } from "./canonical.ts";
import { diffAction } from "./diffAction.ts";
import { effectOf, pathsOfPatch, type FileDiff, type FilePatch } from "./expand.ts";
import { FileState } from "./fileState.ts";
import { isTextOperation, type Planning } from "./planning.ts";
import { resolve, type Placed } from "./resolve.ts";
import { TextFile } from "./textFile.ts";

/** Plans patches each of which speaks of the state that those before it left. */
export function planSequential(planning: Planning): FileState[] {
  const tree = new Tree(planning);
  /** Where a patch was refused, what comes after speaks of a state that will never be. */
  const broken = new Set<string>();
  for (const index of inOrder(planning.patches)) {
    const patch = planning.patches[index];
    if (!patch) continue;
    const paths = pathsOfPatch(patch);
    if (!planning.isRefused(index) && !paths.some((path) => broken.has(path))) {
      const error = tree.apply(index, patch);
      if (error) planning.refuse(index, error);
    }
    if (planning.isRefused(index)) for (const path of paths) broken.add(path);
  }
  return [...tree.states];
}

/**
 * The batch's order, but within one diff copies first, then edits, renames, deletions and creations: a diff speaks of
 * the state before all of it, and in this order each of its parts finds that.
 */
function inOrder(patches: readonly FilePatch[]): number[] {
  const diffOf = (index: number) => {
    const patch = patches[index];
    return patch?.op === "apply-diff" ? patch.part?.text : undefined;
  };
  const rank = (index: number) => {
    const patch = patches[index];
    return patch?.op === "apply-diff" && patch.part ? RANK[patch.part.change.kind] : 0;
  };
  const order: number[] = [];
  for (let first = 0; first < patches.length;) {
    const diff = diffOf(first);
    let last = first + 1;
    if (diff !== undefined) while (diffOf(last) === diff) last++;
    const group = Array.from({ length: last - first }, (_, i) => first + i);
    order.push(...group.toSorted((a, b) => rank(a) - rank(b)));
    first = last;
  }
  return order;
}

const RANK = { copy: 0, edit: 1, rename: 2, delete: 3, create: 4 } as const;

/** The files as the patches so far left them. */
class Tree {
  /** Every file that was read or made, those that no longer stand among them. */
  readonly states = new Set<FileState>();
  readonly #planning: Planning;
  readonly #standing = new Map<string, FileState | null>();

  constructor(planning: Planning) {
    this.#planning = planning;
  }

  apply(index: number, patch: FilePatch): VibeError | null {
    const state = this.#at(patch.file);
    if (state && "error" in state) return state.error;
    const planning = this.#planning;
    const refused =
      planning.checkExistence(patch, state !== null) ??
      planning.checkHash(patch, state ? state.snapshot : null) ??
      (state ? null : planning.checkNothing(patch));
    if (refused) return refused;

    if (patch.op === "apply-diff") return this.#applyDiff(index, patch, state);
    if (effectOf(patch) === "create" || !state) {
      const block = patch.op === "create-file" || patch.op === "append" || patch.op === "prepend" ? patch.block : "";
      this.#make(patch.file, index, block ?? "");
      return null;
    }
    const { text } = state;
    const target = { file: patch.file, text, sha256: () => sha256(text.bytes) };
    if (isTextOperation(patch)) {
      const resolved = resolve(patch, target, index);
      if (!resolved.ok) return resolved.error;
      if (resolved.moved !== 0) planning.moved.set(index, resolved.moved);
      return edit(state, resolved.placed);
    }
    const stale = planning.checkWhole(patch, target);
    if (stale) return stale;
    if (patch.op === "rename-file") return this.#rename(state, patch.file, patch.to, index);
    state.removers.push(index);
    this.#standing.set(patch.file, null);
    return null;
  }

  #applyDiff(index: number, { file, part }: FileDiff, state: FileState | null): VibeError | null {
    if (part === null) return null;
    const text = state?.text ?? TextFile.empty;
    const target = { file, text, sha256: () => sha256(text.bytes) };
    const done = diffAction(part, target, index, (path) => {
      const source = this.#at(path);
      return source ?? { error: this.#planning.missing(path) };
    });
    if (!done.ok) return done.error;
    const { action } = done;
    if (action.kind !== "delete" && action.moved !== 0) this.#planning.moved.set(index, action.moved);
    if (action.kind === "make") {
      this.#make(file, index, action.content, action.mode);
      return null;
    }
    if (!state) return this.#planning.missing(file);
    if (action.kind === "delete") {
      state.removers.push(index);
      this.#standing.set(file, null);
      return null;
    }
    const refused = action.to === null ? null : this.#rename(state, file, action.to, index);
    if (refused) return refused;
    if (action.mode !== null) state.setMode(action.mode, index);
    return edit(state, action.placed);
  }

  #make(path: string, index: number, content: string, mode?: FileMode): void {
    const made = FileState.made(path, [index], mode);
    this.#standing.set(path, made);
    this.states.add(made);
    made.edit([{ owner: index, kind: "insert", gap: 1, block: new Block(content), openSpace: false }]);
  }

  #rename(state: FileState, from: string, to: string, index: number): VibeError | null {
    if (this.#at(to)) return vibeError("FILE_EXISTS", `${to} is there already.`);
    this.#standing.set(to, state);
    state.path = to;
    state.renamers.push(index);
    this.#standing.set(from, null);
    return null;
  }

  #at(path: string): FileState | { error: VibeError } | null {
    const known = this.#standing.get(path);
    if (known !== undefined) return known;
    const loaded = this.#planning.load(path);
    if ("error" in loaded) return loaded;
    const state = loaded.snapshot ? loaded.state : null;
    this.#standing.set(path, state);
    if (state) this.states.add(state);
    return state;
  }
}

/** One patch's places never clash with each other. */
function edit(state: FileState, placed: readonly Placed[]): VibeError | null {
  const clashes = state.edit(placed);
  return clashes ? vibeError("INTERNAL", "A patch overlaps itself.") : null;
}
