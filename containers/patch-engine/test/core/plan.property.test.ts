import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { after, fileAndOps, plan } from "./arbitraries.ts";
import { applyModel } from "./lineModel.ts";

const RUNS = 3000;

describe("planning, against an independent model of lines", () => {
  test("a batch leaves what the model leaves, whatever the file's endings", () => {
    fc.assert(
      fc.property(fileAndOps({ openSpace: false }), ({ text, ops }) => {
        const left = after({ "file.ts": text }, plan({ "file.ts": text }, { patches: ops }));
        expect(left["file.ts"]).toBe(applyModel(text, ops));
      }),
      { numRuns: RUNS },
    );
  }, 60_000);

  test("blocks that open space leave what the model leaves", () => {
    fc.assert(
      fc.property(fileAndOps({ openSpace: true }), ({ text, ops }) => {
        fc.pre(text.replace("\uFEFF", "") !== "");
        const left = after({ "file.ts": text }, plan({ "file.ts": text }, { patches: ops }));
        expect(left["file.ts"]).toBe(applyModel(text, ops));
      }),
      { numRuns: RUNS },
    );
  }, 60_000);

  test("the splices alone make the new bytes of the old, and every byte outside them stays", () => {
    fc.assert(
      fc.property(fileAndOps({ openSpace: true }), ({ text, ops }) => {
        const result = plan({ "file.ts": text }, { patches: ops });
        if (!result.ok) throw new Error(result.error.message);
        for (const file of result.plan.files) {
          const before = Buffer.from(text);
          const pieces: Buffer[] = [];
          let at = 0;
          for (const splice of file.splices) {
            expect(splice.start).toBeGreaterThanOrEqual(at);
            expect(before.toString("utf8", splice.start, splice.end)).toBe(splice.old);
            pieces.push(before.subarray(at, splice.start), Buffer.from(splice.new));
            at = splice.end;
          }
          pieces.push(before.subarray(at));
          expect(Buffer.concat(pieces).equals(Buffer.from(file.after!))).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  }, 60_000);
});
