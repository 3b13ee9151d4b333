import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SafetySchema, type Safety } from "@shared/contracts";
import { scoreOf, type SafetyFacts } from "../../safety/score.ts";
import { apply, makeRoot, open, tree } from "../engine/tempWorkspace.ts";

const count = fc.nat({ max: 200 });
const file = fc.constantFrom("a.ts", "b.ts", "c.md");
const facts: fc.Arbitrary<SafetyFacts> = fc.record({
  linesRemoved: count,
  largestShare: fc.option(fc.record({ file, share: fc.double({ min: 0, max: 1, noNaN: true }) })),
  filesTouched: fc.integer({ min: 1, max: 30 }),
  filesDeleted: fc.array(file, { maxLength: 5 }),
  exportsRemoved: fc.array(fc.record({ file, name: fc.constantFrom("x", "y") }), { maxLength: 8 }),
  guardDistance: fc.option(fc.record({ file, name: fc.constant("core"), lines: fc.nat({ max: 30 }) })),
  findings: fc.array(fc.record({ gate: fc.constant("syntax"), message: fc.constant("bad") }), { maxLength: 8 }),
  moved: fc.nat({ max: 6 }),
});

/** One more harm of each kind. */
const HARMS: Readonly<Record<string, (facts: SafetyFacts) => SafetyFacts>> = {
  "one more line removed": (one) => ({ ...one, linesRemoved: one.linesRemoved + 1 }),
  "a larger share of a file": (one) => ({
    ...one,
    largestShare: { file: "a.ts", share: Math.min(1, (one.largestShare?.share ?? 0) + 0.05) },
  }),
  "another file touched": (one) => ({ ...one, filesTouched: one.filesTouched + 1 }),
  "another file deleted": (one) => ({ ...one, filesDeleted: [...one.filesDeleted, "z.ts"] }),
  "a removed export": (one) => ({ ...one, exportsRemoved: [...one.exportsRemoved, { file: "z.ts", name: "z" }] }),
  "a gate's finding": (one) => ({ ...one, findings: [...one.findings, { gate: "types", message: "TS1" }] }),
  "a guard nearer": (one) => ({
    ...one,
    guardDistance: { file: "a.ts", name: "core", lines: Math.max(0, (one.guardDistance?.lines ?? 31) - 1) },
  }),
  "a text that had moved": (one) => ({ ...one, moved: one.moved + 1 }),
};

describe("the score", () => {
  it.each(Object.entries(HARMS))("never rises with %s", (_harm, add) => {
    fc.assert(
      fc.property(facts, (one) => {
        const [before, after] = [scoreOf(one), scoreOf(add(one))];
        expect(after.score).toBeLessThanOrEqual(before.score);
        expect(SafetySchema.parse(after)).toEqual(after);
      }),
      { numRuns: 300 },
    );
  });

  it("is 100 less the sum of its reasons, and never below 0", () => {
    fc.assert(
      fc.property(facts, (one) => {
        const { score, reasons } = scoreOf(one);
        const taken = reasons.reduce((sum, { points }) => sum + points, 0);
        expect(score).toBe(Math.max(0, 100 - taken));
      }),
      { numRuns: 300 },
    );
  });
});

const lines = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_one, at) => `const v${from + at} = ${from + at};\n`).join("");

describe("a simulated batch", () => {
  const FILES = {
    "a.ts": `${lines(1, 40)}export const kept = 1;\nexport const gone = 2;\n`,
    "guarded.ts": `${lines(1, 20)}// @guard START core\nconst secret = 1;\n// @guard END core\n${lines(21, 40)}`,
    "b.ts": lines(1, 10),
    ".mission_control/policy.json": JSON.stringify({ v: 1, gates: { guardedRegions: "warn", syntax: "warn" } }),
  };
  const simulate = async (patches: object[]): Promise<Safety> => {
    const root = makeRoot(FILES);
    const before = tree(root);
    const engine = await open(root);
    const answer = await engine.apply({ batch: { patches }, simulate: true, door: "host" });
    expect(answer.error).toBeUndefined();
    expect(tree(root)).toEqual(before);
    expect(answer.outcome?.status).toBe("dry-run");
    return answer.outcome!.safety!;
  };
  const namesOf = ({ reasons }: Safety) => reasons.map(({ name }) => name);
  const harmless = { op: "insert-after", file: "a.ts", line: 3, block: "// noted" };

  it("that adds a comment keeps the full score, and one that is applied has none", async () => {
    expect(await simulate([harmless])).toEqual({ score: 100, reasons: [] });
    const engine = await open(makeRoot(FILES));
    expect((await apply(engine, { patches: [harmless] })).outcome).not.toHaveProperty("safety");
  });

  it("names a removed export, a deleted file, a guard that is near or touched, and a gate's finding", async () => {
    const removes = { op: "replace-block", file: "a.ts", start: 42, end: 42, block: "" };
    expect((await simulate([removes])).reasons).toContainEqual({
      name: "exports-removed",
      points: 8,
      detail: "no longer exported: gone of a.ts",
    });
    expect(namesOf(await simulate([{ op: "delete-file", file: "a.ts" }]))).toEqual([
      "lines-removed",
      "share-of-file",
      "files-deleted",
      "exports-removed",
    ]);
    const at = (line: number) => ({ op: "replace-block", file: "guarded.ts", start: line, end: line, block: "let x;" });
    const points = async (line: number) =>
      (await simulate([at(line)])).reasons.find(({ name }) => name === "guard-near")?.points;
    expect([await points(9), await points(11), await points(20), await points(24), await points(22)]).toEqual([
      undefined,
      1,
      10,
      10,
      20,
    ]);
    const broken = { op: "append", file: "b.ts", block: "let = ;" };
    expect(namesOf(await simulate([broken]))).toContain("gate-findings");
  });

  it("never scores higher for a patch more, whatever the patches are", async () => {
    const root = makeRoot(FILES);
    const engine = await open(root);
    const scoreFor = async (patches: object[]) =>
      (await engine.apply({ batch: { patches }, simulate: true, door: "host" })).outcome!.safety!.score;
    const removal = fc
      .record({ file: fc.constantFrom("a.ts", "guarded.ts", "b.ts"), line: fc.integer({ min: 1, max: 10 }) })
      .map((place) => ({ op: "replace-block", file: place.file, start: place.line, end: place.line, block: "" }));
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(removal, { minLength: 2, maxLength: 12, selector: ({ file, start }) => `${file}:${start}` }),
        async (patches) => {
          expect(await scoreFor(patches)).toBeLessThanOrEqual(await scoreFor(patches.slice(1)));
        },
      ),
      { numRuns: 60 },
    );
  });
});
