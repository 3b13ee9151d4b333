import fc from "fast-check";
import { expect, test } from "vitest";
import { withoutWhitespaceChanges } from "../lib/whitespace.ts";

const diff = (...lines: string[]): string => ["--- a/f.ts", "+++ b/f.ts", "@@ -1,3 +1,3 @@", ...lines].join("\n");

test("a line whose white space alone changed becomes context, as it came out; the others stay", () => {
  const shown = withoutWhitespaceChanges(diff(" a", "-if (x) {", "-  y();", "+  if (x) {", "+    z();", " b"));
  expect(shown).toBe(diff(" a", "   if (x) {", "-  y();", "+    z();", " b"));
});

test("a hunk without any other change is left out", () => {
  expect(withoutWhitespaceChanges(diff(" a", "-\tb", "+  b"))).toBe(["--- a/f.ts", "+++ b/f.ts"].join("\n"));
});

test("both sides keep their length, so that the hunk's header stays true", () => {
  const line = fc.constantFrom("a", " a", "  b", "b", "c", "", "d  d");
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), fc.array(line, { maxLength: 8 }), (removed, added) => {
      const before = diff(
        " x",
        ...removed.map((text) => `-${text}`),
        ...added.map((text) => `+${text}`),
        " y",
        "-one",
        "+two",
      );
      const lines = withoutWhitespaceChanges(before).split("\n").slice(3);
      expect(lines.filter((text) => /^[ -]/.test(text))).toHaveLength(removed.length + 3);
      expect(lines.filter((text) => /^[ +]/.test(text))).toHaveLength(added.length + 3);
      const shown = (mark: RegExp) =>
        lines.filter((text) => mark.test(text)).map((text) => text.slice(1).replaceAll(/\s/g, ""));
      expect(shown(/^[ +]/)).toEqual(["x", ...added.map((text) => text.replaceAll(/\s/g, "")), "y", "two"]);
    }),
  );
});
