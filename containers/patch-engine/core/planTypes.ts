import type { FileMode, LoggedFile, LoggedPatch, Splice, VibeError } from "@shared/contracts";

/** A file as it stands before a batch. */
export interface FileSnapshot {
  bytes: Uint8Array;
  /** SHA-256 of `bytes`. */
  sha256: string;
  mode: FileMode;
}

/** The files a plan may speak of, by workspace path; null or absent where no file stands. */
export type FileSnapshots = ReadonlyMap<string, FileSnapshot | null>;

/** Lines a patch touches in the state before: 1-based, inclusive; an insertion touches the gap, `end` = `start - 1`. */
export interface TouchedLines {
  file: string;
  start: number;
  end: number;
}

/** 1-based, inclusive lines; `end` is `start` - 1 where there is none. */
export interface Landed {
  start: number;
  end: number;
}

/**
 * What becomes of one file. `before` and `after` are null where no file stands. Two rows may name one path only where
 * a file was deleted and another renamed to its name: `effectsOf` tells what stands where afterwards.
 */
export interface PlannedFile {
  /** The path after; of a deleted file, the path it had. */
  path: string;
  /** The path before, where the file is renamed. */
  from: string | null;
  kind: LoggedFile["kind"];
  mode: FileMode;
  /** The mode before, where the plan changes it. */
  modeBefore?: FileMode;
  before: Uint8Array | null;
  after: Uint8Array | null;
  beforeSha256: string | null;
  afterSha256: string | null;
  splices: Splice[];
  linesAdded: number;
  linesRemoved: number;
  /** Git-style unified diff of the whole file. */
  diff: string;
}

export interface PlannedPatch {
  patch_id: string;
  op: string;
  file: string;
  task_id: string | null;
  /** Made when first read. */
  readonly landed: LoggedPatch["landed"];
  /** By how many lines the edit followed its text. */
  moved: number;
  metadata: LoggedPatch["metadata"];
  /** This patch alone against the state before. Made when first read. */
  readonly diff: string;
  /** Made when first read. */
  readonly touched: TouchedLines[];
}

export interface Plan {
  /** Only files that change. */
  files: PlannedFile[];
  /** One a patch, in the batch's order. */
  patches: PlannedPatch[];
}

export interface RefusedPatch {
  patch_id: string;
  file: string;
  op: string;
  task_id: string | null;
  /** Its own error, or BATCH_REFUSED where nothing is wrong with this one. */
  error?: VibeError;
}

/** `error` is that of the first bad patch, in the batch's order. */
export type PlanResult = { ok: true; plan: Plan } | { ok: false; error: VibeError; patches: RefusedPatch[] };

export interface PlanOptions {
  /** Names the patch at this place of the batch, where the batch does not. */
  mintPatchId(index: number): string;
}
