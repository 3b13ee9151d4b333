import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openEngine } from "../../index.ts";
import { apply, makeRoot, open, tree } from "../engine/tempWorkspace.ts";

const HOSTILE = [
  "",
  ".",
  "..",
  "./a.ts",
  "../a.ts",
  "../outside/x",
  "src/../../outside/x",
  "src/..",
  "src/../a.ts",
  "a/./b",
  "a//b",
  "/etc/passwd",
  "/",
  "//etc/passwd",
  "///x",
  "/proc/self/cwd/x",
  "~/../../x/..",
  "a.ts/",
  "a/../..",
  "\\etc\\passwd",
  "..\\x",
  "src\\..\\..\\x",
  "src\\a.ts",
  "\\\\server\\share\\x",
  "\\\\?\\C:\\x",
  "C:\\x",
  "C:/x",
  "c:x",
  "Z:",
  "file:///etc/passwd/..",
  "con",
  "CON",
  "con.txt",
  "src/nul",
  "NUL.ts",
  "aux.js",
  "prn",
  "com1",
  "COM9.log",
  "lpt1.txt",
  "src/conin$",
  "a\u0000.ts",
  "\u0000",
  "src/\u0000/../x",
  "a\nb",
  "a\tb",
  "a\u007f",
  "\u001b[31m",
  "a\r",
  "a.ts.",
  "a.ts ",
  "src ./x",
  "src./x",
  "...",
  "a/...",
  ". /x",
  ".. /x",
  "../",
  "..\u200d/x/..",
  ".git/config",
  ".git/hooks/pre-commit",
  ".GIT/config",
  ".Git/hooks/x",
  "src/.git/config",
  "git~1/config",
  "GIT~1/x",
  ".git./config",
  ".git /config",
  ".g\u200cit/config",
  ".git::$INDEX_ALLOCATION/config",
  ".git",
  ".mission_control/log.jsonl",
  ".MISSION_CONTROL/policy.json",
  ".Mission_Control/tasks.json",
  ".mission_control",
  "src/.mission_control/x",
  ".mission_control./done",
  "\ud800.ts",
  `${"a/".repeat(3000)}x`,
  "b".repeat(300),
]; // oxfmt would stand each on a line of its own

describe("a path that leads out, or to what is not for patches", () => {
  it.each(HOSTILE.map((path) => [JSON.stringify(path).slice(0, 60), path]))("%s is refused", async (_shown, path) => {
    const parent = makeRoot({ "ws/a.ts": "a\n", "ws/src/b.ts": "b\n", "ws/.git/config": "c\n", "outside/x": "x\n" });
    const root = join(parent, "ws");
    const engine = await open(root);
    const before = tree(parent);
    const operations = [
      { op: "append", file: path, block: "evil" },
      { op: "create-file", file: path, block: "evil" },
      { op: "delete-file", file: path },
      { op: "rename-file", file: "a.ts", to: path },
      { op: "search-replace", file: path, search: "a", replace: "evil" },
    ];
    for (const operation of operations) {
      const answer = await apply(engine, { patches: [{ op: "append", file: "src/b.ts", block: "x" }, operation] });
      expect(answer.ok).toBe(false);
      expect(["PATH_INVALID", "PATH_FORBIDDEN", "VALIDATION_FAILED", "ILL_FORMED_UNICODE"]).toContain(
        answer.error?.code,
      );
    }
    const read = await engine.readFile(path);
    expect(read.ok).toBe(false);
    expect(tree(parent)).toEqual(before);
  });
});

