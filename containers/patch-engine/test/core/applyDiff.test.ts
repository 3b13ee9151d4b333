import { describe, expect, test } from "vitest";
import { PatchBatchSchema, type PatchBatchInput } from "@shared/contracts";
import { patchesOf, pathsOf, planBatch } from "../../core/index.ts";
import { after, snapshots } from "./arbitraries.ts";
import { MemoryWorkspace } from "./log.ts";

const numbered = (count: number, eol = "\n") => Array.from({ length: count }, (_, i) => `line ${i + 1}${eol}`).join("");
const git = (path: string, body: string) => `diff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n${body}`;

function plan(files: Record<string, string>, diff: string, more: Partial<PatchBatchInput> = {}, patch: object = {}) {
  const batch = PatchBatchSchema.parse({
    patches: [{ op: "apply-diff", diff, ...patch }, ...(more.patches ?? [])],
    coordinates: more.coordinates,
  });
  return planBatch(batch, snapshots(files), { mintPatchId: (index) => `p${index + 1}` });
}

const left = (files: Record<string, string>, diff: string, more?: Partial<PatchBatchInput>) =>
  after(files, plan(files, diff, more));

const errorOf = (files: Record<string, string>, diff: string, patch: object = {}) => {
  const result = plan(files, diff, {}, patch);
  if (result.ok) throw new Error("it was not refused");
  return result.error;
};

