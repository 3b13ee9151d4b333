import type { AgentRunResult } from "@shared/contracts";
import type { ReferenceGit } from "./referenceGit.ts";

/** What a run made of its worktree. */
export type Change =
  | { kind: "none" }
  | { kind: "diff"; diff: string; files: AgentRunResult["files"] }
  | { kind: "refused"; message: string };

const refused = (message: string): Change => ({ kind: "refused", message });

/**
 * Everything that differs from the base as one git diff, however it came about. Refused is what no patch may hold:
 * symlinks, repositories in the tree, binary files and text that is not UTF-8, and a diff of over `limit` bytes.
 */
export async function collectChange(git: ReferenceGit, base: string, limit: number): Promise<Change> {
  let changes;
  try {
    changes = await git.stage(base);
  } catch {
    // Names and modes that git cannot take in are the agent's doing; git's own words hold this machine's paths.
    return refused("git cannot take in what the agent left in its worktree");
  }
  if (changes.length === 0) return { kind: "none" };
  for (const { path, modeBefore, modeAfter } of changes) {
    if (modeBefore === "120000" || modeAfter === "120000") return refused(`${path} is a symbolic link`);
    if (modeAfter === "160000") return refused(`${path} is a git repository of its own`);
  }
  const numbers = await git.numbers(base);
  const binary = numbers.find(({ added }) => added === null);
  if (binary) return refused(`${binary.path} is a binary file`);
  const bytes = await git.diff(base, limit);
  if (bytes === null) return refused(`the diff is over ${limit} bytes`);
  let diff: string;
  try {
    diff = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refused("the change holds text that is not UTF-8");
  }
  const files = numbers.map(({ path, added, removed }) => ({
    path,
    linesAdded: added ?? 0,
    linesRemoved: removed ?? 0,
  }));
  return { kind: "diff", diff, files };
}
