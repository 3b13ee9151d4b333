import { Buffer } from "node:buffer";
import { fail, type FileMode, type Head, type LogEntry, type LoggedFile, type Result } from "@shared/contracts";
import { hashOf, sha256 } from "./canonical.ts";
import type { FileSnapshot, FileSnapshots } from "./planTypes.ts";

/** The hash that links a log entry: SHA-256 of the RFC 8785 text of the entry without `hash`. */
export function entryHash(entry: Omit<LogEntry, "hash">): string {
  return hashOf({ ...entry, hash: undefined });
}

export type ChainVerdict = { ok: true; head: Head } | { ok: false; seq: number; reason: string };

/** Follows the chain from `from` through the entries, and names the first entry that is not the next link. */
export function verifyEntries(entries: readonly LogEntry[], from: Head): ChainVerdict {
  let head = from;
  let tree: string | null = null;
  for (const entry of entries) {
    const seq = head.seq + 1;
    if (entry.seq !== seq)
      return { ok: false, seq, reason: `entry ${seq} is missing: ${entry.seq} stands in its place` };
    if (entry.prevHash !== head.hash) return { ok: false, seq, reason: `entry ${seq} does not follow the one before` };
    if (entryHash(entry) !== entry.hash) return { ok: false, seq, reason: `entry ${seq} does not have its hash` };
    if (tree !== null && entry.treeBefore !== tree) {
      return { ok: false, seq, reason: `entry ${seq} does not begin with the tree that the one before left` };
    }
    head = { seq, hash: entry.hash };
    tree = entry.treeAfter;
  }
  return { ok: true, head };
}

/**
 * The hash by which a repeated batch is known: over the batch as sent, before defaults, without `batchId`.
 * Throws a TypeError on what JSON cannot carry.
 */
export function payloadHashOf(batch: unknown): string {
  if (typeof batch !== "object" || batch === null || Array.isArray(batch)) return hashOf(batch);
  return hashOf({ ...batch, batchId: undefined });
}

/** A file's content and mode after an entry, or null where it no longer stands. */
export type FileEffect = { bytes: Uint8Array; sha256: string; mode: FileMode } | null;

/** Every path a plan or a log entry's files change, and what stands there afterwards. */
export function effectsOf<T extends Pick<LoggedFile, "path" | "from" | "kind">>(
  files: readonly T[],
  contentOf: (file: T) => FileEffect,
): Map<string, FileEffect> {
  const effects = new Map<string, FileEffect>();
  // What goes, first: a name that one file leaves may be another's in the same entry.
  for (const file of files) {
    if (file.kind === "delete") effects.set(file.path, null);
    if (file.from !== null) effects.set(file.from, null);
  }
  for (const file of files) if (file.kind !== "delete") effects.set(file.path, contentOf(file));
  return effects;
}

/** The paths to load before an entry can be replayed. */
export function pathsOfEntry(entry: Pick<LogEntry, "files">): string[] {
  return [...new Set(entry.files.flatMap((file) => (file.from === null ? [file.path] : [file.from, file.path])))];
}

/**
 * Replays an entry: what stands at each path it changes, afterwards. TREE_MISMATCH where a file is not what the entry
 * began with, or its splices do not make what the entry left.
 */
export function applyEntry(
  entry: Pick<LogEntry, "seq" | "files">,
  files: FileSnapshots,
): Result<{ changes: Map<string, FileEffect> }> {
  const made = new Map<LoggedFile, FileEffect>();
  for (const file of entry.files) {
    const name = file.from ?? file.path;
    const mismatch = (why: string) =>
      fail("TREE_MISMATCH", `Entry ${entry.seq} cannot be replayed: ${name} ${why}.`, { file: name });
    const before = file.kind === "create" ? null : (files.get(name) ?? null);
    if (file.kind !== "create" && before === null) return mismatch("is missing");
    if ((before?.sha256 ?? null) !== file.beforeSha256) return mismatch("is not what the entry began with");

    const after = splicedBytes(before, file);
    if (after === null) return mismatch("does not hold the text the entry replaced");
    if (file.kind === "delete") {
      made.set(file, null);
      continue;
    }
    const hash = sha256(after);
    if (hash !== file.afterSha256) return mismatch("does not become what the entry left");
    made.set(file, { bytes: after, sha256: hash, mode: file.mode });
  }
  return { ok: true, changes: effectsOf(entry.files, (file) => made.get(file) ?? null) };
}

/** A file's bytes with its splices applied; null where a splice's old text does not stand at its place. */
function splicedBytes(before: FileSnapshot | null, file: LoggedFile): Buffer | null {
  const bytes = Buffer.from(before?.bytes ?? []);
  const pieces: Buffer[] = [];
  let at = 0;
  for (const splice of file.splices) {
    if (splice.start < at || splice.end > bytes.length) return null;
    if (!bytes.subarray(splice.start, splice.end).equals(Buffer.from(splice.old))) return null;
    pieces.push(bytes.subarray(at, splice.start), Buffer.from(splice.new));
    at = splice.end;
  }
  pieces.push(bytes.subarray(at));
  return Buffer.concat(pieces);
}
