import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LineOp } from "./lineModel.ts";
import { applyModel, blockLines } from "./lineModel.ts";
import { after, block, content, fileAndOps, lineCount, lineOps, plan } from "./arbitraries.ts";

/** The same operation after others of its batch were applied: moved by what they added and removed before it. */
function moved(op: LineOp, earlier: readonly LineOp[], count: number): LineOp {
  if (op.op === "append" || op.op === "prepend") return op;
  const place = (one: LineOp): number => {
    switch (one.op) {
      case "replace-block":
        return one.start;
      case "insert-before":
        return one.line;
      case "insert-after":
        return one.line + 1;
      case "append":
        return count + 1;
      case "prepend":
        return 1;
    }
  };
  let shift = 0;
  for (const one of earlier) {
    const added = blockLines(one.block ?? "").length - (one.op === "replace-block" ? one.end - one.start + 1 : 0);
    // Insertions at one place keep their order, and come before a range that begins there.
    const isBefore = place(one) < place(op) || (place(one) === place(op) && one.op !== "replace-block");
    if (isBefore) shift += added;
  }
  if (op.op === "replace-block") return { ...op, start: op.start + shift, end: op.end + shift };
  return { ...op, op: "insert-before", line: place(op) + shift };
}

function orders<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => orders(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}

const isInsert = (op: LineOp) => op.op !== "replace-block";

describe("sequential coordinates", () => {
  test("an original batch equals every order of it with moved coordinates, where insertions keep their order", () => {
    let compared = 0;
    fc.assert(
      fc.property(
        content.chain((text) =>
          fc.record({ text: fc.constant(text), ops: lineOps(lineCount(text), { openSpace: false }) }),
        ),
        ({ text, ops: all }) => {
          const ops = all.slice(0, 4);
          // Mixed endings are each batch's neighbours: in order, they depend on what came before.
          fc.pre(ops.length > 1 && !(text.includes("\r\n") && /(?:^|[^\r])\n/.test(text)) && text.endsWith("\n"));
          fc.pre(ops.every((op) => op.op !== "append" && op.op !== "prepend"));
          const expected = after({ "file.ts": text }, plan({ "file.ts": text }, { patches: ops }))["file.ts"]!;
          for (const order of orders(ops)) {
            const keepsOrder = ops
              .filter(isInsert)
              .every((op, i, inserts) => order.filter(isInsert)[i] === op && inserts.length > 0);
            if (!keepsOrder) continue;
            const patches = order.map((op, i) => moved(op, order.slice(0, i), lineCount(text)));
            const result = plan({ "file.ts": text }, { coordinates: "sequential", patches });
            // All lines deleted in between, and the next block stands as it is given.
            if (order.slice(0, -1).some((_, i) => lineCount(applyModel(text, order.slice(0, i + 1))) === 0)) continue;
            expect(after({ "file.ts": text }, result)["file.ts"]).toBe(expected);
            compared++;
          }
        },
      ),
      { numRuns: 400 },
    );
    expect(compared).toBeGreaterThan(500);
  }, 60_000);

  test("each patch sees what those before left, and the splices still speak of the state before the batch", () => {
    const step = fc.record({
      kind: fc.constantFrom("replace", "before", "after", "append", "prepend"),
      at: fc.nat(1000),
      length: fc.integer({ min: 1, max: 4 }),
      block,
    });
    fc.assert(
      fc.property(content, fc.array(step, { minLength: 1, maxLength: 8 }), (text, steps) => {
        let model = text;
        const patches: LineOp[] = [];
        for (const { kind, at, length, block } of steps) {
          const count = lineCount(model);
          const line = count === 0 ? 0 : (at % count) + 1;
          const file = "file.ts";
          const op: LineOp =
            kind === "replace" && count > 0
              ? { op: "replace-block", file, start: line, end: Math.min(count, line + length - 1), block }
              : kind === "before"
                ? { op: "insert-before", file, line: (at % (count + 1)) + 1, block }
                : kind === "after" && count > 0
                  ? { op: "insert-after", file, line, block }
                  : { op: kind === "append" ? "append" : "prepend", file, block };
          patches.push(op);
          model = applyModel(model, [op]);
        }
        const result = plan({ "file.ts": text }, { coordinates: "sequential", patches });
        expect(after({ "file.ts": text }, result)["file.ts"]).toBe(model);
        if (!result.ok) return;
        for (const file of result.plan.files) {
          const before = Buffer.from(text);
          let made = before;
          let limit = before.length;
          for (const splice of file.splices.toReversed()) {
            expect(splice.end).toBeLessThanOrEqual(limit);
            expect(before.toString("utf8", splice.start, splice.end)).toBe(splice.old);
            made = Buffer.concat([made.subarray(0, splice.start), Buffer.from(splice.new), made.subarray(splice.end)]);
            limit = splice.start;
          }
          expect(made.toString()).toBe(model);
        }
      }),
      { numRuns: 2000 },
    );
  }, 60_000);

  test("a splice that several patches shaped names them all", () => {
    const result = plan(
      { "f.ts": "a\nb\nc\n" },
      {
        coordinates: "sequential",
        patches: [
          { op: "insert-after", file: "f.ts", line: 1, block: "x\ny\nz" },
          { op: "replace-block", file: "f.ts", start: 3, end: 3, block: "Y" },
        ],
      },
    );
    if (!result.ok) throw new Error(result.error.message);
    expect(result.plan.files[0]!.splices).toEqual([
      { patchId: "p1", alsoBy: ["p2"], start: 2, end: 2, old: "", new: "x\nY\nz\n" },
    ]);
  });

  test("space is opened after the whole batch: coordinates count blocks alone, and neighbours share a line", () => {
    const result = plan(
      { "f.ts": "a\nb\n" },
      {
        coordinates: "sequential",
        patches: [
          { op: "insert-after", file: "f.ts", line: 1, block: "x", openSpace: true },
          { op: "insert-after", file: "f.ts", line: 2, block: "y", openSpace: true },
          { op: "replace-block", file: "f.ts", start: 4, end: 4, block: "B" },
        ],
      },
    );
    expect(after({ "f.ts": "a\nb\n" }, result)["f.ts"]).toBe("a\n\nx\n\ny\n\nB\n");
    if (result.ok)
      expect(result.plan.patches.map((patch) => patch.landed)).toEqual([
        { start: 3, end: 3 },
        { start: 5, end: 5 },
        { start: 7, end: 7 },
      ]);
  });

  test("open space is decided alike in both kinds of coordinates", () => {
    fc.assert(
      fc.property(fileAndOps({ openSpace: true }), ({ text, ops }) => {
        const one = ops.slice(0, 1);
        const original = plan({ "file.ts": text }, { patches: one });
        const sequential = plan({ "file.ts": text }, { coordinates: "sequential", patches: one });
        expect(after({ "file.ts": text }, sequential)).toEqual(after({ "file.ts": text }, original));
      }),
      { numRuns: 500 },
    );
  });
});
