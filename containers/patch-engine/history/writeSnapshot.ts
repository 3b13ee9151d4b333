import { createWriteStream, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { fail, type Result, type VibeError } from "@shared/contracts";
import { hashOf } from "../core/index.ts";
import { ioError } from "../workspace/systemError.ts";
import type { Workspace } from "../workspace/Workspace.ts";
import {
  END_OF_TAR,
  sha256Of,
  SNAPSHOT,
  STATE_FILES,
  tarBlocks,
  TREE,
  type SnapshotEntry,
  type SnapshotManifest,
} from "./archive.ts";

/** What came up while the archive was being written. */
class Unfit extends Error {
  readonly error: VibeError;

  constructor(error: VibeError) {
    super(error.message);
    this.error = error;
  }
}

/**
 * Writes a workspace into a new file at `target`, a system path; called under the workspace's lock. FILE_EXISTS where
 * something stands there; STALE_CONTENT where a file is not as the log left it: a snapshot is of what the log says.
 */
export async function writeSnapshot(
  workspace: Workspace,
  workspaceId: string,
  target: string,
): Promise<Result<{ manifest: SnapshotManifest }>> {
  if (existsSync(target)) return fail("FILE_EXISTS", "something stands where the snapshot is to be written");
  const state = STATE_FILES.flatMap((name) => {
    const path = join(workspace.directory, name);
    return existsSync(path) ? [{ name, bytes: readFileSync(path) }] : [];
  });
  const paths = workspace.tree.paths().toSorted();
  const entries: SnapshotEntry[] = state.map(({ name, bytes }) => ({
    name,
    mode: "100644",
    sha256: sha256Of(bytes),
  }));
  for (const path of paths) {
    const file = workspace.tree.get(path);
    if (file) entries.push({ name: `${TREE}${path}`, mode: file.mode, sha256: file.sha256 });
  }
  const manifest: SnapshotManifest = {
    v: 1,
    workspaceId,
    head: workspace.head,
    treeHash: workspace.tree.digest,
    entries,
    content: hashOf(entries),
  };

  function* blocks(): Generator<Uint8Array> {
    yield* tarBlocks(SNAPSHOT, Buffer.from(JSON.stringify(manifest)), "100644");
    for (const { name, bytes } of state) yield* tarBlocks(name, bytes, "100644");
    for (const path of paths) {
      const loaded = workspace.load([path]);
      for (const error of loaded.errors.values()) throw new Unfit(error);
      const file = loaded.files.get(path);
      if (file) yield* tarBlocks(`${TREE}${path}`, file.snapshot.bytes, file.snapshot.mode);
    }
    yield END_OF_TAR;
  }

  try {
    await pipeline(Readable.from(blocks()), createGzip(), createWriteStream(target, { flags: "wx", flush: true }));
    return { ok: true, manifest };
  } catch (error) {
    rmSync(target, { force: true });
    return error instanceof Unfit ? { ok: false, error: error.error } : ioError(error, "cannot write the snapshot");
  }
}
