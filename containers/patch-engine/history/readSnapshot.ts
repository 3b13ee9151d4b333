import { createReadStream } from "node:fs";
import { addAbortSignal, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { fail, MAX_FILE_BYTES, type Result } from "@shared/contracts";
import type { ReadEntry } from "tar";
import { readTarball, TarballError } from "../archive/readTarball.ts";
import { ioError } from "../workspace/systemError.ts";
import { sha256Of, SNAPSHOT, SnapshotManifestSchema, type SnapshotEntry, type SnapshotManifest } from "./archive.ts";

/** What a snapshot may unpack to. */
const MAX_BYTES = 4 * 1024 ** 3;
/** The log and the lists grow with the workspace's age, where a file of the tree has its own limit. */
const MAX_STATE_BYTES = 1024 ** 3;

/**
 * Reads a snapshot, which strangers may have made: `take` gets each entry, in the order the manifest gives, once its
 * bytes are known to be those listed. Links, devices, names that are not listed, twice there, missing or that lead
 * elsewhere, and whatever follows the last are refused. SOURCE_INVALID, IO_ERROR.
 */
export async function readSnapshot(
  path: string,
  take: (entry: SnapshotEntry, bytes: Buffer) => Promise<void>,
): Promise<Result<{ manifest: SnapshotManifest }>> {
  let manifest: SnapshotManifest | null = null;
  let count = 0;

  const accept = async (read: ReadEntry, signal: AbortSignal): Promise<void> => {
    const { type, path: name } = read;
    if (type !== "File" && type !== "OldFile") throw new TarballError(`the entry ${quoted(name)} is no plain file`);
    const expected = manifest?.entries[count];
    const limit = expected === undefined || !name.startsWith("tree/") ? MAX_STATE_BYTES : MAX_FILE_BYTES;
    if (read.size > limit) throw new TarballError(`the entry ${quoted(name)} is too large`);
    const bytes = await buffer(addAbortSignal(signal, Readable.from(read)));
    if (manifest === null) {
      manifest = parseManifest(name, bytes);
      return;
    }
    if (expected?.name !== name) throw new TarballError(`the entry ${quoted(name)} is not the one that is listed next`);
    if (sha256Of(bytes) !== expected.sha256) {
      throw new TarballError(`the entry ${quoted(name)} is not the one that was written`);
    }
    count++;
    await take(expected, bytes);
  };

  try {
    await readTarball(createReadStream(path), { maxBytes: MAX_BYTES }, accept);
  } catch (error) {
    return error instanceof TarballError ? invalid(error.message) : ioError(error, "cannot read the snapshot");
  }
  // Assigned in a callback, which the compiler does not follow.
  const read: SnapshotManifest | null = manifest;
  return complete(read, count);
}

function complete(manifest: SnapshotManifest | null, count: number): Result<{ manifest: SnapshotManifest }> {
  if (manifest === null) return invalid("the archive is empty");
  const missing = manifest.entries[count];
  return missing ? invalid(`the entry ${quoted(missing.name)} is missing`) : { ok: true, manifest };
}

function parseManifest(name: string, bytes: Buffer): SnapshotManifest {
  if (name !== SNAPSHOT) throw new TarballError(`the first entry is not ${SNAPSHOT}`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new TarballError(`${SNAPSHOT} is not JSON`, { cause });
  }
  const parsed = SnapshotManifestSchema.safeParse(value);
  if (!parsed.success) throw new TarballError(`${SNAPSHOT}: ${parsed.error.issues[0]?.message ?? "is invalid"}`);
  return parsed.data;
}

const invalid = (why: string) => fail("SOURCE_INVALID", `this is not a whole snapshot: ${why}`);
const quoted = (name: string): string => JSON.stringify(name.slice(0, 200).toWellFormed());
