import { chmod, lstat, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fail, type AgentRunInfo, type Head, type Result } from "@shared/contracts";
import { openEngine, restoreSnapshot, type SnapshotManifest } from "patch-engine";
import { ENGINE_DIRECTORY } from "../sources/copyTree.ts";
import { ReferenceGit } from "./referenceGit.ts";

/** Of a restored workspace's state, what belongs to its past: the run's own engine begins anew on the tree. */
const PAST = ["log.jsonl", "manifest.json", "source.json", "done", "patches"];
/** An engine's log that is longer was not written by one. */
const MAX_LOG_BYTES = 64 * 1024 * 1024;

/** Where the parts of a run stand, below its directory. */
export interface RunPlaces {
  directory: string;
  tree: string;
  home: string;
  git: string;
  events: string;
}

export const placesOf = (directory: string): RunPlaces => ({
  directory,
  tree: join(directory, "tree"),
  home: join(directory, "home"),
  git: join(directory, "git"),
  events: join(directory, "events.ndjson"),
});

export type Snapshot = () => Promise<Result<{ path: string; manifest: SnapshotManifest }>>;

/**
 * Makes the tree that an agent works in: the workspace's files as its log has them, with its tasks and policy, as a
 * workspace and a git repository of its own. HEAD_MISMATCH, and what a snapshot refuses.
 */
export async function makeWorktree(
  places: RunPlaces,
  snapshot: Snapshot,
  expectedHead: Head | undefined,
  workspaceId: string,
): Promise<Result<{ base: NonNullable<AgentRunInfo["base"]>; git: ReferenceGit }>> {
  const taken = await snapshot();
  if (!taken.ok) return taken;
  const { head, treeHash } = taken.manifest;
  try {
    if (expectedHead !== undefined && (expectedHead.seq !== head.seq || expectedHead.hash !== head.hash)) {
      return fail("HEAD_MISMATCH", "the workspace is not at the expected head");
    }
    const restored = await restoreSnapshot(taken.path, places.tree);
    if (!restored.ok) return restored;
  } finally {
    await rm(taken.path, { force: true });
  }
  const state = join(places.tree, ENGINE_DIRECTORY);
  for (const name of PAST) await rm(join(state, name), { recursive: true, force: true });
  const opened = await openEngine({ root: places.tree, workspaceId });
  if (!opened.ok) return opened;
  await opened.engine.close();
  const git = new ReferenceGit(places.git, places.tree);
  return { ok: true, git, base: { head, treeHash, commit: await git.base() } };
}

/** The run's home: empty but for what git and the agent are told, and a name for the workspace's engine. */
export async function makeHome(home: string, files: Record<string, { content: string; mode?: number }>): Promise<void> {
  const all: typeof files = {
    ".gitconfig": { content: "[user]\n\tname = agent\n\temail = agent@localhost\n[safe]\n\tdirectory = *\n" },
    ...files,
  };
  await mkdir(join(home, "tmp"), { recursive: true });
  for (const [path, { content, mode = 0o600 }] of Object.entries(all)) {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), content, { mode });
  }
}

/** How many batches were applied through the engine that was offered to the run. */
export async function countBatches(tree: string): Promise<number> {
  const directory = join(tree, ENGINE_DIRECTORY);
  const text = (await isDirectory(directory)) ? await readPlainFile(join(directory, "log.jsonl"), MAX_LOG_BYTES) : null;
  return (text ?? "").split("\n").filter((line) => line.startsWith("{")).length;
}

/** A file that a stranger may have put there: null unless it is a regular one of at most `limit` bytes. */
export async function readPlainFile(path: string, limit: number): Promise<string | null> {
  try {
    const stats = await lstat(path);
    return stats.isFile() && stats.size <= limit ? await readFile(path, "utf8") : null;
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

/** Removes the run's tree, home and git directory; what it is remembered by stays. */
export async function removeWork({ tree, home, git }: RunPlaces): Promise<void> {
  for (const path of [tree, home, git]) await removeTree(path);
}

/** Also what its maker has locked. */
async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && (error.code === "EACCES" || error.code === "EPERM")))
      throw error;
    await unlock(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function unlock(directory: string): Promise<void> {
  if (!(await isDirectory(directory))) return;
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await unlock(join(directory, entry.name));
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
