import { rmSync } from "node:fs";
import type { LogEntry, LoggedFile, Result } from "@shared/contracts";
import { applyEntry, effectsOf, pathsOfEntry, type FileEffect } from "../core/index.ts";
import { readDiskFile, type DiskFile } from "../workspace/Directory.ts";
import {
  changesOf,
  finish,
  switchOver,
  syncNames,
  temporaryName,
  withParent,
  writeTemporaries,
  type Change,
  type Disk,
} from "./commit.ts";

/**
 * Finishes an entry that was logged and perhaps not carried out to the end. Each file is found as the entry left it
 * (done), or with its replacement waiting beside it (renamed now), or as the entry found it (made from the splices).
 * A file that is none of these was changed by someone else after the crash: it stays, and is refused as stale when a
 * patch touches it. Running this on an entry that was carried out changes nothing.
 */
export async function redo(disk: Disk, entry: LogEntry): Promise<Result<{ changed: Change[] }>> {
  const found = new Map<string, DiskFile | null>();
  for (const path of pathsOfEntry(entry)) {
    const read = readDiskFile(disk.root, path);
    // What can no longer be read as a plain file is someone else's by now, and stays out of all that follows.
    if (read.ok) found.set(path, read.file);
  }
  const waiting = findWaiting(disk, entry);

  const changes = changesOf(entry.files, found, (file) => waiting.get(file.path) ?? contentOf(entry, file, found));
  const pending = changes.filter((change) => found.has(change.path) && isPending(entry, change));
  const unwritten = pending.filter((change) => !waiting.has(change.path));
  const failure =
    (await writeTemporaries(disk, entry, unwritten, [], true)) ?? (await switchOver(disk, entry.seq, pending, []));
  if (failure) return { ok: false, error: { ...failure, nothingWritten: null } };

  for (const change of changes) {
    withParent(disk.root, change.path, ({ directory }) =>
      rmSync(directory.at(temporaryName(entry.seq, change.slot)), { force: true }),
    );
  }
  const finished = await finish(disk, entry, changes, true);
  return finished.ok ? { ok: true, changed: pending } : finished;
}

/** How many entries are read at once. */
const AT_ONCE = 50;

/**
 * After a power loss: carries out again, in order, every entry whose files are not known to be on disk itself, and makes
 * what that changes durable. Each file is found in one of the states the log gave it, and goes on from there. What
 * stands in none of them was written by someone else, and stays.
 */
export async function redoAll(disk: Disk, settled: number): Promise<Result<{}>> {
  const { head } = disk.log;
  for (let seq = Math.min(settled, head.seq - 1); seq < head.seq;) {
    const entries = disk.log.after(seq, AT_ONCE);
    if (entries.length === 0) break;
    for (const entry of entries) {
      const redone = await redo(disk, entry);
      if (!redone.ok) return redone;
      await syncNames(disk.root, redone.changed);
      seq = entry.seq;
    }
  }
  disk.mark.write(head.seq, true);
  return { ok: true };
}

/** Replacements that were written whole and not yet renamed, by the path they are for. */
function findWaiting(disk: Disk, entry: LogEntry): Map<string, FileEffect> {
  const waiting = new Map<string, FileEffect>();
  const targets = effectsOf(entry.files, (file) => ({
    bytes: new Uint8Array(),
    sha256: file.afterSha256 ?? "",
    mode: file.mode,
  }));
  let slot = 0;
  for (const [path, target] of targets) {
    slot++;
    if (target === null) continue;
    const place = [...path.split("/").slice(0, -1), temporaryName(entry.seq, slot)].join("/");
    const read = readDiskFile(disk.root, place);
    if (read.ok && read.file?.snapshot.sha256 === target.sha256) waiting.set(path, read.file.snapshot);
  }
  return waiting;
}

/** What the entry made of a file, from the state before it, where that still stands. */
function contentOf(entry: LogEntry, file: LoggedFile, found: ReadonlyMap<string, DiskFile | null>): FileEffect {
  const name = file.from ?? file.path;
  const applied = applyEntry({ seq: entry.seq, files: [file] }, new Map([[name, found.get(name)?.snapshot ?? null]]));
  return applied.ok ? (applied.changes.get(file.path) ?? null) : null;
}

function isPending(entry: LogEntry, change: Change): boolean {
  const standing = change.before?.snapshot ?? null;
  const origin = entry.files.find((file) => file.kind !== "create" && (file.from ?? file.path) === change.path);
  const asFound = (standing?.sha256 ?? null) === (origin?.beforeSha256 ?? null);
  const { after } = change;
  if (after === null) return standing !== null && asFound;
  const asLeft = standing?.sha256 === after.sha256 && standing.mode === after.mode;
  return !asLeft && asFound;
}
