import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";

/**
 * Bytes of disk below the directories, links not followed. What vanishes or may not be read meanwhile counts nothing.
 * A file of holes counts what it holds, and each file no less than its size where that is less than a block.
 */
export async function diskUsage(directories: readonly string[]): Promise<number> {
  let bytes = 0;
  const pending = [...directories];
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    try {
      for await (const entry of await opendir(directory)) {
        const path = join(directory, entry.name);
        if (entry.isDirectory()) pending.push(path);
        else bytes += await sizeOf(path);
      }
    } catch (error) {
      if (!isOfTheMoment(error)) throw error;
    }
  }
  return bytes;
}

async function sizeOf(path: string): Promise<number> {
  try {
    const { blocks, size } = await lstat(path);
    return Math.max(blocks * 512, Math.min(size, 512));
  } catch (error) {
    if (isOfTheMoment(error)) return 0;
    throw error;
  }
}

const isOfTheMoment = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  ["ENOENT", "ENOTDIR", "EACCES", "EPERM", "ELOOP", "ESTALE"].includes(String(error.code));
