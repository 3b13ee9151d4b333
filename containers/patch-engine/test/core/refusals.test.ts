import { describe, expect, test } from "vitest";
import type { PatchBatchInput, PatchOperationInput } from "@shared/contracts";
import { PatchBatchSchema } from "@shared/contracts";
import { planBatch, sha256, type FileSnapshot, type PlanResult } from "../../core/index.ts";
import { after, plan, snapshot } from "./arbitraries.ts";

const TEXT = Array.from({ length: 20 }, (_, i) => `line ${i + 1}\n`).join("");
const FILES = { "f.ts": TEXT, "g.ts": "g\n" };
const replace = (start: number, end: number, block = "x", more: object = {}): PatchOperationInput => ({
  op: "replace-block",
  file: "f.ts",
  start,
  end,
  block,
  ...more,
});
const refused = (patches: PatchOperationInput[], batch: Partial<PatchBatchInput> = {}) =>
  plan(FILES, { ...batch, patches });
const codes = (result: PlanResult) => (result.ok ? [] : result.patches.map(({ error }) => error?.code));

describe("a refused batch", () => {
  test("names the first bad patch, gives each bad one its own error, and the rest BATCH_REFUSED", () => {
    const result = refused([
      replace(1, 1),
      replace(30, 30),
      { op: "delete-file", file: "none.ts" },
      { op: "append", file: "g.ts" },
      { op: "append", file: "new.ts", block: "fine" },
    ]);
    expect(result).toMatchObject({ ok: false, error: { code: "RANGE_OUT_OF_BOUNDS", patchId: "p2", file: "f.ts" } });
    expect(codes(result)).toEqual([
      "BATCH_REFUSED",
      "RANGE_OUT_OF_BOUNDS",
      "FILE_NOT_FOUND",
      "MISSING_BLOCK",
      "BATCH_REFUSED",
    ]);
  });

  test("in sequential coordinates, what follows a bad patch in its file is not judged, other files are", () => {
    const result = refused([replace(30, 30), replace(40, 40), { op: "delete-file", file: "none.ts" }], {
      coordinates: "sequential",
    });
    expect(codes(result)).toEqual(["RANGE_OUT_OF_BOUNDS", "BATCH_REFUSED", "FILE_NOT_FOUND"]);
  });

  test("a line past the end is shown the file's end and its line count", () => {
    const result = refused([replace(19, 22)]);
    expect(result).toMatchObject({
      error: {
        message: "f.ts has 20 lines, not lines 19–22.",
        context: { startLine: 11, lines: Array.from({ length: 10 }, (_, i) => `line ${i + 11}`) },
        currentSha256: sha256(TEXT),
      },
    });
    expect(refused([{ op: "insert-before", file: "f.ts", line: 21, block: "x" }]).ok).toBe(true);
    expect(refused([{ op: "insert-before", file: "f.ts", line: 22, block: "x" }])).toMatchObject({
      error: { code: "RANGE_OUT_OF_BOUNDS" },
    });
    expect(refused([{ op: "insert-after", file: "f.ts", line: 20, block: "x" }]).ok).toBe(true);
    expect(refused([{ op: "insert-after", file: "f.ts", line: 21, block: "x" }])).toMatchObject({
      error: { code: "RANGE_OUT_OF_BOUNDS" },
    });
  });

  const insert = (line: number): PatchOperationInput => ({ op: "insert-before", file: "f.ts", line, block: "i" });
  const remove: PatchOperationInput = { op: "delete-file", file: "f.ts" };
  const rename = (to: string, file = "f.ts"): PatchOperationInput => ({ op: "rename-file", file, to });
  test.each<[string, PatchOperationInput[]]>([
    ["overlapping ranges", [replace(3, 5), replace(5, 6)]],
    ["one range in another", [replace(1, 9), replace(4, 4)]],
    ["an insertion strictly inside a range", [replace(3, 5), insert(4)]],
    [
      "a byte edit in a replaced line",
      [replace(3, 3), { op: "search-replace", file: "f.ts", search: "ine 3\n", replace: "" }],
    ],
    ["a deletion with an edit", [replace(3, 3), remove]],
    ["an edit with a deletion", [remove, replace(3, 3)]],
    ["two deletions of a file", [remove, remove]],
    ["two names for a file", [rename("x.ts"), rename("y.ts")]],
    ["one name for two files", [rename("x.ts"), rename("x.ts", "g.ts")]],
    ["a name that another patch makes", [{ op: "create-file", file: "x.ts", block: "" }, rename("x.ts")]],
    [
      "a file made twice",
      [
        { op: "create-file", file: "x.ts", block: "" },
        { op: "append", file: "x.ts", block: "a" },
      ],
    ],
    [
      "a file where a directory is needed",
      [
        { op: "create-file", file: "x", block: "" },
        { op: "create-file", file: "x/y", block: "" },
      ],
    ],
  ])("%s clash, and both patches are named", (_name, patches) => {
    const result = refused(patches);
    expect(result).toMatchObject({ ok: false, error: { code: "OVERLAPPING_PATCHES", patchId: "p2" } });
    if (!result.ok) expect(result.error.message).toMatch(/p1\b.*p2\b/);
  });

  test.each<[string, PatchOperationInput[]]>([
    ["adjacent ranges", [replace(3, 4), replace(5, 6)]],
    ["insertions at a range's start and end", [replace(3, 5), insert(3), insert(6)]],
    ["edits with a rename", [rename("x.ts"), replace(3, 5)]],
    [
      "appends to a missing file",
      [
        { op: "append", file: "n.ts", block: "a" },
        { op: "append", file: "n.ts", block: "b" },
      ],
    ],
  ])("%s go together", (_name, patches) => expect(refused(patches).ok).toBe(true));

  test.each<[string, PatchOperationInput, string]>([
    ["no block", { op: "prepend", file: "f.ts" }, "MISSING_BLOCK"],
    ["a block file", { op: "append", file: "f.ts", blockFile: "/etc/passwd" }, "BLOCK_FILE_REFUSED"],
    ["NUL in the block", { op: "append", file: "f.ts", block: "a\0" }, "NUL_IN_CONTENT"],
    [
      "NUL in the replacement",
      { op: "search-replace", file: "f.ts", search: "line 3", replace: "\0" },
      "NUL_IN_CONTENT",
    ],
    ["a lone surrogate", { op: "append", file: "f.ts", block: "\udfff" }, "ILL_FORMED_UNICODE"],
    ["a path out", { op: "append", file: "../f.ts", block: "" }, "PATH_INVALID"],
    ["a rename out", { op: "rename-file", file: "f.ts", to: "/f.ts" }, "PATH_INVALID"],
    ["a rename into .git", { op: "rename-file", file: "f.ts", to: ".git/hooks/x" }, "PATH_FORBIDDEN"],
    ["a missing file", { op: "insert-before", file: "n.ts", line: 1, block: "a" }, "FILE_NOT_FOUND"],
    ["a file that is there", { op: "create-file", file: "f.ts", block: "a" }, "FILE_EXISTS"],
    ["a taken name", { op: "rename-file", file: "f.ts", to: "g.ts" }, "FILE_EXISTS"],
    ["its own name", { op: "rename-file", file: "f.ts", to: "f.ts" }, "FILE_EXISTS"],
    [
      "a file as directory",
      { op: "create-file", file: "n.ts", block: "", expect: { sha256: "0".repeat(64) } },
      "STALE_CONTENT",
    ],
    ["a diff without hunks", { op: "apply-diff", diff: "--- a\n+++ b\n" }, "DIFF_INVALID"],
  ])("%s is refused in both kinds of coordinates", (_name, patch, code) => {
    expect(refused([patch])).toMatchObject({ ok: false, error: { code } });
    expect(refused([patch], { coordinates: "sequential" })).toMatchObject({ ok: false, error: { code } });
  });

  test("two patches with one id are refused", () => {
    expect(refused([replace(1, 1, "x", { id: "A" }), replace(2, 2, "x", { id: "A" })])).toMatchObject({
      error: { code: "VALIDATION_FAILED" },
    });
  });

  test.each([
    ["BINARY_FILE", Buffer.from("a\0b\n")],
    ["NOT_UTF8", Buffer.from([0x61, 0xff, 0x0a])],
    ["NOT_UTF8", Buffer.from([0xed, 0xa0, 0x80])],
    ["FILE_TOO_LARGE", Buffer.alloc(32 * 1024 * 1024 + 1, 0x61)],
  ])("%s", (code, bytes) => {
    const files = new Map<string, FileSnapshot | null>([["f.ts", snapshot(bytes)]]);
    const batch = PatchBatchSchema.parse({ patches: [{ op: "append", file: "f.ts", block: "x" }] });
    expect(planBatch(batch, files, { mintPatchId: () => "p" })).toMatchObject({
      ok: false,
      error: { code, patchId: "p" },
    });
  });
});

