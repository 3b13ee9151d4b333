import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

type DiffTool = (files: Record<string, string | Uint8Array>, diff: string) => Record<string, Buffer>;

/** What a program that takes a diff on standard input makes of files. */
const tool =
  (program: string, args: string[]): DiffTool =>
  (files, diff) => {
    const root = mkdtempSync(join(tmpdir(), "diff-tool-"));
    try {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), content);
      }
      if (diff !== "") {
        const { status, stdout, stderr } = spawnSync(program, args, {
          cwd: root,
          input: diff,
          maxBuffer: 1 << 26,
          env: { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: "1", HOME: root, GIT_CEILING_DIRECTORIES: dirname(root) },
        });
        if (status !== 0) throw new Error(`${program}: ${stdout.toString().slice(-2000)}${stderr.toString()}`);
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
  };

export const gitApply = tool("git", ["apply", "--whitespace=nowarn", "-"]);
const gnuPatch = tool("patch", ["-p1", "--fuzz=0", "--no-backup-if-mismatch", "--binary", "--force"]);

/** The programs that take a diff and are installed here: git everywhere, GNU patch where the system has it. */
export const DIFF_TOOLS: readonly (readonly [name: string, run: DiffTool])[] = [
  ["git apply", gitApply],
  ...(spawnSync("patch", ["--version"]).stdout?.includes("GNU patch") ? [["GNU patch", gnuPatch] as const] : []),
];
