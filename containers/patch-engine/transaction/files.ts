import { closeSync, constants, fchmodSync, fsync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { isThere } from "../workspace/systemError.ts";

export const syncFile = promisify(fsync);

/**
 * Writes a new file, whole; what stood at the path is removed first and never written through. The path's directory
 * must be one that was reached without following a symlink.
 */
export async function writeNewFile(path: string, bytes: Uint8Array | string, permissions: number, durable: boolean) {
  const fd = openNew(path, permissions);
  try {
    writeFileSync(fd, bytes);
    // The umask took bits from a replacement that its original has.
    fchmodSync(fd, permissions);
    if (durable) await syncFile(fd);
  } finally {
    closeSync(fd);
  }
}

function openNew(path: string, permissions: number): number {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    return openSync(path, flags, permissions);
  } catch (error) {
    if (!isThere(error)) throw error;
    rmSync(path);
    return openSync(path, flags, permissions);
  }
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await syncFile(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Replaces a file of the engine's own folder: whoever reads it sees the old text or the new, also after a crash, and
 * once this returns the new one, also after a power loss.
 */
export async function replaceFile(directory: string, name: string, text: string): Promise<void> {
  const temporary = join(directory, `${name}.tmp`);
  await writeNewFile(temporary, text, 0o644, true);
  renameSync(temporary, join(directory, name));
  await syncDirectory(directory);
}
