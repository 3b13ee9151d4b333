import type { FileMode } from "@shared/contracts";
import { compose, type Edit } from "./edit.ts";
import { carryRegions, openSpace } from "./openSpace.ts";
import type { FileSnapshot } from "./planTypes.ts";
import type { Placed } from "./resolve.ts";
import { settle, type Clash, type OpenRegion } from "./settle.ts";
import { TextFile } from "./textFile.ts";

/** A file as a plan changes it: what it was, where it goes, and the edits that lead from the one to the other. */
export class FileState {
  /** The path before the batch; null for a file that the batch makes. */
  readonly origin: string | null;
  readonly snapshot: FileSnapshot | null;
  readonly before: TextFile;
  /** The mode it gets; `snapshot` tells the one it had. */
  mode: FileMode;
  path: string;
  text: TextFile;
  /** From `before` to `text`. */
  edits: readonly Edit[] = [];
  /** The patches that made, removed or renamed the file. */
  readonly makers: number[] = [];
  readonly removers: number[] = [];
  readonly renamers: number[] = [];
  readonly modeSetters: number[] = [];
  #regions: OpenRegion[] = [];

  constructor(path: string, snapshot: FileSnapshot | null, before: TextFile, mode: FileMode = "100644") {
    this.origin = snapshot ? path : null;
    this.path = path;
    this.snapshot = snapshot;
    this.before = before;
    this.text = before;
    this.mode = snapshot?.mode ?? mode;
  }

  /** A file that the plan makes. */
  static made(path: string, makers: readonly number[], mode: FileMode = "100644"): FileState {
    const state = new FileState(path, null, TextFile.empty, mode);
    state.makers.push(...makers);
    return state;
  }

  /** Applies operations that speak of `text` as it is now; the clashes between them, or null. */
  edit(placed: readonly Placed[]): Clash[] | null {
    const settled = settle(this.text, placed);
    if (!settled.ok) return settled.clashes;
    const { edits, regions } = settled;
    this.#regions = [...carryRegions(this.#regions, edits), ...regions];
    this.edits = this.edits.length === 0 ? edits : compose(this.edits, edits);
    this.text = this.text.withEdits(edits);
    return null;
  }

  /** Gives it a mode, also one it has already: two patches that say the same of it agree. */
  setMode(mode: FileMode, owner: number): void {
    this.mode = mode;
    this.modeSetters.push(owner);
  }

  /** Takes ready edits of `text` as it is now. */
  take(edits: readonly Edit[]): void {
    this.edits = this.edits.length === 0 ? edits : compose(this.edits, edits);
    this.text = this.text.withEdits(edits);
  }

  /** Opens space around the blocks that asked for it, once all edits are in; who got a blank line on which side. */
  close(): { before: ReadonlySet<number>; after: ReadonlySet<number> } {
    if (this.#regions.length === 0) return { before: new Set(), after: new Set() };
    const opened = openSpace(this.text, this.#regions);
    if (opened.edits.length > 0) {
      this.edits = compose(this.edits, opened.edits, true);
      this.text = this.text.withEdits(opened.edits);
    }
    this.#regions = [];
    return opened;
  }
}
