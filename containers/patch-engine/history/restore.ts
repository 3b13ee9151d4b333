import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fail, type Result } from "@shared/contracts";
import { NO_FAULTS } from "../transaction/steps.ts";
import { syncDirectory, writeNewFile } from "../transaction/files.ts";
import { ioError } from "../workspace/systemError.ts";
import { Workspace } from "../workspace/Workspace.ts";
import { MISSION_CONTROL } from "../workspace/WorkspaceLock.ts";
import { TREE, type SnapshotEntry, type SnapshotManifest } from "./archive.ts";
import { readSnapshot } from "./readSnapshot.ts";

/**
 * Makes a workspace of a snapshot, in a directory that is empty or not there. It appears whole or not at all: it is
 * built beside its place, its chain followed from the first entry, every file compared with what the log says, and only
 * then renamed into place. The workspace's policy comes with it, and a policy names a command: restore what you trust. FILE_EXISTS, SOURCE_INVALID (tampered with, hostile or cut off), LOG_CORRUPT, IO_ERROR.
 */
export async function restoreSnapshot(archive: string, into: string): Promise<Result<{ manifest: SnapshotManifest }>> {
  const target = resolve(into);
  if (existsSync(target) && readdirSync(target).length > 0) {
    return fail("FILE_EXISTS", "the directory to restore into is not empty");
  }
  const staging = join(dirname(target), `.${basename(target)}.restoring-${randomUUID()}`);
  try {
    mkdirSync(dirname(target), { recursive: true });
    mkdirSync(join(staging, MISSION_CONTROL), { recursive: true });
    const read = await readSnapshot(archive, (entry, bytes) => place(staging, entry, bytes));
    if (!read.ok) return read;
    const verified = await verify(staging, read.manifest);
    if (!verified.ok) return verified;
    // Onto an empty directory this is one step, as onto nothing.
    renameSync(staging, target);
    await syncDirectory(dirname(target));
    return read;
  } catch (error) {
    return ioError(error, "cannot restore the snapshot");
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

async function place(staging: string, { name, mode }: SnapshotEntry, bytes: Buffer): Promise<void> {
  const path = name.startsWith(TREE) ? join(staging, name.slice(TREE.length)) : join(staging, MISSION_CONTROL, name);
  mkdirSync(dirname(path), { recursive: true });
  // On a disk that folds case two names may be one.
  if (existsSync(path)) throw new Error("two entries of the snapshot are one file on this disk");
  await writeNewFile(path, bytes, mode === "100755" ? 0o755 : 0o644, true);
}

/** The archive is what was written; whether what was written is a workspace, its own log tells. */
async function verify(root: string, manifest: SnapshotManifest): Promise<Result<{}>> {
  const opened = await Workspace.open({ root, faults: NO_FAULTS, lockTimeoutMs: 0 });
  if (!opened.ok) return opened;
  const { workspace } = opened;
  try {
    return await workspace.exclusively((): Result<{}> => {
      const { head, tree } = workspace;
      if (head.seq !== manifest.head.seq || head.hash !== manifest.head.hash) {
        return fail("SOURCE_INVALID", "the snapshot's log does not end where the snapshot says");
      }
      if (tree.digest !== manifest.treeHash) {
        return fail("SOURCE_INVALID", "the snapshot's log does not lead to the tree that the snapshot names");
      }
      const paths = new Set(tree.paths());
      const stray = manifest.entries.find(({ name }) => name.startsWith(TREE) && !paths.has(name.slice(TREE.length)));
      if (stray) return fail("SOURCE_INVALID", `the snapshot holds ${stray.name}, of which its log knows nothing`);
      const [unfit] = workspace.load(paths).errors.values();
      return unfit ? fail("SOURCE_INVALID", `the snapshot is not what its log says: ${unfit.message}`) : { ok: true };
    });
  } finally {
    await workspace.close();
  }
}
