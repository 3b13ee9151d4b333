import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import {
  fail,
  FileModeSchema,
  Sha256Schema,
  type Head,
  type LogEntry,
  type LoggedFile,
  type Result,
  type VibeError,
} from "@shared/contracts";
import { checkPath, type FileEffect } from "../core/index.ts";
import { changesOf, commit, syncNames, type Disk } from "../transaction/commit.ts";
import { DoneMark } from "../transaction/DoneMark.ts";
import { EntryLog } from "../transaction/EntryLog.ts";
import { replaceFile } from "../transaction/files.ts";
import { redo, redoAll } from "../transaction/recover.ts";
import type { Faults } from "../transaction/steps.ts";
import { Directory, readDiskFile, syncDiskFile, type DiskFile } from "./Directory.ts";
import { ioError } from "./systemError.ts";
import { openMissionControl } from "./missionControl.ts";
import { TrackedTree, walk, type ManifestRow } from "./TrackedTree.ts";
import { WorkspaceLock } from "./WorkspaceLock.ts";

const ManifestSchema = z.object({
  v: z.literal(1),
  /** The files of the source when the workspace was first opened. */
  files: z.array(z.tuple([z.string(), FileModeSchema, Sha256Schema])),
});

export interface WorkspaceOptions {
  root: string;
  faults: Faults;
  lockTimeoutMs: number;
}

/** Files by path, null where nothing stands, and what keeps others from being read. */
export interface Loaded {
  files: Map<string, DiskFile | null>;
  errors: Map<string, VibeError>;
}

/**
 * A working tree with its log: what is on disk, and the only way to change it. Everything runs in `exclusively`, one at
 * a time in this process and, by the lock file, among all that have the workspace open.
 */
