import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { LogEntry } from "@shared/contracts";
import { entryHash } from "../../core/index.ts";
import { apply, makeRoot, open, tree, write } from "../engine/tempWorkspace.ts";

const PATCHCTL = fileURLToPath(new URL("../../cli/patchctl.ts", import.meta.url));

function patchctl(
  cwd: string,
  args: string[],
): Promise<{ exit: number; json: Record<string, unknown>; stderr: string }> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [PATCHCTL, ...args], { cwd, env }, (_error, stdout, stderr) => {
      const json = stdout.startsWith("{") ? (JSON.parse(stdout) as Record<string, unknown>) : {};
      resolve({ exit: child.exitCode ?? -1, json, stderr });
    });
    child.stdin?.end();
  });
}

const FILES = { "a.ts": "const a = 1;\nconst b = 2;\nconst c = 3;\n", "b.ts": "export {};\n" };

/** A workspace with three entries, closed. */
async function workspace(): Promise<string> {
  const root = makeRoot(FILES);
  mkdirSync(join(root, ".git"));
  const engine = await open(root);
  const edits = [
    { id: "p1", op: "replace-block", file: "a.ts", start: 2, end: 2, block: "const b = 20;" },
    { id: "p2", op: "append", file: "b.ts", block: "// two" },
    { id: "p3", op: "replace-block", file: "a.ts", start: 2, end: 2, block: "const b = 200;" },
  ];
  for (const edit of edits) await apply(engine, { batchId: `b-${edit.id}`, patches: [edit] });
  await engine.close();
  return root;
}

const logOf = (root: string): string => join(root, ".mission_control/log.jsonl");
const entriesOf = (root: string): LogEntry[] =>
  readFileSync(logOf(root), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as LogEntry);
const writeEntries = (root: string, entries: readonly object[]): void =>
  writeFileSync(logOf(root), entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));

const sealed = ({ hash: _hash, ...entry }: LogEntry): LogEntry => ({ ...entry, hash: entryHash(entry) });

describe("patchctl verify names the first link that is broken", () => {
  it.each<[string, (entries: LogEntry[], root: string) => void, RegExp]>([
    ["a changed reason", ([, two], root) => edit(root, 1, { ...two!, reason: "another" }), /entry 2/],
    ["a changed author", ([one], root) => edit(root, 0, { ...one!, requester: "another" }), /entry 1/],
    ["a changed text", ([, , three], root) => edit(root, 2, changedText(three!)), /entry 3/],
    ["an entry changed and sealed anew", ([one], root) => edit(root, 0, sealed({ ...one!, reason: "x" })), /entry 2/],
    ["an entry that is gone", ([one, , three], root) => writeEntries(root, [one!, three!]), /entry 2/],
    ["the first entry gone", ([, two, three], root) => writeEntries(root, [two!, three!]), /entry 1/],
    ["the last entry gone", ([one, two], root) => writeEntries(root, [one!, two!]), /ends at entry 2, but 3/],
    ["two entries in another order", ([one, two, three], root) => writeEntries(root, [one!, three!, two!]), /entry 2/],
    ["an entry twice", ([one, two, three], root) => writeEntries(root, [one!, two!, two!, three!]), /entry 3/],
    ["an entry of another log", (entries, root) => writeEntries(root, [...entries, foreign(entries)]), /entry 4/],
    ["a number too high", ([, two], root) => edit(root, 1, sealed({ ...two!, seq: 7 })), /entry 2/],
    ["a line that is no JSON", (entries, root) => insertLine(root, entries, 1, "garbage"), /entry 2/],
    ["a line that is no entry", (entries, root) => insertLine(root, entries, 1, "{}"), /entry 2/],
    ["an empty line", (entries, root) => insertLine(root, entries, 1, ""), /entry 2/],
    ["a last line that is cut", (_entries, root) => cut(root, 30), /entry 3.*cut off|ends at entry 2, but 3/],
    ["an empty log", (_entries, root) => writeFileSync(logOf(root), ""), /ends at entry 0, but 3/],
    ["no log", (_entries, root) => rmSync(logOf(root)), /ends at entry 0, but 3/],
    ["a source list that was changed", (_entries, root) => forgeSource(root), /entry 1.*tree/],
    ["no source list", (_entries, root) => rmSync(join(root, ".mission_control/manifest.json")), /manifest\.json/],
  ])("%s", async (_what, tamper, names) => {
    const root = await workspace();
    tamper(entriesOf(root), root);
    const log = existsSync(logOf(root)) ? readFileSync(logOf(root), "utf8") : "";
    const ran = await patchctl(root, ["verify"]);
    expect(ran).toMatchObject({ exit: 5, json: { ok: false, error: { code: "LOG_CORRUPT" } } });
    expect((ran.json.error as { message: string }).message).toMatch(names);
    expect(readFileSync(logOf(root), "utf8"), "what is found stays for whoever looks into it").toBe(log);
  });

  function edit(root: string, at: number, entry: LogEntry): void {
    writeEntries(
      root,
      entriesOf(root).map((one, index) => (index === at ? entry : one)),
    );
  }
  function changedText(entry: LogEntry): LogEntry {
    const [file] = entry.files;
    const splices = file!.splices.map((splice) => ({ ...splice, new: "const b = 666;\n" }));
    return { ...entry, files: [{ ...file!, splices }] };
  }
  const foreign = (entries: LogEntry[]): LogEntry => sealed({ ...entries[0]!, seq: 4 });
  function insertLine(root: string, entries: LogEntry[], at: number, line: string): void {
    writeFileSync(
      logOf(root),
      `${entries
        .map((entry) => JSON.stringify(entry))
        .toSpliced(at, 0, line)
        .join("\n")}\n`,
    );
  }
  function cut(root: string, bytes: number): void {
    writeFileSync(logOf(root), readFileSync(logOf(root)).subarray(0, -bytes));
  }
  function forgeSource(root: string): void {
    const path = join(root, ".mission_control/manifest.json");
    writeFileSync(path, readFileSync(path, "utf8").replace("b.ts", "z.ts"));
  }
});

