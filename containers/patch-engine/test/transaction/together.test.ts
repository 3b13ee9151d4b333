import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { apply, makeRoot, open, read, tree } from "../engine/tempWorkspace.ts";

const CHILD = fileURLToPath(new URL("crashingChild.ts", import.meta.url));

const append = (batchId: string, file: string, block: string) => ({
  batchId,
  patches: [{ op: "append", file, id: `p-${batchId}`, block: `${block}\n` }],
});
const FILES = { "a.txt": "", "b.txt": "" };
const EDITS = [
  append("1", "a.txt", "one"),
  append("2", "b.txt", "two"),
  append("3", "a.txt", "three"),
  { batchId: "4", patches: [{ op: "create-file", file: "new/c.txt", block: "four\n" }] },
  append("5", "new/c.txt", "five"),
];
const AFTER = { "a.txt": "one\nthree\n", "b.txt": "two\n", "new/": "", "new/c.txt": "four\nfive\n" };

it("batches that wait together are applied in their order, each upon the last, and share one record's sync", async () => {
  const steps: string[] = [];
  const root = makeRoot(FILES);
  const engine = await open(root, { faults: { at: (step) => void steps.push(step) } });
  const answers = await Promise.all(EDITS.map((batch) => apply(engine, batch)));
  expect(answers.map(({ ok, head, outcome }) => [ok, head.seq, outcome?.batchId])).toEqual(
    EDITS.map(({ batchId }, at) => [true, at + 1, batchId]),
  );
  for (const [at, { entries }] of answers.entries()) expect(entries.map(({ seq }) => seq)).toEqual([at + 1]);
  expect(steps.filter((step) => step === "log-synced")).toHaveLength(1);
  expect(steps.filter((step) => step.startsWith("temp-"))).toHaveLength(3);
  expect(tree(root)).toEqual(AFTER);
  expect((await engine.verify()).ok).toBe(true);
  expect(read(root, ".mission_control/patches/p-3.diff")).toContain("+three");
  expect((await open(root)).info()).toEqual(engine.info());
});

it("none is answered, nor told of, before all that it shares is durable", async () => {
  let told = 0;
  const seen: number[] = [];
  const engine = await open(makeRoot(FILES), {
    faults: { at: () => void seen.push(told, engine.info().head.seq) },
  });
  await Promise.all(EDITS.map((batch) => apply(engine, batch).then(() => (told += 1))));
  expect(seen.length).toBeGreaterThan(10);
  expect(new Set(seen)).toEqual(new Set([0]));
});

it("one that is refused leaves the others, and the same batch sent twice is applied once", async () => {
  const root = makeRoot(FILES);
  const engine = await open(root);
  const [first, refused, second, again] = await Promise.all([
    apply(engine, append("1", "a.txt", "one")),
    apply(engine, { patches: [{ op: "delete-file", file: "none.txt" }, ...append("x", "a.txt", "x").patches] }),
    apply(engine, append("2", "a.txt", "two")),
    apply(engine, append("1", "a.txt", "one")),
  ]);
  expect(refused).toMatchObject({ ok: false, error: { nothingWritten: true } });
  expect([first, second].map((answer) => answer?.head.seq)).toEqual([1, 2]);
  expect(again?.outcome).toEqual(first?.outcome);
  expect(read(root, "a.txt")).toBe("one\ntwo\n");
});

it("where the disk refuses them together, each is tried alone and answers for itself", async () => {
  const root = makeRoot(FILES);
  let failures = 0;
  const engine = await open(root, {
    faults: {
      at: (step) => {
        // The first file of all, then the only file of the first.
        if ((failures === 0 && step === "temp-1") || (failures === 1 && step === "temps-written")) {
          failures += 1;
          throw Object.assign(new Error(), { code: "ENOSPC" });
        }
      },
    },
  });
  const answers = await Promise.all(EDITS.slice(0, 3).map((batch) => apply(engine, batch)));
  expect(answers.map(({ ok, head }) => [ok, head.seq])).toEqual([
    [false, 0],
    [true, 1],
    [true, 2],
  ]);
  expect(answers[0]?.error).toMatchObject({ code: "IO_ERROR", nothingWritten: true });
  expect(tree(root)).toEqual({ "a.txt": "three\n", "b.txt": "two\n" });
  expect((await engine.verify()).ok).toBe(true);
});

it("what is asked for between them keeps its place", async () => {
  const root = makeRoot(FILES);
  const engine = await open(root);
  const [, entries, , undone] = await Promise.all([
    apply(engine, append("1", "a.txt", "one")),
    engine.entriesAfter(0),
    apply(engine, append("2", "a.txt", "two")),
    engine.revert({ target: { by: "batch", id: "2" }, batchId: "undo", door: "host" }),
    apply(engine, append("3", "a.txt", "three")),
  ]);
  expect(entries.map(({ batchId }) => batchId)).toEqual(["1"]);
  expect(undone.ok).toBe(true);
  expect(read(root, "a.txt")).toBe("one\nthree\n");
});

it("killed at any step of what they share, all are found applied or none, and none again when sent again", async () => {
  const steps: string[] = [];
  const whole = await open(makeRoot(FILES), { faults: { at: (step) => void steps.push(step) } });
  await Promise.all(EDITS.map((batch) => apply(whole, batch)));
  const { treeHash } = whole.info();
  for (const [at, step] of steps.entries()) {
    const root = makeRoot(FILES);
    const child = spawn(process.execPath, [CHILD, root, String(at + 1), JSON.stringify(EDITS)], { stdio: "ignore" });
    expect(await new Promise((resolve) => child.once("close", (_code, signal) => resolve(signal)))).toBe("SIGKILL");
    const engine = await open(root);
    expect(engine.info().head.seq, step).toBe(step === "checked" ? 0 : EDITS.length);
    expect(tree(root), step).toEqual(step === "checked" ? FILES : AFTER);
    expect(readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) => path.includes(".tmp"))).toEqual(
      [],
    );
    for (const batch of EDITS) expect((await apply(engine, batch)).error, step).toBeUndefined();
    expect(tree(root), step).toEqual(AFTER);
    expect(engine.info(), step).toMatchObject({ head: { seq: EDITS.length }, treeHash });
    expect((await engine.verify()).ok).toBe(true);
    await engine.close();
  }
}, 120_000);
