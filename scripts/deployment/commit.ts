import { spawnSync } from "node:child_process";

/** The commit that this checkout is, in hexadecimal; null where it is none, or where a file that git tracks was changed. */
export function commitOf(root: string): string | null {
  const git = (...args: string[]): string | null => {
    const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
    return status === 0 ? stdout.trim() : null;
  };
  return git("status", "--porcelain", "--untracked-files=no") === "" ? git("rev-parse", "HEAD") : null;
}
