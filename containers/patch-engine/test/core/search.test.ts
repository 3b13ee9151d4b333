import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PatchBatchSchema } from "@shared/contracts";
import { occurrencesOf } from "../../core/search.ts";
import { TextFile } from "../../core/textFile.ts";
import { planBatch, sha256 } from "../../core/index.ts";

const MB = 1 << 20;
const textOf = (text: string) => TextFile.of(Buffer.from(text));

/** Tries every place: slow, and with nothing in common with what is tested but the rule. */
function naive(text: string, search: string): { start: number; end: number }[] {
  const [hasLf, hasCrlf] = [/(?<!\r)\n/.test(text), text.includes("\r\n")];
  const means = (part: string) => part.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&");
  let pattern = means(search);
  if (search.includes("\n") && hasCrlf && !hasLf) pattern = means(search.replaceAll(/\r?\n/g, "\r\n"));
  else if (search.includes("\n") && hasCrlf && !search.includes("\r\n")) {
    pattern = means(search).replaceAll("\n", "\r?\n");
  }
  return [...text.matchAll(new RegExp(pattern, "g"))].map(({ index, 0: found }) => ({
    start: index,
    end: index + found.length,
  }));
}

describe("search", () => {
  test("finds what trying every place finds, whatever the endings of text and search", () => {
    const letters = (max: number) =>
      fc.array(fc.constantFrom("a", "b", "\n", "\r\n"), { minLength: 1, maxLength: max }).map((all) => all.join(""));
    fc.assert(
      fc.property(letters(60), letters(6), (text, search) => {
        expect(occurrencesOf(textOf(text), search, 1000).places).toEqual(naive(text, search));
      }),
      { numRuns: 3000 },
    );
  });

  test("finds a long text as it finds a short one", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("ab", "a", "b\n"), { minLength: 300, maxLength: 900 }),
        fc.nat(200),
        (all, at) => {
          const text = all.join("");
          const search = text.slice(at, at + 260);
          expect(occurrencesOf(textOf(text), search, 1000).places).toEqual(naive(text, search));
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each([
    ["half of it everywhere, the middle nowhere", "a".repeat(MB), `${"a".repeat(50_000)}b${"a".repeat(50_000)}`],
    ["all of it but the first everywhere", "a".repeat(MB), `b${"a".repeat(100_000)}`],
    ["all of it but the last everywhere", "a".repeat(MB), `${"a".repeat(100_000)}b`],
    ["lines of both endings", "a\na\r\n".repeat(MB / 5), `${"a\n".repeat(50_000)}b`],
    ["a letter that is everywhere", "a".repeat(4 * MB), "a"],
  ])("does not hang where a text has %s", (_what, text, search) => {
    const bytes = Buffer.from(text);
    const started = process.cpuUsage();
    const planned = planBatch(
      PatchBatchSchema.parse({ patches: [{ op: "search-replace", file: "a", search, replace: "c" }] }),
      new Map([["a", { bytes, sha256: sha256(bytes), mode: "100644" }]]),
      { mintPatchId: () => "p" },
    );
    const { user, system } = process.cpuUsage(started);
    expect(planned.ok ? "applied" : planned.error.code).toMatch(/^SEARCH_/);
    expect((user + system) / 1000).toBeLessThan(1000);
  });

  test("counts every place, keeps no more than are asked for, and changes at most 25000", () => {
    const many = "a".repeat(200_000);
    expect(occurrencesOf(textOf(many), "a", 3)).toMatchObject({ count: 200_000, places: [{}, {}, {}] });
    const bytes = Buffer.from(many);
    const planned = planBatch(
      PatchBatchSchema.parse({
        patches: [{ op: "search-replace", file: "a", search: "a", replace: "b", expectedCount: 200_000 }],
      }),
      new Map([["a", { bytes, sha256: sha256(bytes), mode: "100644" }]]),
      { mintPatchId: () => "p" },
    );
    expect(planned).toMatchObject({ ok: false, error: { code: "VALIDATION_FAILED", file: "a" } });
  });
});
