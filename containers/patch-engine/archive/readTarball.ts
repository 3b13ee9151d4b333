import { type Readable, Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { Parser, type ReadEntry } from "tar";

/** What is wrong with a tarball, in words for whoever gave it. */
export class TarballError extends Error {}

/**
 * Reads a gzipped tarball that strangers may have made: `take` gets its entries one after the other, and must read or
 * `resume()` each. `maxBytes` bounds what all of it unpacks to.
 *
 * Throws TarballError where it is no tarball, damaged, compressed twice or unpacks to more; else whatever `take` throws,
 * the first time it does. Once this has thrown, no `take` runs: `signal` tells the running one to end, and it is waited
 * for, so that what the caller clears away is not written once more behind its back.
 */
export async function readTarball(
  compressed: Readable,
  { maxBytes }: { maxBytes: number },
  take: (entry: ReadEntry, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const refused = new AbortController();
  let taking = Promise.resolve();
  try {
    await new Promise<void>((resolve, reject) => {
      const parser = new Parser({
        strict: true,
        gzip: false,
        onReadEntry: (entry) => {
          taking = taking.then(() => (refused.signal.aborted ? undefined : take(entry, refused.signal)));
          taking.catch(reject);
        },
      });
      parser.on("error", (cause: unknown) => reject(new TarballError("the archive is damaged", { cause })));
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
      pipeline(compressed, createGunzip(), countingTo(maxBytes), sink).catch(reject);
    });
    await taking;
  } catch (error) {
    refused.abort();
    await Promise.allSettled([taking]);
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code.startsWith("Z_")) throw new TarballError("the archive is not gzip, or damaged", { cause: error });
    throw error;
  } finally {
    compressed.destroy();
  }
}

/** What a decompressor would recognise: the parser unpacks it once more, and nothing counts what comes of that. */
const COMPRESSED = [Buffer.from([0x1f, 0x8b]), Buffer.from([0x28, 0xb5, 0x2f, 0xfd])];

function countingTo(limit: number): Transform {
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (size === 0 && COMPRESSED.some((magic) => chunk.subarray(0, magic.length).equals(magic))) {
        done(new TarballError("the archive is compressed twice"));
        return;
      }
      size += chunk.byteLength;
      if (size > limit) done(new TarballError("the archive unpacks to too much"));
      else done(null, chunk);
    },
  });
}
