import {
  PatchOperationSchema,
  vibeError,
  type ErrorCode,
  type PatchOperationInput,
  type VibeError,
} from "@shared/contracts";
import { describe, expect, test } from "vitest";
import { correctFromError } from "../correctFromError.ts";

const replace = PatchOperationSchema.parse({
  op: "replace-block",
  file: "a.ts",
  start: 10,
  end: 11,
  block: "new\n",
  expect: { text: "old one\nold two" },
});
const lines = ["old one", "old two"];
const refused = (code: ErrorCode, detail: Partial<VibeError> = {}) =>
  vibeError(code, "refused", { file: "a.ts", ...detail });
const patch = (input: PatchOperationInput) => PatchOperationSchema.parse(input);

describe("text that stands in several places", () => {
  test("is taken at the one nearest to where the patch said", () => {
    const error = refused("AMBIGUOUS_LOCATION", {
      candidates: [
        { start: 30, end: 31, lines },
        { start: 13, end: 14, lines },
      ],
    });
    expect(correctFromError(replace, error)).toEqual({ ...replace, start: 13, end: 14 });
  });

  test("is not guessed at when two places are equally near", () => {
    const error = refused("AMBIGUOUS_LOCATION", {
      candidates: [
        { start: 8, end: 9 },
        { start: 12, end: 13 },
      ],
    });
    expect(correctFromError(replace, error)).toBeNull();
  });

  test("takes an insertion with it, before and after alike", () => {
    const error = refused("AMBIGUOUS_LOCATION", {
      candidates: [
        { start: 4, end: 4 },
        { start: 40, end: 40 },
      ],
    });
    for (const op of ["insert-before", "insert-after"] as const) {
      const insert = patch({ op, file: "a.ts", line: 7, block: "x\n", expect: { text: "anchor" } });
      expect(correctFromError(insert, error)).toEqual({ ...insert, line: 4 });
    }
  });

  test("is one place when the others only look like it", () => {
    const error = refused("STALE_CONTENT", {
      candidates: [
        { start: 11, end: 12, lines: ["  old one", "old two"] },
        { start: 50, end: 51, lines },
      ],
    });
    expect(correctFromError(replace, error)).toMatchObject({ start: 50, end: 51 });
  });
});

describe("text that the error's numbered lines show", () => {
  test("is taken where they show it", () => {
    const error = refused("STALE_CONTENT", { context: { startLine: 8, lines: ["a", ...lines, "b"] } });
    expect(correctFromError(replace, error)).toMatchObject({ start: 9, end: 10 });
  });

  test("is taken there too when the range lay outside the file", () => {
    const error = refused("RANGE_OUT_OF_BOUNDS", { context: { startLine: 3, lines: ["a", ...lines] } });
    expect(correctFromError(replace, error)).toMatchObject({ start: 4, end: 5 });
  });

  test("is recognised by its beginning where a long line was cut short", () => {
    const long = `const text = "${"x".repeat(300)}";`;
    const one = patch({ op: "replace-block", file: "a.ts", start: 1, end: 1, block: "", expect: { text: long } });
    const error = refused("STALE_CONTENT", { context: { startLine: 5, lines: [`${long.slice(0, 240)}…`] } });
    expect(correctFromError(one, error)).toMatchObject({ start: 5, end: 5 });
  });

  test("does not move a patch whose text they do not show", () => {
    const error = refused("STALE_CONTENT", {
      context: { startLine: 9, lines: ["x", "old one", "changed"] },
      firstDivergence: { line: 11, expected: "old two", actual: "changed" },
    });
    expect(correctFromError(replace, error)).toBeNull();
  });
});

describe("a stale hash", () => {
  const before = "a".repeat(64);
  const now = "b".repeat(64);

  test("follows the file where the expected text still stands as said", () => {
    const hashed = { ...replace, expect: { text: "old one\nold two", sha256: before } };
    const error = refused("STALE_CONTENT", {
      currentSha256: now,
      context: { startLine: 9, lines: ["x", ...lines, "y"] },
    });
    expect(correctFromError(hashed, error)).toEqual({ ...hashed, expect: { ...hashed.expect, sha256: now } });
  });

  test("follows the file for a search, which is found by what it searches", () => {
    const search = patch({ op: "search-replace", file: "a.ts", search: "x", replace: "y", expect: { sha256: before } });
    expect(correctFromError(search, refused("STALE_CONTENT", { currentSha256: now }))).toMatchObject({
      expect: { sha256: now },
    });
  });

  test("is not waved through for an edit that says nothing of the text it replaces", () => {
    const blind = patch({ op: "replace-block", file: "a.ts", start: 1, end: 2, block: "", expect: { sha256: before } });
    expect(correctFromError(blind, refused("STALE_CONTENT", { currentSha256: now }))).toBeNull();
    const appended = patch({ op: "append", file: "a.ts", block: "x\n", expect: { sha256: before } });
    expect(correctFromError(appended, refused("STALE_CONTENT", { currentSha256: now }))).toBeNull();
  });
});

describe("what an error does not determine", () => {
  const candidates = [{ start: 13, end: 14, lines }];

  test.each<ErrorCode>(["TASK_SCOPE_VIOLATION", "GUARDED_REGION", "SYNTAX_ERROR", "FILE_NOT_FOUND", "SECRET_FOUND"])(
    "%s is not corrected, whatever places it shows",
    (code) => {
      expect(correctFromError(replace, refused(code, { candidates }))).toBeNull();
    },
  );

  test("an error of another file is not this patch's", () => {
    expect(correctFromError(replace, refused("STALE_CONTENT", { candidates, file: "b.ts" }))).toBeNull();
  });

  test("a patch that is already where the error points is not sent again unchanged", () => {
    const error = refused("STALE_CONTENT", { candidates: [{ start: 10, end: 11, lines }] });
    expect(correctFromError(replace, error)).toBeNull();
  });
});
