import { chmodSync, readFileSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { apply, makeRoot, open, tree, write } from "../engine/tempWorkspace.ts";

const replace = (line: number, block: string) => ({
  op: "replace-block",
  file: "f.txt",
  start: line,
  end: line,
  block,
});
const after = (line: number, block: string) => ({ op: "insert-after", file: "f.txt", line, block });
const append = (block: string) => ({ op: "append", file: "f.txt", block });
const prepend = (block: string) => ({ op: "prepend", file: "f.txt", block });
const search = (text: string, to: string) => ({ op: "search-replace", file: "f.txt", search: text, replace: to });

const MIB = 1024 * 1024;
const LONG = "x".repeat(5 * MIB);
const MANY = Array.from({ length: 200_000 }, (_one, at) => `line ${at + 1}\n`);

/** What a file holds, what is done to it, and what it must hold then, to the byte. */
const TABLE: [string, string, object[], string][] = [
  ["LF stays LF", "a\nb\nc\n", [replace(2, "B")], "a\nB\nc\n"],
  ["CRLF stays CRLF, and a block takes it", "a\r\nb\r\n", [replace(2, "B\nC")], "a\r\nB\r\nC\r\n"],
  ["a lone CR is content, and ends no line", "a\rb\nc\n", [replace(1, "x\ry")], "x\ry\nc\n"],
  ["a file of lone CRs alone is one line", "a\rb\r", [append("z")], "a\rb\r\nz"],
  ["mixed endings stay as each was", "a\r\nb\nc\r\nd\n", [replace(2, "B"), replace(3, "C")], "a\r\nB\nC\r\nd\n"],
  ["a BOM stays first", "\ufeffa\nb\n", [replace(1, "A"), append("c")], "\ufeffA\nb\nc\n"],
  ["a BOM stays first where something is put before all", "\ufeffa\n", [prepend("z")], "\ufeffz\na\n"],
  ["no final newline stays none", "a\nb", [replace(2, "B")], "a\nB"],
  ["no final newline stays none where lines are added", "a\nb", [append("c")], "a\nb\nc"],
  ["an empty file takes a block verbatim", "", [append("a\r\nb")], "a\r\nb"],
  ["a file of one newline is one empty line", "\n", [replace(1, "a")], "a\n"],
  ["one line of 5 MB", LONG, [append("end")], `${LONG}\nend`],
  ["one line of 5 MB, inside it", `${LONG}needle\n`, [search("needle", "pin")], `${LONG}pin\n`],
  [
    "200,000 lines",
    MANY.join(""),
    [replace(1, "first"), replace(100_000, "middle"), after(200_000, "last")],
    MANY.with(0, "first\n").with(99_999, "middle\n").join("") + "last\n",
  ],
  ["astral characters", "😀\n𝒳𝒴\n", [search("𝒳", "😀😀"), after(1, "🏳️‍🌈")], "😀\n🏳️‍🌈\n😀😀𝒴\n"],
  ["combining marks are not composed", "e\u0301\n\u00e9\n", [after(2, "e\u0301")], "e\u0301\n\u00e9\ne\u0301\n"],
  ["U+2028, form feed and vertical tab end no line", "a\u2028b\fc\vd\ne\n", [replace(2, "E")], "a\u2028b\fc\vd\nE\n"],
  ["trailing blanks and tabs", "a \t\n\t\n", [replace(1, "b\t ")], "b\t \n\t\n"],
];

describe("to the byte", () => {
  it.each(TABLE)(
    "%s, and reverting brings the old bytes back",
    async (_what, before, edits, wanted) => {
      const root = makeRoot({ "f.txt": before });
      const engine = await open(root);

      const answer = await apply(engine, { batchId: "one", patches: edits });
      expect(answer.error).toBeUndefined();
      const path = join(root, "f.txt");
      expect(readFileSync(path).equals(Buffer.from(wanted)), "bytes are as wanted").toBe(true);
      const target = { by: "batch" as const, id: "one" };
      expect((await engine.revert({ target, batchId: "undo", door: "host" })).error).toBeUndefined();
      expect(readFileSync(path).equals(Buffer.from(before)), "bytes are as before").toBe(true);
    },
    30_000,
  );

  it.each<[string, string | Uint8Array, object, string]>([
    ["NUL in a file", "a\0b\n", append("c"), "BINARY_FILE"],
    ["NUL in a block", "a\n", append("c\0"), "NUL_IN_CONTENT"],
    ["bytes that are no UTF-8", Uint8Array.of(0x61, 0xff, 0x0a), append("c"), "NOT_UTF8"],
    ["half of a surrogate pair", "a\n", append("\ud83d"), "ILL_FORMED_UNICODE"],
  ])("%s is refused, and nothing is written", async (_what, before, edit, code) => {
    const root = makeRoot({ "f.txt": before });
    const engine = await open(root);
    const standing = tree(root);
    expect(await apply(engine, { patches: [edit] })).toMatchObject({ ok: false, error: { code } });
    expect(tree(root)).toEqual(standing);
    expect(engine.info().head.seq).toBe(0);
  });
});

describe("the mode of a file", () => {
  it.each([0o644, 0o755, 0o600, 0o664, 0o640, 0o700])("is kept by an edit, a rename and a revert: %o", async (mode) => {
    const root = makeRoot({ "f.txt": "a\n" });
    chmodSync(join(root, "f.txt"), mode);
    const engine = await open(root);
    await apply(engine, { batchId: "one", patches: [append("b"), { op: "rename-file", file: "f.txt", to: "g.txt" }] });
    expect(statSync(join(root, "g.txt")).mode & 0o7777).toBe(mode);
    await engine.revert({ target: { by: "batch", id: "one" }, batchId: "undo", door: "host" });
    expect(statSync(join(root, "f.txt")).mode & 0o7777).toBe(mode);
  });
});

describe("the time of a file", () => {
  const old = new Date("2001-01-01T00:00:00Z");

  it("moves on with every edit, so that builds see it, and stays where nothing is written", async () => {
    const root = makeRoot({ "f.txt": "a\n", "other.txt": "o\n" });
    for (const name of ["f.txt", "other.txt"]) utimesSync(join(root, name), old, old);
    const engine = await open(root);
    const timeOf = (name: string) => statSync(join(root, name)).mtime.getTime();
    await engine.apply({ batch: { patches: [append("b")] }, simulate: true, door: "host" });
    await apply(engine, { patches: [search("not there", "x")] });
    expect([timeOf("f.txt"), timeOf("other.txt")]).toEqual([old.getTime(), old.getTime()]);
    await apply(engine, { patches: [append("b")] });
    expect(timeOf("f.txt")).toBeGreaterThan(old.getTime());
    expect(timeOf("other.txt")).toBe(old.getTime());
  });

  it("alone is no change: a file that was only touched is not stale", async () => {
    const root = makeRoot({ "f.txt": "a\n" });
    const engine = await open(root);
    write(root, "f.txt", "a\n");
    expect((await apply(engine, { patches: [append("b")] })).error).toBeUndefined();
  });
});
