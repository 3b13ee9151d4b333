import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { after, fileAndOps, plan } from "./arbitraries.ts";
import { DIFF_TOOLS } from "./diffTools.ts";

const planned = (files: Record<string, string>, patches: Parameters<typeof plan>[1]["patches"]) => {
  const result = plan(files, { patches });
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return { plan: result.plan, left: after(files, result) };
};
const text = (files: Record<string, Buffer>) =>
  Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, bytes.toString()]));
const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i + 1}\n`).join("");

describe.each(DIFF_TOOLS)("diffs, taken by the real %s", (_name, applyDiff) => {
  test("a batch's diffs make the same bytes, whatever the file's endings", () => {
    const cases = fc.sample(fileAndOps({ openSpace: true }), 1500);
    const before: Record<string, string> = {};
    const expected: Record<string, string> = {};
    let diff = "";
    for (const [i, { text: content, ops }] of cases.entries()) {
      const path = `case${i}.ts`;
      const done = planned(
        { [path]: content },
        ops.map((op) => ({ ...op, file: path })),
      );
      before[path] = content;
      expected[path] = done.left[path]!;
      diff += done.plan.files.map((file) => file.diff).join("");
    }
    expect(text(applyDiff(before, diff))).toEqual(expected);
  }, 60_000);

  test("so do those of batches that mix byte edits with line edits", () => {
    const before: Record<string, string> = {};
    const expected: Record<string, string> = {};
    let diff = "";
    let mixed = 0;
    const byteEdit = fc.record({
      search: fc.constantFrom("a", "b", "a\n", "\nb", "foo", " bar\n", "x\ry", "}", "\n"),
      replace: fc.constantFrom("", "z", "\n", "q\nr", "😀"),
    });
    const cases = fc.sample(fc.tuple(fileAndOps({ openSpace: true }), byteEdit), 3000);
    for (const [i, [{ text: content, ops }, edit]] of cases.entries()) {
      const file = `case${i}.ts`;
      const count = content.replaceAll("\r\n", "\n").replace("\uFEFF", "").split(edit.search).length - 1;
      if (count === 0) continue;
      const patches = [
        { op: "search-replace" as const, file, ...edit, expectedCount: count },
        ...ops.map((op) => ({ ...op, file })),
      ];
      const result = plan({ [file]: content }, { patches });
      if (!result.ok) {
        expect(result.error.code).toBe("OVERLAPPING_PATCHES");
        continue;
      }
      mixed++;
      before[file] = content;
      expected[file] = after({ [file]: content }, result)[file]!;
      diff += result.plan.files.map((one) => one.diff).join("");
    }
    expect(mixed).toBeGreaterThan(300);
    expect(text(applyDiff(before, diff))).toEqual(expected);
  }, 60_000);

  test("each patch's own diff makes of the file before what that patch alone does", () => {
    const cases = fc.sample(fileAndOps({ openSpace: false }), 300);
    const before: Record<string, string> = {};
    const expected: Record<string, string> = {};
    let diff = "";
    for (const [i, { text: content, ops }] of cases.entries()) {
      for (const k of ops.keys()) {
        const path = `case${i}-${k}.ts`;
        const { plan } = planned(
          { [path]: content },
          ops.map((op) => ({ ...op, file: path })),
        );
        before[path] = content;
        const bytes = Buffer.from(content);
        const own = plan.files.flatMap((file) => file.splices).filter((splice) => splice.patchId === `p${k + 1}`);
        let made = bytes;
        for (const { start, end, new: added } of own.toReversed()) {
          made = Buffer.concat([made.subarray(0, start), Buffer.from(added), made.subarray(end)]);
        }
        expected[path] = made.toString();
        diff += plan.patches[k]!.diff;
      }
    }
    expect(text(applyDiff(before, diff))).toEqual(expected);
  }, 60_000);

  test("files are created, deleted and renamed, empty ones and ones with edits among them", () => {
    const files = {
      "gone.ts": "a\nb",
      "goneEmpty.ts": "",
      "old.ts": lines(20),
      "pure.ts": "x\n",
      "kept.ts": "k\n",
    };
    const { plan, left } = planned(files, [
      { op: "create-file", file: "new/deep.ts", block: "n\r\nm" },
      { op: "create-file", file: "empty.ts", block: "" },
      { op: "append", file: "appended.ts", block: "z" },
      { op: "delete-file", file: "gone.ts" },
      { op: "delete-file", file: "goneEmpty.ts" },
      { op: "rename-file", file: "old.ts", to: "dir/new.ts" },
      { op: "replace-block", file: "old.ts", start: 3, end: 4, block: "three\n" },
      { op: "rename-file", file: "pure.ts", to: "pure2.ts" },
    ]);
    expect(left).toEqual({
      "kept.ts": "k\n",
      "new/deep.ts": "n\r\nm",
      "empty.ts": "",
      "appended.ts": "z",
      "dir/new.ts": lines(20).replace("line 3\nline 4\n", "three\n"),
      "pure2.ts": "x\n",
    });
    expect(text(applyDiff(files, plan.files.map((file) => file.diff).join("")))).toEqual(left);
  });

  test("names are quoted as git quotes them", () => {
    const names = ["a b.ts", "ünï.ts", 'q"uote.ts', "emoji 😀.ts", "tab's.ts", "日本/語.ts"];
    const files = Object.fromEntries(names.map((name) => [name, "one\ntwo\n"]));
    const { plan, left } = planned(
      files,
      names.flatMap((file, i) => [
        { op: "replace-block" as const, file, start: 1, end: 1, block: "ONE" },
        { op: "create-file" as const, file: `new ${i} é.ts`, block: "n\n" },
        ...(i % 2 === 0 ? [{ op: "rename-file" as const, file, to: `${file} to ñ.ts` }] : []),
      ]),
    );
    const diff = plan.files.map((file) => file.diff).join("");
    expect(diff).toContain('"a/\\303\\274n\\303\\257.ts"');
    expect(diff).toContain("--- a/a b.ts\t\n");
    expect(text(applyDiff(files, diff))).toEqual(left);
  });

  test("changes six lines apart share a hunk, seven lines apart do not", () => {
    const hunks = (second: number) =>
      planned({ "f.ts": lines(30) }, [
        { op: "replace-block", file: "f.ts", start: 5, end: 5, block: "five" },
        { op: "replace-block", file: "f.ts", start: second, end: second, block: "other" },
      ]).plan.files[0]!.diff.match(/^@@ .*$/gm);
    expect(hunks(12)).toEqual(["@@ -2,14 +2,14 @@"]);
    expect(hunks(13)).toEqual(["@@ -2,7 +2,7 @@", "@@ -10,7 +10,7 @@"]);
  });

  test("what a block has in common with the lines it replaces is not shown as changed", () => {
    const { plan } = planned({ "f.ts": "a\nb\nc\nd\n" }, [
      { op: "replace-block", file: "f.ts", start: 1, end: 4, block: "a\nB\nc\nd" },
    ]);
    const [file] = plan.files;
    expect(file).toMatchObject({ linesAdded: 1, linesRemoved: 1 });
    expect(file!.diff).toBe("diff --git a/f.ts b/f.ts\n--- a/f.ts\n+++ b/f.ts\n@@ -1,4 +1,4 @@\n a\n-b\n+B\n c\n d\n");
  });

  test("a patch that changes nothing leaves no file in the plan, and its diff is empty", () => {
    const { plan } = planned({ "f.ts": "a\nb\n" }, [
      { op: "replace-block", file: "f.ts", start: 2, end: 2, block: "b" },
    ]);
    expect(plan.files).toEqual([]);
    expect(plan.patches[0]).toMatchObject({ landed: { start: 2, end: 2 }, diff: "" });
  });

  test("names swapped in a sequential batch are swapped by it too", () => {
    const files = { "a.ts": "A\n1\n2\n3\n", "b.ts": "B\n" };
    const result = plan(files, {
      coordinates: "sequential",
      patches: [
        { op: "rename-file", file: "a.ts", to: "tmp.ts" },
        { op: "rename-file", file: "b.ts", to: "a.ts" },
        { op: "rename-file", file: "tmp.ts", to: "b.ts" },
        { op: "append", file: "b.ts", block: "4" },
      ],
    });
    const left = after(files, result);
    expect(left).toEqual({ "a.ts": "B\n", "b.ts": "A\n1\n2\n3\n4\n" });
    if (result.ok) expect(text(applyDiff(files, result.plan.files.map((file) => file.diff).join("")))).toEqual(left);
  });

  test("a name freed by a deletion or a rename may be taken again in a sequential batch", () => {
    const files = { "a.ts": "A\n", "b.ts": "B\n", "c.ts": "C\n" };
    const result = plan(files, {
      coordinates: "sequential",
      patches: [
        { op: "delete-file", file: "a.ts" },
        { op: "create-file", file: "a.ts", block: "fresh\n" },
        { op: "rename-file", file: "b.ts", to: "b2.ts" },
        { op: "create-file", file: "b.ts", block: "new b\n" },
        { op: "append", file: "b.ts", block: "more\n" },
      ],
    });
    const left = after(files, result);
    expect(left).toEqual({ "a.ts": "fresh\n", "b.ts": "new b\nmore\n", "b2.ts": "B\n", "c.ts": "C\n" });
    if (result.ok) expect(text(applyDiff(files, result.plan.files.map((file) => file.diff).join("")))).toEqual(left);
  });
});
