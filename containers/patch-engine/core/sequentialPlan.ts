import { vibeError, type PatchOperation, type VibeError } from "@shared/contracts";
import { Block } from "./block.ts";
import { sha256 } from "./canonical.ts";
import { FileState } from "./fileState.ts";
import { isTextOperation, type Planning } from "./planning.ts";
import { resolve, type Placed } from "./resolve.ts";

/** Plans patches each of which speaks of the state that those before it left. */
export function planSequential(planning: Planning): FileState[] {
  const tree = new Tree(planning);
  /** Where a patch was refused, what comes after speaks of a state that will never be. */
  const broken = new Set<string>();
  for (const [index, patch] of planning.patches.entries()) {
    const paths = patch.op === "rename-file" ? [patch.file, patch.to] : [patch.file];
    if (!planning.isRefused(index) && !paths.some((path) => broken.has(path))) {
      const error = tree.apply(index, patch);
      if (error) planning.refuse(index, error);
    }
    if (planning.isRefused(index)) for (const path of paths) broken.add(path);
  }
  return [...tree.states];
}

/** The files as the patches so far left them. */
class Tree {
  /** Every file that was read or made, those that no longer stand among them. */
  readonly states = new Set<FileState>();
  readonly #planning: Planning;
  readonly #standing = new Map<string, FileState | null>();

  constructor(planning: Planning) {
    this.#planning = planning;
  }

  apply(index: number, patch: PatchOperation): VibeError | null {
    const state = this.#at(patch.file);
    if (state && "error" in state) return state.error;
    const planning = this.#planning;
    const refused =
      planning.checkExistence(patch, state !== null) ??
      planning.checkHash(patch, state ? state.snapshot : null) ??
      (state ? null : planning.checkNothing(patch));
    if (refused) return refused;

    if (patch.op === "create-file" || !state) {
      const block = patch.op === "create-file" || patch.op === "append" || patch.op === "prepend" ? patch.block : "";
      const made = FileState.made(patch.file, [index]);
      this.#standing.set(patch.file, made);
      this.states.add(made);
      made.edit([{ owner: index, kind: "insert", gap: 1, block: new Block(block ?? ""), openSpace: false }]);
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
    if (patch.op === "rename-file") {
      const other = this.#at(patch.to);
      if (other) return vibeError("FILE_EXISTS", `${patch.to} is there already.`);
      this.#standing.set(patch.to, state);
      state.path = patch.to;
      state.renamers.push(index);
    } else state.removers.push(index);
    this.#standing.set(patch.file, null);
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