describe("apply-diff", () => {
  test("is one patch for each file, under the diff's id and the file's number", () => {
    const diff = `${git("a.ts", "@@ -1 +1 @@\n-a\n+A\n")}${git("b.ts", "@@ -1 +1,2 @@\n b\n+B\n")}`;
    const files = { "a.ts": "a\n", "b.ts": "b\n" };
    const result = plan(files, diff, {}, { id: "D", taskId: "T" });
    if (!result.ok) throw new Error(result.error.message);
    expect(
      result.plan.patches.map(({ patch_id, op, file, task_id, landed }) => [patch_id, op, file, task_id, landed]),
    ).toEqual([
      ["D.1", "apply-diff", "a.ts", "T", { start: 1, end: 1 }],
      ["D.2", "apply-diff", "b.ts", "T", { start: 2, end: 2 }],
    ]);
    expect(result.plan.patches[1]?.diff).toContain("+B");
    expect(result.plan.patches[1]?.diff).not.toContain("+A");
  });

  test("names its paths and ids before its files are known", () => {
    const diff = "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n";
    const batch = PatchBatchSchema.parse({ patches: [{ op: "apply-diff", diff }] });
    expect(pathsOf(batch)).toEqual(["x", "y"]);
    expect(patchesOf(batch, () => "p1")).toMatchObject([{ patch_id: "p1.1", file: "x" }]);
  });

  test("follows a hunk to where its lines stand once, and says by how much", () => {
    const diff = git("a", "@@ -2,3 +2,3 @@\n line 2\n-line 3\n+LINE 3\n line 4\n");
    const files = { a: `new\n${numbered(6)}` };
    const result = plan(files, diff);
    expect(after(files, result)["a"]).toBe(`new\n${numbered(6).replace("line 3", "LINE 3")}`);
    expect(result).toMatchObject({ plan: { patches: [{ moved: 1, landed: { start: 4, end: 4 } }] } });
  });

  test("refuses lines that stand in several places, and shows them", () => {
    const diff = git("a", "@@ -1,2 +1,2 @@\n-x\n+z\n y\n");
    expect(errorOf({ a: "q\nx\ny\nx\ny\n" }, diff)).toMatchObject({
      code: "AMBIGUOUS_LOCATION",
      candidates: [
        { start: 2, end: 3, lines: ["x", "y"] },
        { start: 4, end: 5, lines: ["x", "y"] },
      ],
    });
  });

  test("takes the stated place where the same lines stand elsewhere too", () => {
    expect(left({ a: "x\ny\nx\ny\n" }, git("a", "@@ -3,2 +3,2 @@\n-x\n+z\n y\n"))["a"]).toBe("x\ny\nz\ny\n");
  });

  test("refuses lines that stand nowhere, with the first that differs", () => {
    expect(errorOf({ a: "a\nb\nc\n" }, git("a", "@@ -1,3 +1,3 @@\n a\n-B\n+x\n c\n"))).toMatchObject({
      code: "STALE_CONTENT",
      file: "a",
      firstDivergence: { line: 2, expected: "B", actual: "b" },
    });
  });

  test("refuses an insertion without context where the hunks beside it have moved", () => {
    const diff = git("a", "@@ -1 +1 @@\n-b\n+B\n@@ -2,0 +3 @@\n+x\n");
    expect(errorOf({ a: "a\nb\nc\n" }, diff)).toMatchObject({ code: "STALE_CONTENT" });
  });

  test("lets a diff without CR into a CR LF file, whose endings added lines take", () => {
    const diff = git("a", "@@ -1,2 +1,3 @@\n line 1\n+new\n line 2\n");
    expect(left({ a: numbered(3, "\r\n") }, diff)["a"]).toBe("line 1\r\nnew\r\nline 2\r\nline 3\r\n");
  });

  test("takes a diff with CR byte for byte", () => {
    const diff = git("a", "@@ -1 +1 @@\n-x\r\n+y\r\n");
    expect(left({ a: "x\r\n" }, diff)["a"]).toBe("y\r\n");
    expect(errorOf({ a: "x\n" }, diff)).toMatchObject({ code: "STALE_CONTENT" });
  });

  test("reads a diff all of whose lines were given CR on the way", () => {
    const diff = git("a", "@@ -1 +1 @@\n-x\n+y\n").replaceAll("\n", "\r\n");
    expect(left({ a: "x\n" }, diff)["a"]).toBe("y\n");
  });

  test("adds and takes away the newline at a file's end only where it says so", () => {
    const end = "\\ No newline at end of file\n";
    expect(left({ a: "x" }, git("a", `@@ -1 +1 @@\n-x\n${end}+y\n`))["a"]).toBe("y\n");
    expect(left({ a: "x\n" }, git("a", `@@ -1 +1 @@\n-x\n+y\n${end}`))["a"]).toBe("y");
    expect(left({ a: "w\nx" }, git("a", "@@ -2 +2,2 @@\n-x\n+y\n+z\n"))["a"]).toBe("w\ny\nz");
    expect(left({ a: "w\nx" }, git("a", "@@ -1,2 +1,3 @@\n w\n x\n+y\n"))["a"]).toBe("w\nx\ny");
    expect(left({ a: "w\nx" }, git("a", "@@ -1,2 +1 @@\n w\n-x\n"))["a"]).toBe("w");
    expect(errorOf({ a: "x\nz\n" }, git("a", `@@ -1 +1 @@\n-x\n+y\n${end}`))).toMatchObject({ code: "STALE_CONTENT" });
  });

  test("shares its context with other patches, but not the lines it changes", () => {
    const diff = git("a", "@@ -1,3 +1,3 @@\n line 1\n-line 2\n+LINE 2\n line 3\n");
    const other = (line: number) => ({
      patches: [{ op: "replace-block" as const, file: "a", start: line, end: line, block: "other" }],
    });
    expect(left({ a: numbered(3) }, diff, other(3))["a"]).toBe("line 1\nLINE 2\nother\n");
    expect(plan({ a: numbered(3) }, diff, other(2))).toMatchObject({
      ok: false,
      error: { code: "OVERLAPPING_PATCHES" },
    });
  });

  test("leaves how a file ends to one patch", () => {
    const diff = git("a", "@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+y\n");
    const more = { patches: [{ op: "append" as const, file: "a", block: "z" }] };
    expect(plan({ a: "x" }, diff, more)).toMatchObject({ ok: false, error: { code: "OVERLAPPING_PATCHES" } });
    expect(left({ a: "x" }, diff, { ...more, coordinates: "sequential" })["a"]).toBe("y\nz\n");
  });

  test("speaks of the state before all of it, also in sequential coordinates", () => {
    const diff =
      git("a", "@@ -1 +1 @@\n-a\n+A\n") + "diff --git a/a b/c\nsimilarity index 100%\ncopy from a\ncopy to c\n";
    for (const coordinates of ["original", "sequential"] as const) {
      expect(left({ a: "a\n" }, diff, { coordinates })).toEqual({ a: "A\n", c: "a\n" });
    }
  });

  test("takes hunks without names where it is told the file", () => {
    const result = plan({ "a b": "x\n" }, "@@ -1 +1 @@\n-x\n+y\n", {}, { file: "a b" });
    expect(after({ "a b": "x\n" }, result)).toEqual({ "a b": "y\n" });
    expect(errorOf({ a: "x\n" }, git("b", "@@ -1 +1 @@\n-x\n+y\n"), { file: "a" })).toMatchObject({
      code: "DIFF_INVALID",
    });
  });

  test("holds a diff to what it expects of its one file", () => {
    const diff = git("a", "@@ -1 +1 @@\n-x\n+y\n");
    expect(errorOf({ a: "x\n" }, diff, { expect: { sha256: "0".repeat(64) } })).toMatchObject({
      code: "STALE_CONTENT",
    });
    expect(errorOf({ a: "x\n" }, diff, { expect: { text: "x" } })).toMatchObject({ code: "VALIDATION_FAILED" });
  });
});