describe("expectations", () => {
  const edit = (expected: string, at = 5, count = 1) =>
    refused([replace(at, at + count - 1, "X", { expect: { text: expected } })]);

  test("text that stands where it is expected, or has moved and stands once, is edited", () => {
    const there = edit("line 5");
    expect(there.ok && there.plan.patches[0]).toMatchObject({ moved: 0, landed: { start: 5, end: 5 } });
    const moved = edit("line 9\nline 10\n", 5, 2);
    expect(moved.ok && moved.plan.patches[0]).toMatchObject({ moved: 4, landed: { start: 9, end: 9 } });
    expect(after(FILES, moved)["f.ts"]).toBe(TEXT.replace("line 9\nline 10\n", "X\n"));
    const past = edit("line 20", 40);
    expect(past.ok && past.plan.patches[0]).toMatchObject({ moved: -20 });
  });

  test("an insertion follows the line it is anchored to", () => {
    const result = refused([{ op: "insert-after", file: "f.ts", line: 2, block: "X", expect: { text: "line 12\n" } }]);
    expect(after(FILES, result)["f.ts"]).toBe(TEXT.replace("line 12\n", "line 12\nX\n"));
  });

  test("text that stands nowhere is refused with what stands there and where they part", () => {
    expect(edit("line 5\nline six", 5, 2)).toMatchObject({
      error: {
        code: "STALE_CONTENT",
        firstDivergence: { line: 6, expected: "line six", actual: "line 6" },
        context: { startLine: 1, lines: Array.from({ length: 10 }, (_, i) => `line ${i + 1}`) },
        currentSha256: sha256(TEXT),
      },
    });
    expect(edit("  line 7 ")).toMatchObject({
      error: { code: "STALE_CONTENT", candidates: [{ start: 7, end: 7, lines: ["line 7"] }] },
    });
  });

  test("text that stands in several other places is refused with at most twenty of them", () => {
    const many = { "f.ts": `a\n${"same\n".repeat(30)}` };
    const result = plan(many, { patches: [replace(1, 1, "X", { expect: { text: "same" } })] });
    expect(result).toMatchObject({ error: { code: "AMBIGUOUS_LOCATION" } });
    expect(!result.ok && result.error.candidates).toHaveLength(20);
    expect(plan(many, { patches: [replace(3, 3, "X", { expect: { text: "same" } })] }).ok).toBe(true);
  });

  test("line endings and the BOM are no part of a line's text", () => {
    const files = { "f.ts": "\uFEFFone\r\ntwo\r\nthree\r\n" };
    const result = plan(files, { patches: [replace(1, 2, "1\n2", { expect: { text: "one\ntwo" } })] });
    expect(after(files, result)["f.ts"]).toBe("\uFEFF1\r\n2\r\nthree\r\n");
  });

  test("a text of another number of lines than the range is refused, not guessed at", () => {
    expect(edit("line 5\nline 6", 5, 3)).toMatchObject({
      error: { code: "STALE_CONTENT", candidates: [{ start: 5, end: 6 }] },
    });
  });

  test("a file that does not have the expected hash is refused, whatever its text", () => {
    const wrong = { sha256: "0".repeat(64), text: "line 5" };
    expect(refused([replace(5, 5, "X", { expect: wrong })])).toMatchObject({
      error: { code: "STALE_CONTENT", currentSha256: sha256(TEXT) },
    });
    expect(refused([replace(5, 5, "X", { expect: { sha256: sha256(TEXT) } })]).ok).toBe(true);
    const second = replace(6, 6, "Y", { expect: { sha256: sha256(TEXT) } });
    expect(refused([replace(5, 5), second], { coordinates: "sequential" }).ok).toBe(true);
  });

  test("long lines are cut in errors, never within a character", () => {
    const files = { "f.ts": `${"😀".repeat(400)}\nb\n` };
    const result = plan(files, { patches: [{ op: "replace-block", file: "f.ts", start: 9, end: 9, block: "" }] });
    const [line] = (!result.ok && result.error.context?.lines) || [""];
    expect(line!.length).toBeLessThan(260);
    expect(line!.isWellFormed()).toBe(true);
  });
});

