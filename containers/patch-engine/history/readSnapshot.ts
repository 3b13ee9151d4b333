import { createReadStream } from "node:fs";
import { Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { fail, MAX_FILE_BYTES, type Result } from "@shared/contracts";
import { Parser, type ReadEntry } from "tar";
import { ioError } from "../workspace/systemError.ts";
import { sha256Of, SNAPSHOT, SnapshotManifestSchema, type SnapshotEntry, type SnapshotManifest } from "./archive.ts";

/** What a snapshot may unpack to. */
const MAX_BYTES = 4 * 1024 ** 3;
/** The log and the lists grow with the workspace's age, where a file of the tree has its own limit. */
const MAX_STATE_BYTES = 1024 ** 3;

/** What is wrong with a snapshot, on its way out of a stream. */
class SnapshotError extends Error {}

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
  let work = Promise.resolve();
  let taking = Promise.resolve();
  let isRefused = false;

  const accept = async (read: ReadEntry): Promise<void> => {
    const { type, path: name } = read;
    if (type !== "File" && type !== "OldFile") throw new SnapshotError(`the entry ${quoted(name)} is no plain file`);
    const expected = manifest?.entries[count];
    const limit = expected === undefined || !name.startsWith("tree/") ? MAX_STATE_BYTES : MAX_FILE_BYTES;
    if (read.size > limit) throw new SnapshotError(`the entry ${quoted(name)} is too large`);
    const chunks: Buffer[] = [];
    for await (const chunk of read) chunks.push(Buffer.from(chunk));
    const bytes = Buffer.concat(chunks);
    if (manifest === null) {
      manifest = parseManifest(name, bytes);
      return;
    }
    if (expected?.name !== name)
      throw new SnapshotError(`the entry ${quoted(name)} is not the one that is listed next`);
    if (sha256Of(bytes) !== expected.sha256) {
      throw new SnapshotError(`the entry ${quoted(name)} is not the one that was written`);
    }
    count++;
    if (isRefused) return;
    taking = take(expected, bytes);
    await taking;
  };

  try {
    await new Promise<void>((resolve, reject) => {
      const parser = new Parser({
        strict: true,
        gzip: false,
        onReadEntry: (entry) => {
          work = work.then(() => accept(entry));
          work.catch(reject);
        },
      });
      parser.on("error", (cause: unknown) => reject(new SnapshotError("the archive is damaged", { cause })));
      parser.on("end", resolve);
      const sink = new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          if (parser.write(chunk)) done();
          else parser.once("drain", done);
        },
        final: (done) => {
          parser.end();
          done();
        },
      });
      pipeline(createReadStream(path), createGunzip(), counting(), sink).catch(reject);
    });
    await work;
  } catch (error) {
    // What the caller clears away after a refusal is not written once more behind its back.
    isRefused = true;
    await Promise.allSettled([taking]);
    if (error instanceof SnapshotError) return invalid(error.message);
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code.startsWith("Z_")) return invalid("the archive is not gzip, or damaged");
    return ioError(error, "cannot read the snapshot");
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
  if (name !== SNAPSHOT) throw new SnapshotError(`the first entry is not ${SNAPSHOT}`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new SnapshotError(`${SNAPSHOT} is not JSON`, { cause });
  }
  const parsed = SnapshotManifestSchema.safeParse(value);
  if (!parsed.success) throw new SnapshotError(`${SNAPSHOT}: ${parsed.error.issues[0]?.message ?? "is invalid"}`);
  return parsed.data;
}

const invalid = (why: string) => fail("SOURCE_INVALID", `this is not a whole snapshot: ${why}`);
const quoted = (name: string): string => JSON.stringify(name.slice(0, 200).toWellFormed());

/** What a decompressor would recognise: the parser unpacks it once more, and nothing counts what comes of that. */
const COMPRESSED = [Buffer.from([0x1f, 0x8b]), Buffer.from([0x28, 0xb5, 0x2f, 0xfd])];

function counting(): Transform {
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (size === 0 && COMPRESSED.some((magic) => chunk.subarray(0, magic.length).equals(magic))) {
        done(new SnapshotError("it is compressed twice"));
        return;
      }
      size += chunk.byteLength;
      if (size > MAX_BYTES) done(new SnapshotError("it unpacks to too much"));
      else done(null, chunk);
    },
  });
}
