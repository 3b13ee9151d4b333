import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** What the real `git apply` makes of files and a diff: every file afterwards, by path. */
export function gitApply(files: Record<string, string | Uint8Array>, diff: string): Record<string, Buffer> {
  const root = mkdtempSync(join(tmpdir(), "git-apply-"));
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
    if (diff !== "") {
      const { status, stderr } = spawnSync("git", ["apply", "--whitespace=nowarn", "-"], {
        cwd: root,
        input: diff,
        env: { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: "1", HOME: root, GIT_CEILING_DIRECTORIES: dirname(root) },
      });
      if (status !== 0) throw new Error(`git apply: ${stderr.toString()}\n${diff.slice(0, 4000)}`);
    }
    const left: Record<string, Buffer> = {};
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      left[path.slice(root.length + 1)] = readFileSync(path);
    }
    return left;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