describe("patchctl replay", () => {
  const sourceOf = () => makeRoot(FILES);

  it("leads from the source over the log to the same tree", async () => {
    const root = await workspace();
    const into = join(makeRoot({}), "rebuilt");
    const ran = await patchctl(root, ["replay", "--source", sourceOf(), "--into", into]);
    const { treeAfter } = entriesOf(root)[2]!;
    expect(ran).toMatchObject({ exit: 0, stderr: "", json: { ok: true, head: { seq: 3 }, treeHash: treeAfter } });
    expect(tree(into)).toEqual({
      "a.ts": "const a = 1;\nconst b = 200;\nconst c = 3;\n",
      "b.ts": "export {};\n// two\n",
    });
  });

  it("finds the source by itself where source.json names a directory, and else says what it needs", async () => {
    const root = await workspace();
    const record = (source: object) =>
      write(root, ".mission_control/source.json", JSON.stringify({ source, pin: "p" }));
    record({ kind: "path", path: sourceOf() });
    expect(await patchctl(root, ["replay"])).toMatchObject({ exit: 0, json: { ok: true, head: { seq: 3 } } });
    record({ kind: "git", repository: "https://example.com/x.git" });
    const asked = await patchctl(root, ["replay"]);
    expect(asked.exit).toBe(2);
    expect(asked.stderr).toContain("commit p");
    expect((await patchctl(root, ["replay", "--source", "/no/such/place"])).exit).toBe(2);
  });

  it("refuses a source that is no longer what it was", async () => {
    const root = await workspace();
    const source = sourceOf();
    write(source, "b.ts", "changed\n");
    const ran = await patchctl(root, ["replay", "--source", source]);
    expect(ran).toMatchObject({ exit: 1, json: { error: { code: "SOURCE_INVALID", file: "b.ts" } } });
  });
});

describe("patchctl snapshot and restore", () => {
  it("carry a workspace to another place, where it goes on", async () => {
    const root = await workspace();
    const place = makeRoot({});
    const file = join(place, "ws.tar.gz");
    const written = await patchctl(root, ["snapshot", file]);
    expect(written).toMatchObject({ exit: 0, json: { ok: true, head: { seq: 3 } } });
    const into = join(place, "ws");
    const restored = await patchctl(place, ["restore", file, "--into", into]);
    expect(restored).toMatchObject({ exit: 0, json: { ok: true, content: written.json.content } });
    expect((await patchctl(into, ["verify"])).exit).toBe(0);
    expect((await patchctl(into, ["revert", "p3"])).exit).toBe(0);
    expect(await patchctl(place, ["restore", file, "--into", into])).toMatchObject({
      exit: 1,
      json: { error: { code: "FILE_EXISTS" } },
    });
    cpSync(join(root, "a.ts"), file);
    expect(await patchctl(place, ["restore", file, "--into", join(place, "no")])).toMatchObject({
      exit: 1,
      json: { error: { code: "SOURCE_INVALID" } },
    });
  });
});

describe("patchctl revert", () => {
  it.each([
    ["patch", "p1"],
    ["batch", "b-p1"],
  ])("by %s lists the lines that moved on, and exits 3", async (by, id) => {
    const root = await workspace();
    const ran = await patchctl(root, ["revert", id, "--by", by]);
    expect(ran).toMatchObject({
      exit: 3,
      json: {
        error: {
          code: "REVERT_CONFLICT",
          patchId: "p1",
          file: "a.ts",
          candidates: [{ start: 2, end: 2, lines: ["const b = 200;"] }],
          context: { startLine: 1, lines: ["const a = 1;", "const b = 200;", "const c = 3;"] },
        },
      },
    });
    expect(ran.stderr).toContain("2 | const b = 200;");
    expect(tree(root)["a.ts"]).toContain("b = 200");
  });
});
