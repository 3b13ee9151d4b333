import { chmod, constants, copyFile, lstat, mkdir, readdir } from "node:fs/promises";
import type { Stats } from "node:fs";
import { join } from "node:path";
import { fail, type Result } from "@shared/contracts";
import type { SkippedFile, SourceLimits } from "./source.ts";

/** Of the engine's own directory, a source may bring its policy and nothing else: not a log, not tasks, not a lock. */
export const ENGINE_DIRECTORY = ".mission_control";
const POLICY_FILE = `${ENGINE_DIRECTORY}/policy.json`;
/** Of a working directory: its history, and what its package manager put there. */
export const WORKING_DIRECTORY_LEAVES_OUT: ReadonlySet<string> = new Set([".git", "node_modules"]);

/** The two modes a workspace's file can have, as git has them. */
export const permissionsOf = (mode: number): number => ((mode & 0o100) === 0 ? 0o644 : 0o755);

export interface CopyOptions {
  /** Absolute paths that are not copied. */
  exclude: readonly string[];
  /** Whether the source's `.mission_control/policy.json` comes with it. */
  takePolicy: boolean;
  /** Names left out at any depth. */
  leftOut: ReadonlySet<string>;
  limits: SourceLimits;
}

/**
 * Copies the regular files below `from` into `into`, without what `leftOut` and `exclude` name; skipped and reported:
 * symlinks, sockets, pipes, devices, and the engine's own directory but for its policy.
 */
export async function copyTree(
  from: string,
  into: string,
  { exclude, takePolicy, leftOut, limits }: CopyOptions,
): Promise<Result<{ skipped: SkippedFile[] }>> {
  const skipped: SkippedFile[] = [];
  const pending = [""];
  let entries = 0;
  let bytes = 0;
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const name of await readdir(join(from, directory))) {
      const path = directory === "" ? name : `${directory}/${name}`;
      const source = join(from, path);
      const kind = kindOf(await lstat(source));
      if (leftOut.has(name) || exclude.includes(source)) continue;
      if (isEngineState(path, kind) && !(takePolicy && path === POLICY_FILE)) {
        skipped.push({ path, reason: "engine state" });
        continue;
      }
      if (kind.type === "skip") {
        skipped.push({ path, reason: kind.reason });
        continue;
      }
      entries += 1;
      if (entries > limits.entries) return fail("SOURCE_INVALID", "the source has too many files");
      if (kind.type === "directory") {
        pending.push(path);
        continue;
      }
      bytes += kind.size;
      if (bytes > limits.unpackedBytes) return fail("SOURCE_INVALID", "the source is too large");
      await mkdir(join(into, directory), { recursive: true });
      // A copy that shares blocks where the file system can.
      await copyFile(source, join(into, path), constants.COPYFILE_FICLONE);
      await chmod(join(into, path), permissionsOf(kind.mode));
    }
  }
  return { ok: true, skipped };
}

type EntryKind =
  | { type: "file"; size: number; mode: number }
  | { type: "directory" }
  | { type: "skip"; reason: SkippedFile["reason"] };

const isEngineState = (path: string, kind: EntryKind): boolean =>
  path.startsWith(`${ENGINE_DIRECTORY}/`) || (path === ENGINE_DIRECTORY && kind.type !== "directory");

function kindOf(stats: Stats): EntryKind {
  if (stats.isFile()) return { type: "file", size: stats.size, mode: stats.mode };
  if (stats.isDirectory()) return { type: "directory" };
  return { type: "skip", reason: stats.isSymbolicLink() ? "symlink" : "special file" };
}
