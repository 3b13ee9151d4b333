import { spawn } from "node:child_process";
import { chmodSync, cpSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { apply, makeRoot, open, read, tree } from "../engine/tempWorkspace.ts";

const CHILD = fileURLToPath(new URL("crashingChild.ts", import.meta.url));

/** Runs the child to its end; the signal that ended it. */
function crash(root: string, step: number, batch: object): Promise<{ signal: string | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, root, String(step), JSON.stringify(batch)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", reject);
    child.on("close", (_code, signal) => resolve({ signal, output }));
  });
}

const FILES = {
  "a.ts": "const a = 1;\n",
  "src/b.ts": "export const b = 1;\n",
  "src/deep/c.ts": "export const c = 1;\n",
  "d.md": "four\n",
};

const BATCHES = {
  "an edit of one file": { patches: [{ op: "append", file: "a.ts", block: "const z = 26;" }] },
  "an edit, a creation in a new directory and a deletion that empties one": {
    patches: [
      { op: "replace-block", file: "a.ts", start: 1, end: 1, block: "const a = 2;" },
      { op: "create-file", file: "new/dir/e.ts", block: "export {};\n" },
      { op: "delete-file", file: "src/deep/c.ts" },
    ],
  },
  "a rename with an edit, and a rename onto a name whose file goes": {
    patches: [
      { op: "append", file: "a.ts", block: "// moved" },
      { op: "rename-file", file: "a.ts", to: "lib/a.ts" },
      { op: "delete-file", file: "d.md" },
      { op: "rename-file", file: "src/b.ts", to: "d.md" },
    ],
    coordinates: "sequential",
  },
};

const temporaries = (root: string): string[] =>
  readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) => path.includes(".vibehq-"));

describe.each(Object.entries(BATCHES))("killed at any step of %s", (_name, patches) => {
  it("a workspace is wholly old or wholly new, its log agrees, and the next batch works", async () => {
    const pristine = makeRoot(FILES);
    chmodSync(join(pristine, "a.ts"), 0o755);
    const batch = { ...patches, batchId: "crashed" };

    const whole = makeRoot({});
    cpSync(pristine, whole, { recursive: true });
    const steps: string[] = [];
    const engine = await open(whole, { faults: { at: (step) => void steps.push(step) } });
    const applied = await apply(engine, batch);
    expect(applied.error).toBeUndefined();
    const after = tree(whole);
    const before = tree(pristine);
    expect(after).not.toEqual(before);

    for (const [at, step] of steps.entries()) {
      const root = makeRoot({});
      cpSync(pristine, root, { recursive: true });
      const crashed = await crash(root, at + 1, batch);
      expect(crashed, step).toEqual({ signal: "SIGKILL", output: "" });

      const reopened = await open(root);
      const { head, treeHash } = reopened.info();
      expect(tree(root), step).toEqual(head.seq === 1 ? after : before);
      expect(temporaries(root), step).toEqual([]);
      // From the moment the record is written the batch has happened.
      expect(head.seq, step).toBe(step === "checked" ? 0 : 1);
      expect((await reopened.verify()).ok).toBe(true);
      if (head.seq === 1) {
        expect(treeHash).toBe(applied.outcome?.treeHash);
        for (const patch of applied.outcome!.patches) {
          expect(read(root, patch.diff_path!)).toBe(read(whole, patch.diff_path!));
        }
      }
      const again = await apply(reopened, batch);
      expect(again.error, step).toBeUndefined();
      expect(tree(root), step).toEqual(after);
      const next = await apply(reopened, { patches: [{ op: "create-file", file: "next.ts", block: "export {};\n" }] });
      expect(next.head.seq, step).toBe(2);
      expect(existsSync(join(root, "next.ts"))).toBe(true);
      await reopened.close();
    }
  }, 120_000);
});

it("killed again at any step of the recovery, a workspace still comes out wholly new", async () => {
  const batch = {
    ...BATCHES["an edit, a creation in a new directory and a deletion that empties one"],
    batchId: "one",
  };
  const pristine = makeRoot(FILES);
  const whole = makeRoot(FILES);
  await apply(await open(whole), batch);
  const crashed = makeRoot({});
  cpSync(pristine, crashed, { recursive: true });
  // Step 5 is the second temporary file: nothing is renamed yet.
  await crash(crashed, 5, batch);
  let kills = 0;
  for (let step = 1; ; step++) {
    const root = makeRoot({});
    cpSync(crashed, root, { recursive: true });
    if ((await crash(root, step, batch)).signal === null) break;
    kills++;
    const reopened = await open(root);
    expect(tree(root), String(step)).toEqual(tree(whole));
    expect(temporaries(root)).toEqual([]);
    await reopened.close();
  }
  expect(kills).toBeGreaterThan(5);
}, 120_000);