describe("search-replace", () => {
  const search = (text: string, search: string, replace: string, expectedCount = 1) => {
    const files = { "f.ts": text };
    const result = plan(files, { patches: [{ op: "search-replace", file: "f.ts", search, replace, expectedCount }] });
    return result.ok ? after(files, result)["f.ts"] : result.error;
  };

  test("replaces exact text, left to right, without reading the replacement", () => {
    expect(search("aaa\n", "aa", "b")).toBe("ba\n");
    expect(search("a.c abc\n", "a.c", "$& $1")).toBe("$& $1 abc\n");
    expect(search("x x x\n", "x", "yy", 3)).toBe("yy yy yy\n");
    expect(search("é😀é\n", "😀", "🎉")).toBe("é🎉é\n");
  });

  test("LF stands for the file's line ending, in the search and in the replacement", () => {
    expect(search("a\r\nb\r\nc\r\n", "a\nb", "1\n2\n3")).toBe("1\r\n2\r\n3\r\nc\r\n");
    expect(search("a\nb\r\nc\r\na\nb\n", "b\nc", "x")).toBe("a\nx\r\na\nb\n");
    expect(search("a\nb\r\na\r\nb\n", "a\nb", "x\ny", 2)).toBe("x\ny\r\nx\r\ny\n");
    expect(search("a\nb\n", "a\r\nb", "x")).toMatchObject({ code: "SEARCH_NOT_FOUND" });
  });

  test("the BOM is not searched", () => {
    expect(search("\uFEFFa\n", "\uFEFF", "")).toMatchObject({ code: "SEARCH_NOT_FOUND" });
    expect(search("\uFEFFa\n", "a", "b")).toBe("\uFEFFb\n");
  });

  test("another count than expected is refused with the places", () => {
    expect(search("a\nb\na\n", "a", "x")).toMatchObject({
      code: "SEARCH_COUNT_MISMATCH",
      candidates: [
        { start: 1, end: 1, lines: ["a"] },
        { start: 3, end: 3, lines: ["a"] },
      ],
    });
    expect(search("one\n  two\nthree\n", "two\nfour", "x")).toMatchObject({
      code: "SEARCH_NOT_FOUND",
      candidates: [{ start: 2, end: 3, lines: ["  two", "three"] }],
    });
  });
});

