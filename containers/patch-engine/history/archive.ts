import { createHash } from "node:crypto";
import { z } from "zod";
import { FileModeSchema, HeadSchema, Sha256Schema } from "@shared/contracts";
import { Header, Pax } from "tar";
import { checkPath, hashOf } from "../core/index.ts";

/**
 * A workspace as one file: a gzipped tar, first `snapshot.json`, then in its order what that lists: the log, what the
 * source held (`manifest.json`), where it came from (`source.json`), tasks and policy where there are any, and every
 * file of the tree below `tree/`. `content` is the SHA-256 of the RFC 8785 text of the list, so of all that follows.
 */
export const SNAPSHOT = "snapshot.json";
/** Of `.mission_control`, what a snapshot holds; the first two always. */
export const STATE_FILES = ["log.jsonl", "manifest.json", "source.json", "tasks.json", "policy.json"] as const;
export const TREE = "tree/";

const EntrySchema = z.object({ name: z.string(), mode: FileModeSchema, sha256: Sha256Schema });
export type SnapshotEntry = z.infer<typeof EntrySchema>;

export const SnapshotManifestSchema = z
  .object({
    v: z.literal(1),
    workspaceId: z.string(),
    head: HeadSchema,
    treeHash: Sha256Schema,
    entries: z.array(EntrySchema),
    content: Sha256Schema,
  })
  .refine(({ entries, content }) => hashOf(entries) === content, { error: "content is not the hash of the entries" })
  .refine(({ entries }) => entries.every(({ name }) => isEntryName(name)), { error: "an entry has a forbidden name" })
  .refine(({ entries }) => new Set(entries.map(({ name }) => name)).size === entries.length, {
    error: "two entries have one name",
  })
  .refine(({ entries }) => entries[0]?.name === STATE_FILES[0] && entries[1]?.name === STATE_FILES[1], {
    error: "the log and the list of the source's files must come first",
  });
export type SnapshotManifest = z.infer<typeof SnapshotManifestSchema>;

const isEntryName = (name: string): boolean =>
  name.startsWith(TREE) ? checkPath(name.slice(TREE.length)) === null : STATE_FILES.some((file) => file === name);

export const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const BLOCK = 512;
/** Two blocks of zeros end a tar. */
export const END_OF_TAR = Buffer.alloc(2 * BLOCK);
/** No clock in it: equal workspaces give equal snapshots. */
const EPOCH = new Date(0);

/** A file as it stands in a tar: header, an extended one where the name needs it, and its bytes. */
export function* tarBlocks(path: string, bytes: Uint8Array, mode: SnapshotEntry["mode"]): Generator<Uint8Array> {
  const permissions = mode === "100755" ? 0o755 : 0o644;
  const data = { path, mode: permissions, size: bytes.length, mtime: EPOCH, type: "File" } as const;
  const header = new Header({ ...data, uid: 0, gid: 0 });
  if (header.encode()) yield new Pax({ path, size: bytes.length }).encode();
  if (header.block) yield header.block;
  yield bytes;
  const over = bytes.length % BLOCK;
  if (over > 0) yield Buffer.alloc(BLOCK - over);
}