export class Workspace {
  /** The system path of `.mission_control`. */
  readonly directory: string;
  readonly log: EntryLog;
  readonly #disk: Disk;
  readonly #lock: WorkspaceLock;
  readonly #lockTimeoutMs: number;
  #tree = new TrackedTree([]);
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(root: Directory, directory: string, options: WorkspaceOptions) {
    this.directory = directory;
    this.log = new EntryLog(join(directory, "log.jsonl"));
    this.#lock = new WorkspaceLock(join(directory, "lock"));
    this.#lockTimeoutMs = options.lockTimeoutMs;
    this.#disk = {
      root,
      log: this.log,
      mark: new DoneMark(join(directory, "done")),
      diffs: join(directory, "patches"),
      faults: options.faults,
    };
  }

  /** Opens a root: finishes what a crash left, verifies the log, and lists the source where it is opened first. */
  static async open(options: WorkspaceOptions): Promise<Result<{ workspace: Workspace }>> {
    let root: Directory;
    try {
      root = Directory.root(options.root);
    } catch (error) {
      return ioError(error, "cannot open the workspace's root");
    }
    const made = openMissionControl(root.at("."));
    if (!made.ok) {
      root.close();
      return made;
    }
    let workspace: Workspace;
    try {
      workspace = new Workspace(root, made.directory, options);
    } catch (error) {
      root.close();
      return ioError(error, "cannot open the workspace's log");
    }
    const opened = await workspace.#exclusively(() => workspace.#open());
    if (opened.ok) return { ok: true, workspace };
    workspace.#release();
    return opened;
  }

  get tree(): TrackedTree {
    return this.#tree;
  }

  /** The files of the source as they were when the workspace was first opened. LOG_CORRUPT. */
  source(): Result<{ files: ManifestRow[] }> {
    try {
      const parsed = parseManifest(readFileSync(join(this.directory, "manifest.json"), "utf8"));
      return parsed ? { ok: true, files: parsed.files } : fail("LOG_CORRUPT", "manifest.json is not a list of files");
    } catch (error) {
      return ioError(error, "cannot read manifest.json");
    }
  }

  get head(): Head {
    return this.log.head;
  }

  /** Runs one action at a time, with the log as it stands on disk. */
  exclusively<T extends { ok: boolean }>(
    action: () => Promise<T> | T,
  ): Promise<T | Extract<Result<{}>, { ok: false }>> {
    if (this.#closed) return Promise.resolve(fail("SHUTTING_DOWN", "the workspace is closed"));
    const result = this.#queue.then(() =>
      this.#exclusively(async () => {
        const fresh = await this.#refresh();
        return fresh.ok ? action() : fresh;
      }),
    );
    this.#queue = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** Waits for what was asked before, then lets go of the files. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#queue;
    this.#release();
  }

  /**
   * Reads the files at workspace paths as they stand on disk. What differs from what the log left, or was made beside
   * it, is STALE_CONTENT: an edit made around the engine is neither lost nor folded into a patch that is not its own.
   */
  load(paths: Iterable<string>): Loaded {
    const files = new Map<string, DiskFile | null>();
    const errors = new Map<string, VibeError>();
    for (const path of paths) {
      const loaded = this.#loadOne(path);
      if (loaded.ok) files.set(path, loaded.file);
      else errors.set(path, loaded.error);
    }
    return { files, errors };
  }

  /** Reads a file without asking whether the log left it so. */
  readDisk(path: string): Result<{ file: DiskFile | null }> {
    const refused = checkPath(path);
    if (refused) return { ok: false, error: refused };
    try {
      return readDiskFile(this.#disk.root, path);
    } catch (error) {
      return ioError(error, `cannot read ${path}`);
    }
  }

  /** The tree hash as it would be after these files. */
  treeAfter(files: Parameters<TrackedTree["apply"]>[0]): string {
    const undo = this.#tree.apply(files);
    const digest = this.#tree.digest;
    undo();
    return digest;
  }

  /** Appends an entry and carries it out; see `commit`. */
  async commit(
    entry: LogEntry,
    disk: ReadonlyMap<string, DiskFile | null>,
    contentOf: (file: LoggedFile) => FileEffect,
    durable = true,
  ): Promise<Result<{}>> {
    const committed = await commit(this.#disk, entry, changesOf(entry.files, disk, contentOf), durable);
    // Whatever failed: what the log holds, the tree follows.
    if (this.log.head.seq === entry.seq) this.#tree.apply(entry.files);
    return committed;
  }

  /**
   * Makes durable what was committed without being so: the entries after `seq`, their files, and the names they stand
   * under. Until then a power loss may leave any part of them.
   */
  async settle(seq: number): Promise<Result<{}>> {
    try {
      await this.#settle(seq);
      return { ok: true };
    } catch (error) {
      return ioError(error, "the entries are carried out, but could not be made durable", false);
    }
  }

  async #settle(seq: number): Promise<void> {
    const { root, mark } = this.#disk;
    const files = this.log.after(seq).flatMap((entry) => entry.files);
    const paths = new Set(files.flatMap(({ path, from }) => (from === null ? [path] : [path, from])));
    await this.log.sync();
    for (const path of paths) await syncDiskFile(root, path);
    await syncNames(
      root,
      [...paths].map((path) => ({ path })),
    );
    mark.write(this.head.seq);
  }

  #loadOne(path: string): Result<{ file: DiskFile | null }> {
    const read = this.readDisk(path);
    if (!read.ok) return read;
    const { file } = read;
    const tracked = this.#tree.get(path);
    const standing = file?.snapshot;
    if (standing?.sha256 === tracked?.sha256 && standing?.mode === tracked?.mode) return read;
    const what =
      tracked === undefined
        ? "was made outside the engine"
        : standing === undefined
          ? "was deleted outside the engine"
          : standing.sha256 === tracked.sha256
            ? `was made ${standing.mode === "100755" ? "" : "not "}executable outside the engine`
            : "was changed outside the engine";
    const remedy = tracked === undefined ? "move it away first" : "put it back as the log left it first";
    return fail("STALE_CONTENT", `${path} ${what}: ${remedy}, then send the change as a patch`, {
      file: path,
      ...(standing && { currentSha256: standing.sha256 }),
    });
  }

  async #exclusively<T extends { ok: boolean }>(
    action: () => Promise<T> | T,
  ): Promise<T | Extract<Result<{}>, { ok: false }>> {
    let lock;
    try {
      lock = await this.#lock.acquire(this.#lockTimeoutMs);
    } catch (error) {
      return ioError(error, "cannot lock the workspace");
    }
    if (!lock.ok) return lock;
    try {
      return await action();
    } finally {
      lock.release();
    }
  }

  async #open(): Promise<Result<{}>> {
    try {
      return await this.#load();
    } catch (error) {
      return ioError(error, "cannot open the workspace");
    }
  }

  async #load(): Promise<Result<{}>> {
    const manifest = join(this.directory, "manifest.json");
    const known = existsSync(manifest);
    const { seq } = this.#disk.mark.read();
    const refreshed = this.log.refresh(seq);
    if (!refreshed.ok) return refreshed;
    if (!known) {
      if (this.head.seq > 0) return fail("LOG_CORRUPT", "the log has entries, but manifest.json is missing");
      const walked = walk(this.#disk.root);
      if (!walked.ok) return walked;
      await replaceFile(this.directory, "manifest.json", `${JSON.stringify({ v: 1, files: walked.rows })}\n`);
      // The folder itself was made just now.
      await this.#disk.root.sync();
      this.#tree = new TrackedTree(walked.rows);
      return { ok: true };
    }
    const parsed = parseManifest(readFileSync(manifest, "utf8"));
    if (!parsed) return fail("LOG_CORRUPT", "manifest.json is not a list of files");
    this.#tree = new TrackedTree(parsed.files);
    return this.#follow(refreshed.entries);
  }

  async #refresh(): Promise<Result<{}>> {
    try {
      const refreshed = this.log.refresh(this.#disk.mark.read().seq);
      return refreshed.ok ? await this.#follow(refreshed.entries) : refreshed;
    } catch (error) {
      return ioError(error, "cannot read the log");
    }
  }

  /** Brings tree and disk to where the log is. Only the last entry can be undone: its lock is held to the end. */
  async #follow(entries: readonly LogEntry[]): Promise<Result<{}>> {
    // Between them, entries begin with the tree the one before left: that is part of the chain.
    const [first, newest] = [entries[0], entries.at(-1)];
    if (first && this.#tree.digest !== first.treeBefore) return treeMismatch(first.seq);
    for (const entry of entries) this.#tree.apply(entry.files);
    if (newest && this.#tree.digest !== newest.treeAfter) return treeMismatch(newest.seq);
    const mark = this.#disk.mark.read();
    const { seq } = this.head;
    if (seq === 0 || (mark.seq === seq && mark.sure)) return { ok: true };
    if (!mark.sure) return redoAll(this.#disk, mark.settled);
    const last = this.log.at(seq);
    return last ? redo(this.#disk, last) : { ok: true };
  }

  #release(): void {
    this.#lock.close();
    this.log.close();
    this.#disk.mark.close();
    this.#disk.root.close();
  }
}

const treeMismatch = (seq: number) =>
  fail("LOG_CORRUPT", `entry ${seq} of log.jsonl does not fit the tree it is said to change`);

function parseManifest(text: string): z.infer<typeof ManifestSchema> | null {
  try {
    const parsed = ManifestSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
