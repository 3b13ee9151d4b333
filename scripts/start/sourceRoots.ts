import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

/**
 * What the engine host must be able to read to copy `repo`: the folder itself, the repository of a linked worktree, and
 * the object stores a clone with --shared or --reference borrows from. What is no git repository is left for the host
 * to refuse.
 */
export function sourceRootsOf(repo: string): string[] {
  // Where there is no .git of its own, git would look into the folders above.
  if (!existsSync(path.join(repo, ".git"))) return [repo];
  let common: string;
  try {
    common = execFileSync("git", ["-C", repo, "rev-parse", "--path-format=absolute", "--git-common-dir"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).replace(/\n$/, "");
  } catch {
    // The host reads the same repository, and says what is wrong with it.
    return [repo];
  }
  const borrowed = path.join(common, "objects/info/alternates");
  const stores = existsSync(borrowed) ? readFileSync(borrowed, "utf8").split("\n") : [];
  const alternates = stores
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => path.resolve(common, "objects", line));
  return [...new Set([repo, common, ...alternates])];
}