describe("what stands at a path", () => {
  const setUp = () => {
    const parent = makeRoot({
      "ws/a.ts": "a\n",
      "ws/src/b.ts": "b\n",
      "outside/x.ts": "secret\n",
      "outside/d/y.ts": "y\n",
    });
    return { parent, root: join(parent, "ws"), outside: join(parent, "outside") };
  };

  it.each<[string, string, string, (root: string, outside: string) => void]>([
    [
      "a symlink to a file outside",
      "link.ts",
      "PATH_FORBIDDEN",
      (root, outside) => symlinkSync(join(outside, "x.ts"), join(root, "link.ts")),
    ],
    [
      "a relative symlink outside",
      "link.ts",
      "PATH_FORBIDDEN",
      (root) => symlinkSync("../outside/x.ts", join(root, "link.ts")),
    ],
    ["a symlink to a file inside", "link.ts", "PATH_FORBIDDEN", (root) => symlinkSync("a.ts", join(root, "link.ts"))],
    [
      "a symlink to nothing",
      "link.ts",
      "PATH_FORBIDDEN",
      (root, outside) => symlinkSync(join(outside, "new"), join(root, "link.ts")),
    ],
    ["a symlink to itself", "link.ts", "PATH_FORBIDDEN", (root) => symlinkSync("link.ts", join(root, "link.ts"))],
    [
      "a file below a symlink to a directory outside",
      "dir/x.ts",
      "PATH_FORBIDDEN",
      (root, outside) => symlinkSync(outside, join(root, "dir")),
    ],
    [
      "a new file below a symlink outside",
      "dir/new.ts",
      "PATH_FORBIDDEN",
      (root, outside) => symlinkSync(outside, join(root, "dir")),
    ],
    [
      "a file deep below a symlink",
      "dir/d/y.ts",
      "PATH_FORBIDDEN",
      (root, outside) => symlinkSync(outside, join(root, "dir")),
    ],
    ["a file below a symlink inside", "dir/b.ts", "PATH_FORBIDDEN", (root) => symlinkSync("src", join(root, "dir"))],
    ["a file below a symlink to the root", "dir/a.ts", "PATH_FORBIDDEN", (root) => symlinkSync(".", join(root, "dir"))],
    [
      "a hard link to a file outside",
      "hard.ts",
      "NOT_A_REGULAR_FILE",
      (root, outside) => linkSync(join(outside, "x.ts"), join(root, "hard.ts")),
    ],
    [
      "a hard link to a file inside",
      "hard.ts",
      "NOT_A_REGULAR_FILE",
      (root) => linkSync(join(root, "a.ts"), join(root, "hard.ts")),
    ],
    ["a directory", "src", "NOT_A_REGULAR_FILE", () => undefined],
    ["a file below a file", "a.ts/b.ts", "NOT_A_REGULAR_FILE", () => undefined],
    ["a FIFO", "fifo", "NOT_A_REGULAR_FILE", (root) => void execFileSync("mkfifo", [join(root, "fifo")])],
  ])("%s is refused", async (_what, path, code, make) => {
    const { parent, root, outside } = setUp();
    const engine = await open(root);
    make(root, outside);
    const secret = () => [readFileSync(join(outside, "x.ts"), "utf8"), readFileSync(join(outside, "d/y.ts"), "utf8")];
    const before = { files: tree(parent), secret: secret() };
    for (const operation of [
      { op: "append", file: path, block: "evil" },
      { op: "delete-file", file: path },
      { op: "rename-file", file: "src/b.ts", to: path },
      { op: "rename-file", file: path, to: "stolen.ts" },
    ]) {
      const answer = await apply(engine, { patches: [operation] });
      expect(answer.error).toMatchObject({ code, nothingWritten: true });
    }
    expect(await engine.readFile(path)).toMatchObject({ ok: false, error: { code } });
    expect({ files: tree(parent), secret: secret() }).toEqual(before);
  });

  // Each swap happens after the path was checked: before the record, before the temporary files, before the renames.
  it.each(["checked", "log-synced", "temp-1", "temps-written"])(
    "swapped for a symlink at the step %s, a directory is not written through",
    async (step) => {
      const { root, outside } = setUp();
      let swapped = false;
      const engine = await open(root, {
        faults: {
          at(at) {
            if (at !== step || swapped) return;
            swapped = true;
            renameSync(join(root, "src"), join(root, "was"));
            symlinkSync(outside, join(root, "src"));
          },
        },
      });
      writeFileSync(join(outside, "b.ts"), "theirs\n");
      const answer = await apply(engine, {
        patches: [
          { op: "append", file: "src/b.ts", block: "evil" },
          { op: "create-file", file: "src/new/c.ts", block: "evil" },
        ],
      });
      expect(answer.ok).toBe(false);
      expect(readFileSync(join(outside, "b.ts"), "utf8")).toBe("theirs\n");
      expect(existsSync(join(outside, "new"))).toBe(false);
      expect(JSON.stringify(tree(outside))).not.toContain("evil");
      expect(JSON.stringify(tree(outside))).not.toContain("vibehq");
    },
  );

  it.each(["checked", "log-synced", "temps-written"])(
    "swapped for a symlink at the step %s, a file is not written through",
    async (step) => {
      const { root, outside } = setUp();
      let swapped = false;
      const engine = await open(root, {
        faults: {
          at(at) {
            if (at !== step || swapped) return;
            swapped = true;
            rmSync(join(root, "a.ts"));
            symlinkSync(join(outside, "x.ts"), join(root, "a.ts"));
          },
        },
      });
      const answer = await apply(engine, { patches: [{ op: "append", file: "a.ts", block: "evil" }] });
      expect(answer.error).toMatchObject({ code: "STALE_CONTENT", nothingWritten: true });
      expect(readFileSync(join(outside, "x.ts"), "utf8")).toBe("secret\n");
      expect(lstatSync(join(root, "a.ts")).isSymbolicLink()).toBe(true);
      expect(readFileSync(join(root, ".mission_control/log.jsonl"), "utf8")).toBe("");
    },
  );
});

it("symlinks, hard links and git's own files are no part of the tree", async () => {
  const files = { "a.ts": "a\n", ".gitignore": "x\n", ".github/w.yml": "a: 1\n" };
  const plain = await open(makeRoot(files));
  const root = makeRoot({ ...files, ".git/config": "c\n", "sub/.git/HEAD": "h\n", "node_modules/x/index.js": "x\n" });
  symlinkSync("a.ts", join(root, "link.ts"));
  mkdirSync(join(root, "empty"));
  const engine = await open(root);
  expect(engine.info()).toEqual(plain.info());
  expect(engine.info().files).toBe(3);
});

it("a workspace whose .mission_control leads elsewhere is not opened, and nothing is made there", async () => {
  for (const name of [".mission_control", ".mission_control/patches"]) {
    const parent = makeRoot({ "ws/a.ts": "a\n", "outside/x": "x\n" });
    const root = join(parent, "ws");
    if (name !== ".mission_control") mkdirSync(join(root, ".mission_control"));
    symlinkSync(join(parent, "outside"), join(root, name));
    expect(await openEngine({ root, workspaceId: "test" })).toMatchObject({ error: { code: "PATH_FORBIDDEN" } });
    expect(tree(join(parent, "outside"))).toEqual({ x: "x\n" });
  }
});
