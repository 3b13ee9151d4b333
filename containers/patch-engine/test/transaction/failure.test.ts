import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Faults } from "../../index.ts";
import { BOOT_ID } from "../../workspace/WorkspaceLock.ts";
import { apply, makeRoot, open, read, tree, write } from "../engine/tempWorkspace.ts";

const FILES = { "a.ts": "const a = 1;\n", "b/b.ts": "const b = 1;\n", "c.ts": "const c = 1;\n" };
const BATCH = {
  batchId: "one",
  patches: [
    { op: "append", file: "a.ts", block: "// a" },
    { op: "append", file: "b/b.ts", block: "// b" },
    { op: "create-file", file: "n/new.ts", block: "export {};\n" },
  ],
};

const onStep = (wanted: string, act: () => void): Faults => {
  let acted = false;
  return {
    at(step) {
      if (step !== wanted || acted) return;
      acted = true;
      act();
    },
  };
};

it.each(["logged", "temp-1", "temp-3", "temps-written", "renamed-1", "renamed-2"])(
  "a disk that fails at %s leaves every file as it was, and the log without the entry",
  async (step) => {
    const root = makeRoot(FILES);
    const before = tree(root);
    const faults = onStep(step, () => {
      throw Object.assign(new Error("no space left at /secret/path"), { code: "ENOSPC" });
    });
    const engine = await open(root, { faults });
    const answer = await apply(engine, BATCH);
    expect(answer.error).toMatchObject({ code: "IO_ERROR", nothingWritten: true, retryable: true });
    expect(JSON.stringify(answer)).not.toContain("/secret/path");
    expect(tree(root)).toEqual(before);
    expect(read(root, ".mission_control/log.jsonl")).toBe("");
    const again = await apply(engine, BATCH);
    expect(again.error).toBeUndefined();
    expect(again.head.seq).toBe(1);
  },
);

it("a file that someone changes while a batch is written keeps that change, and the batch is undone", async () => {
  const root = makeRoot(FILES);
  const faults = onStep("renamed-1", () => write(root, "b/b.ts", "theirs\n"));
  const engine = await open(root, { faults });
  const answer = await apply(engine, BATCH);
  expect(answer.error).toMatchObject({ code: "STALE_CONTENT", file: "b/b.ts", nothingWritten: true });
  expect(tree(root)).toEqual({ "a.ts": FILES["a.ts"], "b/": "", "b/b.ts": "theirs\n", "c.ts": FILES["c.ts"] });
});

it("an undo that fails too says the outcome is in doubt, and the next call settles it", async () => {
  const root = makeRoot(FILES);
  const faults = onStep("renamed-1", () => {
    // A directory in the place of a file that must be put back: neither renaming onto it nor removing it works.
    rmSync(join(root, "a.ts"));
    mkdirSync(join(root, "a.ts/in/the/way"), { recursive: true });
    throw new Error("the disk is gone");
  });
  const engine = await open(root, { faults });
  const answer = await apply(engine, BATCH);
  expect(answer.error).toMatchObject({ code: "IO_ERROR", nothingWritten: null });
  expect(answer.outcome?.status).toBe("pending");
  rmSync(join(root, "a.ts"), { recursive: true });
  write(root, "a.ts", FILES["a.ts"]);
  const settled = await apply(engine, BATCH);
  expect(settled.outcome?.status).toBe("applied");
  expect(read(root, "a.ts")).toBe("const a = 1;\n// a\n");
  expect(read(root, "b/b.ts")).toBe("const b = 1;\n// b\n");
  expect(read(root, "n/new.ts")).toBe("export {};\n");
});

it("a rename that a power loss took back is done again when the machine is up, from the log", async () => {
  const root = makeRoot(FILES);
  const engine = await open(root);
  await apply(engine, BATCH);
  await engine.close();
  const after = tree(root);
  // What the disk may hold then: the log, the mark that was written in the former boot, and an old file.
  write(root, "a.ts", FILES["a.ts"]);
  rmSync(join(root, "n"), { recursive: true });
  const mark = read(root, ".mission_control/done");
  write(root, ".mission_control/done", mark.replace(BOOT_ID, "0".repeat(BOOT_ID.length)));
  const reopened = await open(root);
  expect(tree(root)).toEqual(after);
  expect(reopened.info().head.seq).toBe(1);
  expect(read(root, ".mission_control/done")).toMatch(new RegExp(`^1 ${BOOT_ID} 1 +end\n$`));
});
