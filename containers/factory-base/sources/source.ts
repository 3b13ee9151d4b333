import { realpath } from "node:fs/promises";
import { isAbsolute, sep } from "node:path";
import { fail, type Result, type WorkspaceSource } from "@shared/contracts";

/** A file of a source that did not become one of the workspace, and why. `path` is relative to the source. */
export interface SkippedFile {
  path: string;
  reason: "symlink" | "special file" | "engine state";
}

export interface Materialized {
  /** The source by content where its kind has a name for that (a git commit); null: the tree's hash is the pin. */
  pin: string | null;
  /** The source as it is remembered and shown: an archive sent as bytes is named by its hash, not repeated. */
  recorded: WorkspaceSource;
  skipped: SkippedFile[];
}

export interface SourceContext {
  templates: ReadonlyMap<string, string>;
  sourceRoots: readonly string[];
  /** Where this host keeps its workspaces: never copied into one of them. */
  dataDir: string;
  /** A directory for what is needed only while opening. */
  scratch: string;
  limits: SourceLimits;
  /** Where the workspace was opened before: the source by content, which must be found again. */
  pin: string | undefined;
}

/** Fills the empty directory `into` with a source's files. Errors: SOURCE_INVALID. Never writes to the source. */
export type Materialize<Kind extends WorkspaceSource["kind"]> = (
  source: Extract<WorkspaceSource, { kind: Kind }>,
  into: string,
  context: SourceContext,
) => Promise<Result<Materialized>>;

export interface SourceLimits {
  entries: number;
  unpackedBytes: number;
  /** Of an archive as it is stored. */
  archiveBytes: number;
  /** How long one git command may take, in milliseconds. */
  gitMs: number;
}

/** What one workspace may be made of, whatever the kind of its source. */
export const SOURCE_LIMITS: SourceLimits = {
  entries: 100_000,
  unpackedBytes: 1024 ** 3,
  archiveBytes: 128 * 1024 ** 2,
  gitMs: 300_000,
};

export const isWithin = (path: string, root: string): boolean =>
  path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);

/** The real path of `path`, if it and everything its links lead to stand below one of the source roots. */
export async function resolveBelowRoots(path: string, roots: readonly string[]): Promise<Result<{ path: string }>> {
  const outside = fail("SOURCE_INVALID", "the source is not below one of this host's source roots");
  if (!isAbsolute(path) || path.includes("\0")) return outside;
  const real = await realpathOrNull(path);
  if (real === null) return outside;
  for (const root of roots) {
    const realRoot = await realpathOrNull(root);
    if (realRoot !== null && isWithin(real, realRoot)) return { ok: true, path: real };
  }
  return outside;
}

async function realpathOrNull(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch {
    // Absent, unreadable or a loop of links: for the caller the same as outside.
    return null;
  }
}
