import { lstatSync, renameSync, rmdirSync, rmSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { fail, type LogEntry, type LoggedFile, type LoggedPatch, type Result, type VibeError } from "@shared/contracts";
import { effectsOf, type FileEffect } from "../core/index.ts";
import { openParent, type Directory, type DiskFile } from "../workspace/Directory.ts";
import { ioError, isMissing } from "../workspace/systemError.ts";
import type { DoneMark } from "./DoneMark.ts";
import { LogInDoubt, type EntryLog } from "./EntryLog.ts";
import { writeNewFile } from "./files.ts";
import type { Faults } from "./steps.ts";

/** What a path is to hold: `before` is what stood there when the change was planned, null where nothing did. */
export interface Change {
  path: string;
  /** Its number in the entry, which names its temporary file. */
  slot: number;
  before: DiskFile | null;
  /** Null: the file goes. */
  after: FileEffect;
  /** The permission bits of the file this one comes from, else null. */
  permissions: number | null;
}

export interface Disk {
  root: Directory;
  log: EntryLog;
  mark: DoneMark;
  /** The system path of `.mission_control/patches`. */
  diffs: string;
  faults: Faults;
}

/** Where the new text of a change waits for its rename; so named that recovery finds it. */
export const temporaryName = (seq: number, slot: number): string => `.vibehq-${seq}-${slot}.tmp`;

/**
 * The changes of disk that a plan's or an entry's files come down to, numbered the same way whenever it is asked.
 * `contentOf` null: this file's content is not to be had, and its path is left out.
 */
export function changesOf<T extends Pick<LoggedFile, "path" | "from" | "kind">>(
  files: readonly T[],
  disk: ReadonlyMap<string, DiskFile | null>,
  contentOf: (file: T) => FileEffect,
): Change[] {
  const origins = new Map<string, string>();
  const absent = new Set<string>();
  const effects = effectsOf(files, (file) => {
    const content = contentOf(file);
    origins.set(file.path, file.from ?? file.path);
    if (content === null) absent.add(file.path);
    return content;
  });
  return [...effects]
    .map(([path, after], index) => ({
      path,
      slot: index + 1,
      before: disk.get(path) ?? null,
      after,
      permissions: disk.get(origins.get(path) ?? path)?.permissions ?? null,
    }))
    .filter((change) => !absent.has(change.path));
}

export const diffName = (entry: Pick<LogEntry, "kind">, patch: Pick<LoggedPatch, "patch_id">): string =>
  entry.kind === "revert" ? `${patch.patch_id}.revert.diff` : `${patch.patch_id}.diff`;

/** New files get what the umask leaves of these. */
const permissionsOf = (change: Change): number => {
  const executable = change.after?.mode === "100755";
  if (change.permissions === null) return (executable ? 0o777 : 0o666) & ~process.umask();
  if (executable === ((change.permissions & 0o100) !== 0)) return change.permissions;
  // As chmod +x does it: whoever may read may execute.
  return executable ? change.permissions | ((change.permissions & 0o444) >> 2) : change.permissions & ~0o111;
};

/**
 * Carries out an entry, all files or none. The entry in the log is the one redo record: until it is durable no file has
 * changed, and from then on recovery finishes what this leaves undone. A failure of the disk that leaves the process
 * alive is undone here, and the entry taken out of the log again; where even that fails, `nothingWritten` is null.
 * A file that is no longer what was planned with is STALE_CONTENT, and nothing is written.
 *
 * A file keeps all its permission bits, also over a rename and a revert; a new one has what the umask leaves of 666 or
 * 777. Its modification time is that of the edit, never carried over: build tools go by it. Files that no patch changes
 * are not written, so their times stay.
 */
export async function commit(
  disk: Disk,
  entry: LogEntry,
  changes: readonly Change[],
  durable: boolean,
): Promise<Result<{}>> {
  const { faults } = disk;
  for (const change of changes) {
    const unchanged = checkUnchanged(disk.root, change);
    if (!unchanged.ok) return unchanged;
  }
  await faults.at("checked");

  try {
    await disk.log.append(entry, faults, durable);
  } catch (error) {
    return ioError(error, "cannot append to the log", error instanceof LogInDoubt ? null : true);
  }

  const created: string[] = [];
  const done: Change[] = [];
  let failure: VibeError | null;
  try {
    failure =
      (await writeTemporaries(disk, entry, changes, created, durable)) ??
      (await switchOver(disk, entry.seq, changes, done));
  } catch (error) {
    failure = ioError(error, "cannot write the batch's files").error;
  }
  if (failure) return undo(disk, entry.seq, changes, done, created, failure);

  // The files stand and the entry is durable: the batch is applied. What is left undone here, the missing mark makes
  // the next call do again, and answer for if it still fails.
  await finish(disk, entry, changes, durable);
  return { ok: true };
}

/**
 * What follows once all files stand: emptied directories, diffs, mark. Without `marked` the mark is left for later: it
 * must never name an entry that a power loss may still take from the log.
 */
export async function finish(
  disk: Disk,
  entry: LogEntry,
  changes: readonly Change[],
  marked: boolean,
): Promise<Result<{}>> {
  const { faults } = disk;
  try {
    for (const change of changes) if (change.after === null) removeEmptied(disk.root, change.path);
    await faults.at("directories-removed");
    for (const patch of entry.patches) {
      await writeNewFile(join(disk.diffs, diffName(entry, patch)), patch.diff, 0o644, false);
    }
    await faults.at("diffs-written");
    if (marked) disk.mark.write(entry.seq);
  } catch (error) {
    return ioError(error, "the last batch is applied, but its record is incomplete", false);
  }
  await faults.at("done");
  return { ok: true };
}

function checkUnchanged(root: Directory, change: Change): Result<{}> {
  const parent = openParent(root, change.path);
  if (!parent.ok) {
    if (parent.error.code === "FILE_NOT_FOUND") return change.before === null ? { ok: true } : changed(change.path);
    return parent;
  }
  try {
    const identity = parent.directory.identity(parent.name);
    return identity === (change.before?.identity ?? null) ? { ok: true } : changed(change.path);
  } finally {
    if (parent.directory !== root) parent.directory.close();
  }
}

const changed = (file: string) =>
  fail("STALE_CONTENT", `${file} was changed outside the engine while the batch was planned`, { file });

/**
 * Writes each new content beside its target. Where content moves between paths, the names are made durable too before
 * anything goes: the log holds what changed, and the rest would else be nowhere.
 */
export async function writeTemporaries(
  disk: Disk,
  { seq, files }: Pick<LogEntry, "seq" | "files">,
  changes: readonly Change[],
  created: string[],
  durable: boolean,
): Promise<VibeError | null> {
  for (const change of changes) {
    if (change.after === null) continue;
    const parent = openParent(disk.root, change.path, created);
    if (!parent.ok) return parent.error;
    try {
      const path = parent.directory.at(temporaryName(seq, change.slot));
      await writeNewFile(path, change.after.bytes, permissionsOf(change), durable);
    } finally {
      if (parent.directory !== disk.root) parent.directory.close();
    }
    await disk.faults.at(`temp-${change.slot}`);
  }
  if (durable && files.some(({ from }) => from !== null)) await syncNames(disk.root, changes);
  await disk.faults.at("temps-written");
  return null;
}

/** Makes durable what names stand in the directories of changes, and those directories' own names. */
export async function syncNames(root: Directory, changes: readonly Pick<Change, "path">[]): Promise<void> {
  const paths = new Set<string>();
  for (const { path } of changes) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) paths.add(path.slice(0, end));
  }
  await root.sync();
  for (const path of paths) {
    // Opened by a name in it, which need not stand.
    const opened = openParent(root, `${path}/.`);
    if (!opened.ok) {
      if (opened.error.code === "FILE_NOT_FOUND") continue;
      throw new Error(opened.error.message);
    }
    try {
      await opened.directory.sync();
    } finally {
      opened.directory.close();
    }
  }
}

