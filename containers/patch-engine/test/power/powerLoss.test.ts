import { describe, expect, it, vi } from "vitest";
import { makeRoot } from "../engine/tempWorkspace.ts";
import { diskFailures } from "./diskFailures.ts";
import { endAnywhere, record } from "./lab.ts";
import { MUTANTS, withoutSync } from "./mutants.ts";

vi.mock("node:fs", async () => (await import("./recordingFs.ts")).recordingFs());

const FILES = {
  "a.ts": "const a = 1;\n",
  "src/b.ts": "export const b = 1;\n",
  "src/deep/c.ts": "let c;\n",
  "d.md": "4\n",
};
const NEXT = { batchId: "next", patches: [{ op: "create-file", file: "next/one.ts", block: "export {};\n" }] };

const SCENARIOS = {
  "two edits of one file": [
    { batchId: "1", patches: [{ op: "append", file: "a.ts", block: "// one" }] },
    { batchId: "2", patches: [{ op: "prepend", file: "a.ts", block: "// two" }] },
  ],
  "edits of two files, one after the other": [
    { batchId: "1", patches: [{ op: "append", file: "a.ts", block: "// one" }] },
    { batchId: "2", patches: [{ op: "append", file: "src/b.ts", block: "// two" }] },
    { batchId: "3", patches: [{ op: "append", file: "d.md", block: "three" }] },
  ],
  "an edit, a creation in a new directory and a deletion that empties one": [
    {
      batchId: "1",
      patches: [
        { op: "append", file: "a.ts", block: "// one" },
        { op: "create-file", file: "new/dir/e.ts", block: "export {};\n" },
        { op: "delete-file", file: "src/deep/c.ts" },
      ],
    },
    { batchId: "2", patches: [{ op: "append", file: "new/dir/e.ts", block: "// two" }] },
  ],
  "a rename into a new directory, and an edit of what was renamed": [
    { batchId: "1", patches: [{ op: "rename-file", file: "a.ts", to: "lib/deep/a.ts" }] },
    { batchId: "2", patches: [{ op: "append", file: "lib/deep/a.ts", block: "// two" }] },
  ],
  "a rename onto the name of a file that goes, and a new file in the old name": [
    {
      batchId: "1",
      coordinates: "sequential",
      patches: [
        { op: "delete-file", file: "d.md" },
        { op: "rename-file", file: "a.ts", to: "d.md" },
      ],
    },
    { batchId: "2", patches: [{ op: "create-file", file: "a.ts", block: "export {};\n" }] },
  ],
};

describe.each(Object.entries(SCENARIOS))("when the power fails anywhere in %s", (_name, batches) => {
  it("a workspace is wholly old or wholly new, nothing acknowledged is lost, and the next batch works", async () => {
    const recorded = await record(makeRoot(FILES), batches);
    const { states, broken } = await endAnywhere(recorded, recorded.operations, NEXT);
    expect(broken.slice(0, 10)).toEqual([]);
    expect(states).toBeGreaterThan(50);
  }, 120_000);
});

it("a batch of one file costs two syncs, its record and its bytes, and no more", async () => {
  const { operations } = await record(makeRoot(FILES), SCENARIOS["two edits of one file"]);
  const first = operations.findIndex(({ kind }) => kind === "acknowledged");
  const second = operations.slice(first).filter(({ kind }) => kind.startsWith("sync"));
  expect(second.map(({ kind }) => kind)).toEqual(["sync", "sync"]);
});

describe("the matrix sees a mutant of the engine", () => {
  const renamed = SCENARIOS["a rename into a new directory, and an edit of what was renamed"];

  it("that leaves out any one of its syncs", async () => {
    const recorded = await record(makeRoot(FILES), renamed);
    const syncs = recorded.operations.flatMap(({ kind }, at) => (kind.startsWith("sync") ? [at] : []));
    expect(syncs.length).toBeGreaterThan(7);
    const survivors: string[] = [];
    for (const at of syncs) {
      const { broken } = await endAnywhere(recorded, withoutSync(recorded.operations, at), NEXT, true);
      if (broken.length === 0) survivors.push(JSON.stringify(recorded.operations[at]));
    }
    expect(survivors).toEqual([]);
  }, 120_000);

  it.each(Object.entries(MUTANTS))(
    "that %s",
    async (_does, mutate) => {
      const recorded = await record(makeRoot(FILES), renamed);
      const mutated = mutate(recorded.operations);
      expect(mutated).not.toEqual(recorded.operations);
      const { broken } = await endAnywhere(recorded, mutated, NEXT, true);
      expect(broken).toHaveLength(1);
    },
    60_000,
  );
});

describe.each(["ENOSPC", "EACCES", "EIO"])("%s at any operation of a batch", (code) => {
  it.each([
    ["once", "an edit, a creation in a new directory and a deletion that empties one"],
    ["from then on", "an edit, a creation in a new directory and a deletion that empties one"],
    ["once", "a rename onto the name of a file that goes, and a new file in the old name"],
    ["from then on", "a rename onto the name of a file that goes, and a new file in the old name"],
  ] as const)(
    "%s, in %s, leaves it undone or finished, says which, and the same batch then works",
    async (when, of) => {
      const { failed, broken } = await diskFailures(
        () => makeRoot(FILES),
        SCENARIOS[of],
        code,
        when === "from then on",
      );
      expect(broken).toEqual([]);
      expect(failed).toBeGreaterThan(12);
    },
    60_000,
  );
});