describe("what a patch touched and where it landed", () => {
  test.each<[PatchOperationInput, object, object | null]>([
    [replace(3, 5, "x\ny"), { start: 3, end: 5 }, { start: 3, end: 4 }],
    [replace(3, 5, ""), { start: 3, end: 5 }, { start: 3, end: 2 }],
    [replace(19, 20, ""), { start: 19, end: 20 }, { start: 19, end: 18 }],
    [
      { op: "insert-before", file: "f.ts", line: 4, block: "x\ny" },
      { start: 4, end: 3 },
      { start: 4, end: 5 },
    ],
    [
      { op: "insert-after", file: "f.ts", line: 20, block: "x" },
      { start: 21, end: 20 },
      { start: 21, end: 21 },
    ],
    [
      { op: "insert-after", file: "f.ts", line: 4, block: "x", openSpace: true },
      { start: 5, end: 4 },
      { start: 6, end: 6 },
    ],
    [
      { op: "prepend", file: "f.ts", block: "x" },
      { start: 1, end: 0 },
      { start: 1, end: 1 },
    ],
    [
      { op: "search-replace", file: "f.ts", search: "line 7\nl", replace: "" },
      { start: 7, end: 8 },
      { start: 7, end: 7 },
    ],
    [{ op: "delete-file", file: "f.ts" }, { start: 1, end: 20 }, null],
  ])("%j", (patch, touched, landed) => {
    for (const coordinates of ["original", "sequential"] as const) {
      const result = refused([patch], { coordinates });
      expect(result.ok && result.plan.patches[0]).toMatchObject({ touched: [{ file: "f.ts", ...touched }], landed });
    }
  });

  test("a rename touches the whole file and its new name", () => {
    const result = refused([{ op: "rename-file", file: "f.ts", to: "n.ts" }]);
    expect(result.ok && result.plan.patches[0]!.touched).toEqual([
      { file: "f.ts", start: 1, end: 20 },
      { file: "n.ts", start: 1, end: 0 },
    ]);
  });
});
