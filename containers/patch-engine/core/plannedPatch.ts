import { diffOf, type DiffSubject } from "./diff.ts";
import type { Edit } from "./edit.ts";
import { landedAt, touchedBy } from "./lineSpans.ts";
import type { Landed, PlannedPatch, TouchedLines } from "./planTypes.ts";
import type { TextFile } from "./textFile.ts";

/** What one patch did to one file. */
export interface Share {
  readonly subject: DiffSubject;
  readonly before: TextFile;
  readonly edits: readonly Edit[];
  touched(): TouchedLines[];
  landed(): Landed | null;
}

/** The patches that got a blank line opened before their block and after it. */
export interface Opened {
  before: ReadonlySet<number>;
  after: ReadonlySet<number>;
}

/** A file as the batch's edits change it: what they all have in common. */
export interface EditedFile {
  subject: DiffSubject;
  /** The path before. */
  file: string;
  before: TextFile;
  after: TextFile;
  opened: Opened;
}

/** A share that is what its edits are. */
export class EditShare implements Share {
  readonly edits: Edit[] = [];
  readonly #file: EditedFile;
  /** Where the text of each edit begins in the text after. */
  readonly #starts: number[] = [];

  constructor(file: EditedFile) {
    this.#file = file;
  }

  add(edit: Edit, start: number): void {
    this.edits.push(edit);
    this.#starts.push(start);
  }

  get subject(): DiffSubject {
    return this.#file.subject;
  }

  get before(): TextFile {
    return this.#file.before;
  }

  touched(): TouchedLines[] {
    const { file, before } = this.#file;
    return this.edits.map((edit) => ({ file, ...touchedBy(before, edit) }));
  }

  landed(): Landed | null {
    const { before, after, opened } = this.#file;
    let all: Landed | null = null;
    for (const [index, edit] of this.edits.entries()) {
      const landed = landedAt(before, after, edit, this.#starts[index] ?? 0);
      const [only, second] = edit.owners;
      if (only !== undefined && second === undefined) {
        // The blank lines around a block are not the block.
        if (opened.before.has(only)) landed.start++;
        if (opened.after.has(only)) landed.end--;
      }
      all = hull(all, landed);
    }
    return all;
  }
}

/** A share in a file that is made, removed or renamed as a whole. */
export class WholeShare implements Share {
  readonly subject: DiffSubject;
  readonly before: TextFile;
  readonly edits: readonly Edit[];
  readonly #touched: TouchedLines[];
  readonly #landed: Landed | null;

  constructor(
    subject: DiffSubject,
    before: TextFile,
    edits: readonly Edit[],
    touched: TouchedLines[],
    landed: Landed | null = null,
  ) {
    this.subject = subject;
    this.before = before;
    this.edits = edits;
    this.#touched = touched;
    this.#landed = landed;
  }

  touched(): TouchedLines[] {
    return this.#touched;
  }

  landed(): Landed | null {
    return this.#landed;
  }
}

/** What a plan says of a patch, whatever became of its file. */
export type PatchIdentity = Pick<PlannedPatch, "patch_id" | "op" | "file" | "task_id" | "metadata" | "moved">;

/** A patch of a plan. Where it landed, what it touched and its own diff are made when first read: few read them all. */
export class PatchOfPlan implements PlannedPatch {
  readonly patch_id: string;
  readonly op: string;
  readonly file: string;
  readonly task_id: string | null;
  readonly metadata: PlannedPatch["metadata"];
  readonly moved: number;
  readonly #shares: Share[] = [];
  #landed: Landed | null | undefined;
  #touched: TouchedLines[] | undefined;
  #diff: string | undefined;

  constructor({ patch_id, op, file, task_id, metadata, moved }: PatchIdentity) {
    this.patch_id = patch_id;
    this.op = op;
    this.file = file;
    this.task_id = task_id;
    this.metadata = metadata;
    this.moved = moved;
  }

  share(share: Share): void {
    this.#shares.push(share);
  }

  get landed(): Landed | null {
    if (this.#landed === undefined) {
      let all: Landed | null = null;
      for (const share of this.#shares) {
        const landed = share.landed();
        if (landed) all = hull(all, landed);
      }
      this.#landed = all;
    }
    return this.#landed;
  }

  get touched(): TouchedLines[] {
    return (this.#touched ??= this.#shares.flatMap((share) => share.touched()));
  }

  get diff(): string {
    return (this.#diff ??= this.#shares
      .map(({ subject, before, edits }) => diffOf(subject, before, edits).diff)
      .join(""));
  }
}

function hull(a: Landed | null, b: Landed): Landed {
  return a ? { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) } : b;
}
