import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fail, type Head, type LogEntry, type Result } from "@shared/contracts";
import { writeNewFile } from "../transaction/files.ts";
import { Directory, readDiskFile } from "../workspace/Directory.ts";
import { ioError } from "../workspace/systemError.ts";
import { openEngine } from "../workspace/openEngine.ts";
import type { ManifestRow } from "../workspace/TrackedTree.ts";

/** A workspace's history, apart from its tree: what the source held, and what was done to it since. */
export interface History {
  workspaceId: string;
  source: ManifestRow[];
  entries: LogEntry[];
  treeHash: string;
}

/**
 * Builds a workspace anew from its source and its log, in an empty directory, and compares what comes out. Of the source
 * directory only the files it had when the workspace was opened are taken, and each must still be what it was.
 * SOURCE_INVALID names the first that is not; CHAIN_BROKEN, TREE_MISMATCH.
 */
export async function rebuild(
  history: History,
  source: string,
  into: string,
): Promise<Result<{ head: Head; treeHash: string }>> {
  try {
    const copied = await copySource(history.source, source, into);
    if (!copied.ok) return copied;
  } catch (error) {
    return ioError(error, "cannot copy the source");
  }
  const opened = await openEngine({ root: into, workspaceId: history.workspaceId });
  if (!opened.ok) return opened;
  try {
    return await opened.engine.replay(history.entries, history.treeHash);
  } finally {
    await opened.engine.close();
  }
}

async function copySource(rows: readonly ManifestRow[], source: string, into: string): Promise<Result<{}>> {
  const root = Directory.root(source);
  try {
    for (const [path, mode, sha256] of rows) {
      const read = readDiskFile(root, path);
      if (!read.ok) return read;
      const { file } = read;
      if (!file) return fail("SOURCE_INVALID", `the source no longer has ${path}`, { file: path });
      if (file.snapshot.sha256 !== sha256 || file.snapshot.mode !== mode) {
        return fail("SOURCE_INVALID", `${path} of the source is no longer what it was`, { file: path });
      }
      const target = join(into, path);
      mkdirSync(dirname(target), { recursive: true });
      await writeNewFile(target, file.snapshot.bytes, mode === "100755" ? 0o755 : 0o644, false);
    }
    return { ok: true };
  } finally {
    root.close();
  }
}