/** Renames and removals. What goes, goes first: on a case-folding disk `a` → `A` would else remove what it made. */
export async function switchOver(
  disk: Disk,
  seq: number,
  changes: readonly Change[],
  done: Change[],
): Promise<VibeError | null> {
  for (const kind of ["removed", "renamed"] as const) {
    for (const change of changes) {
      if ((change.after === null) !== (kind === "removed")) continue;
      const unchanged = checkUnchanged(disk.root, change);
      if (!unchanged.ok) return unchanged.error;
      const parent = openParent(disk.root, change.path);
      if (!parent.ok) return parent.error;
      const { directory, name } = parent;
      try {
        if (change.after === null) unlinkSync(directory.at(name));
        else renameSync(directory.at(temporaryName(seq, change.slot)), directory.at(name));
      } finally {
        if (directory !== disk.root) directory.close();
      }
      done.push(change);
      await disk.faults.at(`${kind}-${change.slot}`);
    }
  }
  return null;
}

/** Puts back what stood before, and takes the entry out of the log: the batch has not happened. */
async function undo(
  disk: Disk,
  seq: number,
  changes: readonly Change[],
  done: readonly Change[],
  created: readonly string[],
  failure: VibeError,
): Promise<Result<{}>> {
  try {
    for (const change of changes) {
      withParent(disk.root, change.path, ({ directory }) =>
        rmSync(directory.at(temporaryName(seq, change.slot)), { force: true }),
      );
    }
    for (const change of done.toReversed()) {
      const parent = openParent(disk.root, change.path, []);
      if (!parent.ok) throw new Error(parent.error.message);
      const { directory, name } = parent;
      try {
        if (change.before === null) unlinkSync(directory.at(name));
        else {
          const temporary = directory.at(temporaryName(seq, 0));
          await writeNewFile(temporary, change.before.snapshot.bytes, change.before.permissions, true);
          renameSync(temporary, directory.at(name));
        }
      } finally {
        if (directory !== disk.root) directory.close();
      }
    }
    for (const path of created.toReversed()) {
      withParent(disk.root, path, ({ directory, name }) => rmdirSync(directory.at(name)));
    }
    // The record must outlast every trace of the batch.
    await syncNames(disk.root, changes);
    await disk.log.removeLast();
    return { ok: false, error: failure };
  } catch (error) {
    return {
      ok: false,
      error: { ...ioError(error, `${failure.message}; and undoing it failed`).error, nothingWritten: null },
    };
  }
}

/** Acts in the directory of a path, if it is there. */
export function withParent(
  root: Directory,
  path: string,
  act: (place: { directory: Directory; name: string }) => void,
): void {
  const parent = openParent(root, path);
  if (!parent.ok) return;
  try {
    act(parent);
  } finally {
    if (parent.directory !== root) parent.directory.close();
  }
}

/** Removes the directories that a removal left empty, innermost first. */
function removeEmptied(root: Directory, path: string): void {
  const segments = path.split("/").slice(0, -1);
  for (; segments.length > 0; segments.pop()) {
    let empty = true;
    withParent(root, segments.join("/"), ({ directory, name }) => {
      const place = directory.at(name);
      if (lstatSync(place, { throwIfNoEntry: false })?.isDirectory() !== true) return;
      try {
        rmdirSync(place);
      } catch (error) {
        if (!isNotEmpty(error) && !isMissing(error)) throw error;
        empty = false;
      }
    });
    if (!empty) return;
  }
}

const isNotEmpty = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ENOTEMPTY" || error.code === "EEXIST");
