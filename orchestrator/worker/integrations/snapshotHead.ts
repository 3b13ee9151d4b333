import { FileModeSchema, HeadSchema, Sha256Schema } from "@shared/contracts";
import { z } from "zod";

/** A tree, file by file, at a head of the engine's log. */
export const TreeManifestSchema = z.object({
  head: HeadSchema,
  treeHash: Sha256Schema,
  files: z.array(z.object({ path: z.string(), mode: FileModeSchema, sha256: Sha256Schema })),
});
export type TreeManifest = z.infer<typeof TreeManifestSchema>;

/** What of a snapshot's `snapshot.json` is of use here. Names below `tree/` are the workspace's files. */
const SnapshotSchema = z.object({
  head: HeadSchema,
  treeHash: Sha256Schema,
  entries: z.array(z.object({ name: z.string(), mode: FileModeSchema, sha256: Sha256Schema })),
});

const TREE = "tree/";
const BLOCK = 512;
const MAX_HEAD_BYTES = 64 * 1024 * 1024;

/**
 * Reads the first member of a snapshot, a gzipped tar whose `snapshot.json` lists what it holds, and lets go of the rest.
 * Throws where it is no snapshot.
 */
export async function readSnapshotHead(response: Response): Promise<TreeManifest> {
  if (!response.body) throw new TypeError("the snapshot has no body");
  const reader = response.body.pipeThrough(new DecompressionStream("gzip")).getReader();
  let held = Buffer.alloc(0);
  const readTo = async (bytes: number): Promise<Uint8Array> => {
    const chunks: Uint8Array[] = [held];
    for (let length = held.length; length < bytes;) {
      const { value, done } = await reader.read();
      if (done) throw new TypeError("the snapshot ends in its first member");
      chunks.push(value);
      length += value.length;
    }
    held = Buffer.concat(chunks);
    return held;
  };
  try {
    const header = await readTo(BLOCK);
    const name = fieldOf(header, 0, 100);
    const size = Number.parseInt(fieldOf(header, 124, 12), 8);
    if (name !== "snapshot.json" || !Number.isSafeInteger(size) || size > MAX_HEAD_BYTES) {
      throw new TypeError("the snapshot does not begin with a list of what it holds");
    }
    const bytes = (await readTo(BLOCK + size)).subarray(BLOCK, BLOCK + size);
    const { head, treeHash, entries } = SnapshotSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
    const files = entries
      .filter((entry) => entry.name.startsWith(TREE))
      .map(({ name, mode, sha256 }) => ({ path: name.slice(TREE.length), mode, sha256 }));
    return { head, treeHash, files };
  } finally {
    await reader.cancel();
  }
}

/** A field of a tar's header: text up to a NUL or the field's end. */
const fieldOf = (header: Uint8Array, start: number, length: number): string =>
  (new TextDecoder().decode(header.subarray(start, start + length)).split("\0", 1)[0] ?? "").trim();
