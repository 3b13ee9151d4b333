import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { generateLines } from "../../bench/ops/generate.ts";
import { judge } from "../../bench/ops/grouping.ts";
import { HELD_OUT } from "../../bench/ops/heldOut.ts";
import type { LabelledLine } from "../../bench/ops/logLine.ts";
import published from "../../bench/ops/published.json" with { type: "json" };
import { fingerprintOf } from "../../worker/services/ops/fingerprint.ts";

const byFingerprint = (line: LabelledLine): string => fingerprintOf(line).fingerprint;
const byMessage = ({ kind, source, message }: LabelledLine): string => JSON.stringify([kind, source, message]);

test("10,000 lines of forty causes are grouped by their cause, where their exact messages would not be", () => {
  const lines = generateLines(10_000, "a seed of the tests");
  const ours = judge(lines, byFingerprint);
  expect(ours.precision).toBeGreaterThanOrEqual(0.95);
  expect(ours.recall).toBeGreaterThanOrEqual(0.95);
  expect(judge(lines, byMessage).recall).toBeLessThan(0.1);
});

test("so are the excerpts written by hand that nothing was tuned on", () => {
  const ours = judge(HELD_OUT, byFingerprint);
  expect(ours.precision).toBeGreaterThanOrEqual(0.95);
  expect(ours.recall).toBeGreaterThanOrEqual(0.95);
});

test("the labels of published logs stand as they were before the fingerprint was run on them, and hold none of the logs", () => {
  expect(createHash("sha256").update(JSON.stringify(published)).digest("hex")).toBe(
    "d31cdbaa4b43c26b0d9afd52a03cdfec8cf7aaefc258e887f5647123cd8a1530",
  );
  const excerpts = published.flatMap((file) => file.excerpts.map(({ cause }) => `${file.repository}: ${cause}`));
  expect(excerpts.length).toBeGreaterThanOrEqual(120);
  const causes = Map.groupBy(excerpts, (cause) => cause);
  expect(causes.size).toBeGreaterThanOrEqual(35);
  // Causes that were seen more than once are what grouping is measured by.
  expect([...causes.values()].filter(({ length }) => length > 1).length).toBeGreaterThanOrEqual(35);
  expect(new Set(published.map(({ kind }) => kind)).size).toBe(2);
  for (const file of published) {
    expect(Object.keys(file).toSorted()).toEqual(["commit", "excerpts", "kind", "path", "repository", "sha256"]);
    for (const excerpt of file.excerpts) expect(Object.keys(excerpt).toSorted()).toEqual(["cause", "line", "lines"]);
  }
});

test("the same words of another Worker, or of a build, are another trouble", () => {
  const line = { kind: "worker-log", source: "a", message: "it broke" } as const;
  const all = [line, { ...line, source: "b" }, { ...line, kind: "build-log" as const }];
  expect(new Set(all.map((one) => fingerprintOf(one).fingerprint)).size).toBe(3);
});

test("a template holds no value of the line: no name, no address, no token", () => {
  const { template } = fingerprintOf({
    kind: "worker-log",
    source: "a",
    message:
      'login of ada@example.org from 203.0.113.9 with token sk_live_4eC39HqLyjWDarjtT1zdp7dc failed: "my pass word" at 2026-11-03T02:14:09Z',
  });
  expect(template).toBe("login of <email> from <ip> with token <id> failed: <quoted> at <time>");
});

test("whatever a line holds, it has a fingerprint, the same each time, in bounded time and of bounded length", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 2_000 }), (message) => {
      const line = { kind: "build-log", source: "acme/site", message } as const;
      const first = fingerprintOf(line);
      expect(first).toEqual(fingerprintOf(line));
      expect(first.template.length).toBeLessThanOrEqual(1_001);
      expect(first.fingerprint).toMatch(/^[0-9a-f]{32}$/);
    }),
    { numRuns: 300 },
  );
  for (const hostile of [
    "a".repeat(200_000),
    "/".repeat(50_000),
    "1:".repeat(40_000),
    '"'.repeat(50_000),
    "a.b@".repeat(20_000),
    "a=".repeat(40_000),
    "\n".repeat(90_000),
    "[".repeat(50_000),
    "a-1".repeat(30_000),
  ]) {
    expect(fingerprintOf({ kind: "build-log", source: "x", message: hostile }).fingerprint).toHaveLength(32);
  }
});