describe("what a diff did is undone", () => {
  test.each([
    ["an edit", { a: "x\n" }, git("a", "@@ -1 +1 @@\n-x\n+y\n")],
    [
      "a renaming with an edit",
      { a: numbered(9) },
      `diff --git a/a b/b\nsimilarity index 90%\nrename from a\nrename to b\n--- a/a\n+++ b/b\n@@ -1 +1 @@\n-line 1\n+LINE\n`,
    ],
    ["a mode", { a: "x\n" }, "diff --git a/a b/a\nold mode 100644\nnew mode 100755\n"],
    [
      "a mode with an edit and a new name",
      { a: numbered(9) },
      `diff --git a/a b/b\nold mode 100644\nnew mode 100755\nsimilarity index 90%\nrename from a\nrename to b\n--- a/a\n+++ b/b\n@@ -1 +1 @@\n-line 1\n+LINE\n`,
    ],
    ["a creation", {}, "diff --git a/n b/n\nnew file mode 100755\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n"],
    [
      "a deletion",
      { a: "x\n" },
      "diff --git a/a b/a\ndeleted file mode 100644\n--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n",
    ],
    ["a copy", { a: "x\n" }, "diff --git a/a b/b\nsimilarity index 100%\ncopy from a\ncopy to b\n"],
  ])("%s", (_name, files, diff) => {
    const workspace = new MemoryWorkspace(files);
    const before = workspace.treeHash;
    const done = workspace.apply({ patches: [{ op: "apply-diff", diff }] });
    expect(done.ok ? null : done.error).toBeNull();
    expect(workspace.treeHash).not.toBe(before);
    const undone = workspace.revert({ by: "patch", id: "patch-1.1" });
    expect(undone.ok ? null : undone.error).toBeNull();
    expect(workspace.treeHash).toBe(before);
  });

  test("but not a mode that a later diff changed again", () => {
    const workspace = new MemoryWorkspace({ a: "x\n" });
    const diff = (from: string, to: string) => `diff --git a/a b/a\nold mode ${from}\nnew mode ${to}\n`;
    workspace.apply({ patches: [{ op: "apply-diff", diff: diff("100644", "100755") }] });
    workspace.apply({ patches: [{ op: "apply-diff", diff: diff("100755", "100644") }] });
    expect(workspace.revert({ by: "patch", id: "patch-1.1" })).toMatchObject({
      ok: false,
      error: { code: "REVERT_CONFLICT" },
    });
    expect(workspace.revert({ by: "patch", id: "patch-2.1" })).toMatchObject({ ok: true });
    expect(workspace.files.get("a")?.mode).toBe("100755");
  });
});
