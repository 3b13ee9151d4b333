import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PatchOperationInput } from "@shared/contracts";
import { block, content, lineCount } from "./arbitraries.ts";
import { MemoryWorkspace } from "./log.ts";

const step = fc.record({
  kind: fc.constantFrom("replace", "replace", "before", "append", "prepend", "create", "delete", "rename"),
  which: fc.nat(10),
  at: fc.nat(1000),
  length: fc.integer({ min: 1, max: 3 }),
  block,
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

let names = 0;

/** An operation that fits the workspace as it is. */
function operation(workspace: MemoryWorkspace, { kind, which, at, length, block }: Step): PatchOperationInput {
  const paths = Object.keys(workspace.texts);
  const file = paths[which % Math.max(1, paths.length)];
  if (kind === "create" || file === undefined) return { op: "create-file", file: `new${++names}.ts`, block };
  if (kind === "delete") return { op: "delete-file", file };
  if (kind === "rename") return { op: "rename-file", file, to: `moved${++names}.ts` };
  const count = lineCount(workspace.texts[file]!);
  if (kind === "replace" && count > 0) {
    const start = (at % count) + 1;
    return { op: "replace-block", file, start, end: Math.min(count, start + length - 1), block };
  }
  if (kind === "before")
    return { op: "insert-before", file, line: (at % (count + 1)) + 1, block, openSpace: at % 2 === 0 };
  return { op: kind === "append" ? "append" : "prepend", file, block };
}

const history = fc.record({
  a: content,
  b: content,
  batches: fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
});

/** Applies what of a history can be applied; a batch whose patches exclude each other is left out. */
function play({ a, b, batches }: { a: string; b: string; batches: Step[][] }): MemoryWorkspace {
  const workspace = new MemoryWorkspace({ "a.ts": a, "b.ts": b });
  for (const [i, steps] of batches.entries()) {
    const patches = steps.map((one) => operation(workspace, one));
    workspace.apply({ coordinates: i % 3 === 2 ? "sequential" : "original", patches });
  }
  return workspace;
}

describe("reverting", () => {
  test("the last batch reverted leaves every byte as it was before it, and reverting that leaves what the batch left", () => {
    let done = 0;
    fc.assert(
      fc.property(history, (one) => {
        const before = play({ ...one, batches: one.batches.slice(0, -1) });
        const seq = before.entries.length;
        const texts = before.texts;
        const steps = one.batches.at(-1)!;
        const applied = before.apply({ patches: steps.map((step) => operation(before, step)) });
        if (!applied.ok || applied.plan.files.length === 0) return;
        const afterwards = before.texts;
        const batchId = before.entries[seq]!.batchId;
        const reverted = before.revert({ by: "batch", id: batchId });
        expect(reverted.ok ? null : reverted.error).toBeNull();
        expect(before.texts).toEqual(texts);
        expect(before.treeHash).toBe(before.entries[seq]!.treeBefore);
        expect(before.revert({ by: "batch", id: batchId })).toMatchObject({
          ok: false,
          error: { code: "ALREADY_REVERTED" },
        });
        const redone = before.revert({ by: "batch", id: before.entries.at(-1)!.batchId });
        expect(redone.ok ? null : redone.error).toBeNull();
        expect(before.texts).toEqual(afterwards);
        const again = before.revert({ by: "batch", id: batchId });
        expect(again.ok ? null : again.error).toBeNull();
        expect(before.texts).toEqual(texts);
        done++;
      }),
      { numRuns: 800 },
    );
    expect(done).toBeGreaterThan(400);
  }, 60_000);

  test("all batches reverted, newest first, restore every byte", () => {
    fc.assert(
      fc.property(history, (one) => {
        const workspace = play(one);
        for (const { batchId, patches } of workspace.entries.toReversed()) {
          const reverted = workspace.revert({ by: "batch", id: batchId });
          expect(reverted.ok ? null : reverted.error, JSON.stringify(patches)).toBeNull();
        }
        expect(workspace.texts).toEqual({ "a.ts": one.a, "b.ts": one.b });
      }),
      { numRuns: 500 },
    );
  }, 60_000);

  test("all patches of a task are reverted together, whatever batches they came in", () => {
    fc.assert(
      fc.property(history, (one) => {
        const workspace = new MemoryWorkspace({ "a.ts": one.a, "b.ts": one.b });
        for (const steps of one.batches) {
          workspace.apply({ patches: steps.map((step) => ({ ...operation(workspace, step), taskId: "T1" })) });
        }
        fc.pre(workspace.entries.length > 0);
        const reverted = workspace.revert({ by: "task", id: "T1" });
        expect(reverted.ok ? null : reverted.error).toBeNull();
        expect(workspace.texts).toEqual({ "a.ts": one.a, "b.ts": one.b });
      }),
      { numRuns: 500 },
    );
  }, 60_000);

  test("batches reverted in any order either restore every byte in the end or name a conflict", () => {
    let restored = 0;
    fc.assert(
      fc.property(history, fc.array(fc.nat(1000), { minLength: 6, maxLength: 6 }), (one, keys) => {
        const workspace = play(one);
        const batches = workspace.entries.map(({ batchId }) => batchId);
        const order = batches.map((id, i) => ({ id, key: keys[i] ?? 0 })).toSorted((x, y) => x.key - y.key);
        for (const { id } of order) {
          const reverted = workspace.revert({ by: "batch", id });
          if (reverted.ok) continue;
          expect(reverted.error.code).toBe("REVERT_CONFLICT");
          return;
        }
        // Deletions put back beside an insertion at their place stand before it: what touches has no order of its own.
        if (Object.values(workspace.texts).join("") === one.a + one.b) restored++;
        const sorted = (texts: string[]) => texts.map((text) => Array.from(text).toSorted().join(""));
        expect(sorted(Object.values(workspace.texts))).toEqual(sorted([one.a, one.b]));
      }),
      { numRuns: 700 },
    );
    expect(restored).toBeGreaterThan(70);
  }, 60_000);

  const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i + 1}\n`).join("");
  const replace = (start: number, block: string, id: string, file = "f.ts") =>
    ({ op: "replace-block", file, start, end: start, block, id }) as const;

  test("a patch alone is reverted where later edits moved it, and its batch's other patches stay", () => {
    const workspace = new MemoryWorkspace({ "f.ts": lines(6) });
    workspace.apply({ patches: [replace(2, "two", "A"), replace(5, "five", "B")] });
    workspace.apply({ patches: [{ op: "prepend", file: "f.ts", block: "head\nhead 2" }] });
    const reverted = workspace.revert({ by: "patch", id: "B" });
    expect(reverted.ok && reverted.plan.patches).toMatchObject([{ patch_id: "B", landed: { start: 7, end: 7 } }]);
    expect(workspace.texts["f.ts"]).toBe("head\nhead 2\nline 1\ntwo\nline 3\nline 4\nline 5\nline 6\n");
  });

  test("a later edit of the same lines refuses a revert, and shows the lines as they are now", () => {
    const workspace = new MemoryWorkspace({ "f.ts": lines(6) });
    workspace.apply({ patches: [replace(3, "three", "A")] });
    workspace.apply({ patches: [replace(3, "THREE", "B")] });
    workspace.apply({ patches: [{ op: "prepend", file: "f.ts", block: "head" }] });
    const before = workspace.texts;
    expect(workspace.revert({ by: "patch", id: "A" })).toMatchObject({
      ok: false,
      error: {
        code: "REVERT_CONFLICT",
        patchId: "A",
        file: "f.ts",
        candidates: [{ start: 4, end: 4, lines: ["THREE"] }],
        context: { startLine: 1, lines: ["head", "line 1", "line 2", "THREE", "line 4", "line 5", "line 6"] },
      },
      patches: [{ patch_id: "A", error: { code: "REVERT_CONFLICT" } }],
    });
    expect(workspace.texts).toEqual(before);
  });

  test("edits that only touch do not stand in a revert's way", () => {
    const workspace = new MemoryWorkspace({ "f.ts": lines(4) });
    workspace.apply({ patches: [replace(2, "two", "A")] });
    workspace.apply({ patches: [replace(1, "one", "B"), replace(3, "three", "C")] });
    workspace.apply({ patches: [{ op: "insert-before", file: "f.ts", line: 2, block: "1.5" }] });
    workspace.apply({ patches: [{ op: "insert-after", file: "f.ts", line: 3, block: "2.5" }] });
    expect(workspace.revert({ by: "patch", id: "A" }).ok).toBe(true);
    expect(workspace.texts["f.ts"]).toBe("one\n1.5\nline 2\n2.5\nthree\nline 4\n");
  });

  test("a created file that was edited since is not deleted", () => {
    const workspace = new MemoryWorkspace({});
    workspace.apply({ patches: [{ op: "create-file", file: "n.ts", block: "a\n", id: "A" }] });
    workspace.apply({ patches: [{ op: "append", file: "n.ts", block: "b", id: "B" }] });
    expect(workspace.revert({ by: "patch", id: "A" })).toMatchObject({ ok: false, error: { code: "REVERT_CONFLICT" } });
    expect(workspace.revert({ by: "patch", id: "B" }).ok).toBe(true);
    expect(workspace.revert({ by: "patch", id: "A" }).ok).toBe(true);
    expect(workspace.texts).toEqual({});
  });

  test("a deleted file is not put back over another that took its name", () => {
    const workspace = new MemoryWorkspace({ "f.ts": "old\n" });
    workspace.apply({ patches: [{ op: "delete-file", file: "f.ts", id: "A" }] });
    workspace.apply({ patches: [{ op: "create-file", file: "f.ts", block: "new\n", id: "B" }] });
    expect(workspace.revert({ by: "patch", id: "A" })).toMatchObject({ ok: false, error: { code: "REVERT_CONFLICT" } });
    expect(workspace.revert({ by: "patch", id: "B" }).ok).toBe(true);
    expect(workspace.revert({ by: "patch", id: "A" }).ok).toBe(true);
    expect(workspace.texts).toEqual({ "f.ts": "old\n" });
  });

  test("an edit is reverted in the file's new name, and a rename is reverted with later edits kept", () => {
    const workspace = new MemoryWorkspace({ "f.ts": lines(3) });
    workspace.apply({ patches: [replace(1, "one", "A"), { op: "rename-file", file: "f.ts", to: "g.ts", id: "R" }] });
    workspace.apply({ patches: [replace(3, "three", "B", "g.ts")] });
    expect(workspace.revert({ by: "patch", id: "A" }).ok).toBe(true);
    expect(workspace.texts).toEqual({ "g.ts": "line 1\nline 2\nthree\n" });
    expect(workspace.revert({ by: "patch", id: "R" }).ok).toBe(true);
    expect(workspace.texts).toEqual({ "f.ts": "line 1\nline 2\nthree\n" });
  });

  test("patches of one sequential batch that shaped the same text are only reverted together", () => {
    const workspace = new MemoryWorkspace({ "f.ts": lines(2) });
    workspace.apply({
      batchId: "S",
      coordinates: "sequential",
      patches: [
        { op: "insert-after", file: "f.ts", line: 1, block: "x\ny", id: "A" },
        { op: "replace-block", file: "f.ts", start: 2, end: 2, block: "X", id: "B" },
      ],
    });
    expect(workspace.revert({ by: "patch", id: "A" })).toMatchObject({ ok: false, error: { code: "REVERT_CONFLICT" } });
    expect(workspace.revert({ by: "patch", id: "B" })).toMatchObject({ ok: false, error: { code: "REVERT_CONFLICT" } });
    expect(workspace.revert({ by: "batch", id: "S" }).ok).toBe(true);
    expect(workspace.texts).toEqual({ "f.ts": lines(2) });
  });

  test("a file changed around the engine is not touched", () => {
    const workspace = new MemoryWorkspace({ "f.ts": lines(3) });
    workspace.apply({ patches: [replace(2, "two", "A")] });
    const changed = new MemoryWorkspace({ "f.ts": "foreign\n" });
    workspace.files = changed.files;
    expect(workspace.revert({ by: "patch", id: "A" })).toMatchObject({
      ok: false,
      error: { code: "STALE_CONTENT", file: "f.ts" },
    });
  });

  test("what the log does not know is named as such", () => {
    const workspace = new MemoryWorkspace({ "f.ts": lines(3) });
    expect(workspace.revert({ by: "patch", id: "none" })).toMatchObject({ error: { code: "PATCH_NOT_FOUND" } });
    expect(workspace.revert({ by: "batch", id: "none" })).toMatchObject({ error: { code: "BATCH_NOT_FOUND" } });
    expect(workspace.revert({ by: "task", id: "none" })).toMatchObject({ error: { code: "UNKNOWN_TASK" } });
  });
});
