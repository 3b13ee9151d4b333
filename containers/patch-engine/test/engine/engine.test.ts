import { chmodSync, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { GENESIS_HEAD } from "@shared/contracts";
import { openEngine } from "../../index.ts";
import { verifyEntries } from "../../core/index.ts";
import { apply, makeRoot, open, read, tree, write } from "./tempWorkspace.ts";

const FILES = { "a.ts": "const a = 1;\nconst b = 2;\n", "src/b.ts": "export {};\n" };

describe("a batch", () => {
  it("changes all its files and answers with where each patch landed and what each file became", async () => {
    const root = makeRoot(FILES);
    const engine = await open(root);
    const answer = await apply(engine, {
      batchId: "one",
      patches: [
        { op: "replace-block", file: "a.ts", start: 2, end: 2, block: "const b = 3;" },
        { op: "create-file", file: "deep/er/c.ts", block: "export const c = 1;\n" },
        { op: "delete-file", file: "src/b.ts" },
      ],
    });
    expect(answer.error).toBeUndefined();
    expect(tree(root)).toEqual({
      "a.ts": "const a = 1;\nconst b = 3;\n",
      "deep/": "",
      "deep/er/": "",
      "deep/er/c.ts": "export const c = 1;\n",
    });
    expect(answer.outcome).toMatchObject({ ok: true, status: "applied", batchId: "one", workspaceId: "test" });
    expect(answer.outcome?.patches.map(({ patch_id, landed }) => [patch_id, landed])).toEqual([
      ["one.p1", { start: 2, end: 2 }],
      ["one.p2", { start: 1, end: 1 }],
      ["one.p3", null],
    ]);
    expect(answer.head).toEqual(answer.outcome?.head);
    expect(answer.entries.map(({ seq }) => seq)).toEqual([1]);
    for (const patch of answer.outcome!.patches) expect(read(root, patch.diff_path!)).toContain("diff --git");
    expect(verifyEntries(answer.entries, GENESIS_HEAD)).toMatchObject({ ok: true, head: answer.head });
  });

  it("with one bad patch writes nothing in any file, and says which patch, why, and what stands there", async () => {
    const root = makeRoot(FILES);
    const engine = await open(root);
    const before = tree(root);
    const answer = await apply(engine, {
      patches: [
        { op: "append", file: "src/b.ts", block: "const more = 1;" },
        { op: "replace-block", file: "a.ts", start: 2, end: 2, block: "x", expect: { text: "const gone = 0;" } },
      ],
    });
    expect(answer.ok).toBe(false);
    expect(answer.error).toMatchObject({ code: "STALE_CONTENT", file: "a.ts", nothingWritten: true });
    expect(answer.error?.context?.lines).toContain("const b = 2;");
    expect(answer.outcome?.patches.map(({ status, error }) => [status, error?.code])).toEqual([
      ["failed", "BATCH_REFUSED"],
      ["failed", "STALE_CONTENT"],
    ]);
    expect(tree(root)).toEqual(before);
    expect(engine.info().head).toEqual(GENESIS_HEAD);
    expect(read(root, ".mission_control/log.jsonl")).toBe("");
  });

  it("sent twice has one effect and one answer", async () => {
    const root = makeRoot(FILES);
    const engine = await open(root);
    const batch = { batchId: "once", patches: [{ op: "append", file: "a.ts", block: "const c = 3;" }] };
    const answers = await Promise.all([apply(engine, batch), apply(engine, batch)]);
    const later = await apply(await open(root), batch);
    expect(answers[0].ok).toBe(true);
    expect(answers[1]).toEqual(answers[0]);
    expect(later).toEqual(answers[0]);
    expect(read(root, "a.ts")).toBe(`${FILES["a.ts"]}const c = 3;\n`);
  });

  it("with a known id and another payload is refused", async () => {
    const root = makeRoot(FILES);
    const engine = await open(root);
    await apply(engine, { batchId: "once", patches: [{ op: "append", file: "a.ts", block: "const c = 3;" }] });
    const answer = await apply(engine, {
      batchId: "once",
      patches: [{ op: "append", file: "a.ts", block: "const c = 4;" }],
    });
    expect(answer.error?.code).toBe("IDEMPOTENCY_CONFLICT");
    expect(read(root, "a.ts")).not.toContain("c = 4");
  });

  it("that was refused may be sent again under its id, corrected", async () => {
    const engine = await open(makeRoot(FILES));
    const refused = await apply(engine, { batchId: "id", patches: [{ op: "delete-file", file: "none.ts" }] });
    expect(refused.error?.code).toBe("FILE_NOT_FOUND");
    const applied = await apply(engine, { batchId: "id", patches: [{ op: "delete-file", file: "a.ts" }] });
    expect(applied.ok).toBe(true);
  });

  it("may not use a patch id that the log has", async () => {
    const engine = await open(makeRoot(FILES));
    await apply(engine, { patches: [{ op: "append", file: "a.ts", block: "//", id: "mine" }] });
    const answer = await apply(engine, { patches: [{ op: "append", file: "a.ts", block: "//", id: "mine" }] });
    expect(answer.error).toMatchObject({ code: "CONFLICT", patchId: "mine" });
  });

  it("keeps permission bits, and gives a renamed file those it had", async () => {
    const root = makeRoot({ "run.sh": "#!/bin/sh\n", "old.sh": "#!/bin/sh\n" });
    chmodSync(join(root, "run.sh"), 0o751);
    chmodSync(join(root, "old.sh"), 0o700);
    const engine = await open(root);
    const answer = await apply(engine, {
      patches: [
        { op: "append", file: "run.sh", block: "exit 0" },
        { op: "rename-file", file: "old.sh", to: "bin/new.sh" },
      ],
    });
    expect(answer.error).toBeUndefined();
    expect(statSync(join(root, "run.sh")).mode & 0o7777).toBe(0o751);
    expect(statSync(join(root, "bin/new.sh")).mode & 0o7777).toBe(0o700);
  });

  it("simulated says what it would do and does nothing", async () => {
    const root = makeRoot(FILES);
    const engine = await open(root);
    const before = engine.info();
    const batch = { batchId: "dry", patches: [{ op: "append", file: "a.ts", block: "const c = 3;" }] };
    const answer = await engine.apply({ batch, simulate: true, door: "host" });
    expect(answer).toMatchObject({ ok: true, entries: [], outcome: { status: "dry-run" } });
    expect(answer.outcome?.files[0]?.diff).toContain("+const c = 3;");
    expect(engine.info()).toEqual(before);
    const applied = await apply(engine, batch);
    expect(applied.outcome?.treeHash).toBe(answer.outcome?.treeHash);
  });
});

it("64 batches at once are carried out one after the other, all of them, without holes", async () => {
  const root = makeRoot({ "t.txt": "" });
  const engine = await open(root);
  const names = Array.from({ length: 64 }, (_, at) => `b${at}`);
  const answers = await Promise.all(
    names.map((batchId) =>
      apply(engine, { batchId, patches: [{ op: "append", file: "t.txt", block: `${batchId}\n` }] }),
    ),
  );
  expect(answers.map(({ ok }) => ok)).toEqual(names.map(() => true));
  expect(answers.map(({ head }) => head.seq)).toEqual(names.map((_, at) => at + 1));
  expect(read(root, "t.txt")).toBe(names.map((name) => `${name}\n`).join(""));
  expect(verifyEntries(await engine.entriesAfter(0), GENESIS_HEAD)).toMatchObject({ ok: true, head: { seq: 64 } });
});

describe("bad input", () => {
  const PATCH = { op: "append", file: "a.ts", block: "//" };

  it.each<[string, unknown, string]>([
    ["null", null, "VALIDATION_FAILED"],
    ["a string", "x", "VALIDATION_FAILED"],
    ["no patches", { patches: [] }, "VALIDATION_FAILED"],
    ["an unknown operation", { patches: [{ op: "explode", file: "a.ts" }] }, "VALIDATION_FAILED"],
    ["line 0", { patches: [{ op: "insert-before", file: "a.ts", line: 0, block: "" }] }, "VALIDATION_FAILED"],
    [
      "an end before its start",
      { patches: [{ op: "replace-block", file: "a.ts", start: 2, end: 1 }] },
      "VALIDATION_FAILED",
    ],
    ["a batch id with a slash", { batchId: "a/b", patches: [PATCH] }, "VALIDATION_FAILED"],
    ["a lone surrogate", { patches: [{ ...PATCH, block: "\ud800" }] }, "ILL_FORMED_UNICODE"],
    ["a lone surrogate in a key", { patches: [PATCH], "\udfff": 1 }, "ILL_FORMED_UNICODE"],
    [
      "a blockFile from afar",
      { patches: [{ op: "append", file: "a.ts", blockFile: "/etc/passwd" }] },
      "BLOCK_FILE_REFUSED",
    ],
    ["a missing block", { patches: [{ op: "append", file: "a.ts" }] }, "MISSING_BLOCK"],
    [
      "one patch id twice",
      {
        patches: [
          { ...PATCH, id: "x" },
          { ...PATCH, id: "x" },
        ],
      },
      "VALIDATION_FAILED",
    ],
  ])("is answered, not thrown: %s", async (_what, batch, code) => {
    const root = makeRoot(FILES);
    const engine = await open(root);
    const answer = await engine.apply({ batch, door: "host" });
    expect(answer).toMatchObject({ ok: false, error: { code, nothingWritten: true }, head: GENESIS_HEAD, entries: [] });
    expect(read(root, "a.ts")).toBe(FILES["a.ts"]);
  });
});

describe("expectedHead", () => {
  const append = (batchId: string) => ({ batchId, patches: [{ op: "append", file: "a.ts", block: `// ${batchId}` }] });

  it("lets a call in only where the log stands there, and tells what was missed", async () => {
    const engine = await open(makeRoot(FILES));
    const first = await apply(engine, append("one"));
    const late = await engine.apply({ batch: append("two"), expectedHead: GENESIS_HEAD, door: "host" });
    expect(late.error).toMatchObject({ code: "HEAD_MISMATCH", nothingWritten: true });
    expect(late.head).toEqual(first.head);
    expect(late.entries).toEqual(first.entries);
    const right = await engine.apply({ batch: append("two"), expectedHead: first.head, door: "host" });
    expect(right.ok).toBe(true);
    expect(right.entries.map(({ batchId }) => batchId)).toEqual(["two"]);
  });

  it("does not keep a recorded batch from its answer", async () => {
    const engine = await open(makeRoot(FILES));
    const first = await apply(engine, append("one"));
    await apply(engine, append("two"));
    const again = await engine.apply({ batch: append("one"), expectedHead: GENESIS_HEAD, door: "host" });
    expect(again.outcome).toEqual(first.outcome);
    expect(again.entries.map(({ batchId }) => batchId)).toEqual(["one", "two"]);
  });

  it("of another history brings no entries", async () => {
    const engine = await open(makeRoot(FILES));
    await apply(engine, append("one"));
    const other = { seq: 1, hash: "f".repeat(64) };
    const answer = await engine.apply({ batch: append("two"), expectedHead: other, door: "host" });
    expect(answer.error?.code).toBe("HEAD_MISMATCH");
    expect(answer.entries).toEqual([]);
  });
});

describe("an edit made around the engine", () => {
  const patch = { patches: [{ op: "append", file: "a.ts", block: "// mine" }] };

  it.each([
    ["changed", (root: string) => write(root, "a.ts", "other\n"), "changed outside"],
    ["made executable", (root: string) => chmodSync(join(root, "a.ts"), 0o755), "executable outside"],
  ])("is refused as stale where the file was %s", async (_what, change, message) => {
    const root = makeRoot(FILES);
    const engine = await open(root);
    const { treeHash } = engine.info();
    change(root);
    const standing = read(root, "a.ts");
    const answer = await apply(engine, patch);
    expect(answer.error).toMatchObject({ code: "STALE_CONTENT", file: "a.ts" });
    expect(answer.error?.message).toContain(message);
    expect(answer.error?.currentSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(read(root, "a.ts")).toBe(standing);
    expect(engine.info().treeHash).toBe(treeHash);
  });

  it("is refused as stale where a file was made, and leaves other files open to patches", async () => {
    const root = makeRoot(FILES);
    const engine = await open(root);
    write(root, "new.ts", "x\n");
    const refused = await apply(engine, { patches: [{ op: "append", file: "new.ts", block: "y" }] });
    expect(refused.error?.code).toBe("STALE_CONTENT");
    expect((await apply(engine, patch)).ok).toBe(true);
  });
});

describe("the log", () => {
  it("is shared: what another engine wrote is seen before the next edit is planned", async () => {
    const root = makeRoot(FILES);
    const [one, two] = [await open(root), await open(root)];
    await apply(one, { patches: [{ op: "create-file", file: "n.ts", block: "const n = 1;\n" }] });
    const answer = await apply(two, { patches: [{ op: "append", file: "n.ts", block: "const m = 2;" }] });
    expect(answer.error).toBeUndefined();
    expect(answer.head.seq).toBe(2);
    expect(read(root, "n.ts")).toBe("const n = 1;\nconst m = 2;\n");
    await apply(one, { patches: [{ op: "delete-file", file: "a.ts" }] });
    expect(two.info().head.seq).toBe(2);
    expect((await two.entriesAfter(0)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(two.info()).toEqual(one.info());
  });

  it("cut off in its last line is cut back to the last whole entry", async () => {
    const root = makeRoot(FILES);
    const first = await open(root);
    await apply(first, { batchId: "one", patches: [{ op: "append", file: "a.ts", block: "// 1" }] });
    await first.close();
    const log = read(root, ".mission_control/log.jsonl");
    const next = log.replace('"seq":1', '"seq":2').slice(0, -1);
    for (const cut of [1, 2, 100, next.length - 1, next.length]) {
      write(root, ".mission_control/log.jsonl", log + next.slice(0, cut));
      const engine = await open(root);
      expect(engine.info().head.seq).toBe(1);
      expect(read(root, ".mission_control/log.jsonl")).toBe(log);
      await engine.close();
    }
    const engine = await open(root);
    expect((await apply(engine, { patches: [{ op: "append", file: "a.ts", block: "// 2" }] })).head.seq).toBe(2);
  });

  it("with any byte of a former entry changed, or an applied entry gone, is refused and left alone", async () => {
    const root = makeRoot(FILES);
    const first = await open(root);
    for (const id of ["one", "two"]) {
      await apply(first, { batchId: id, patches: [{ op: "append", file: "a.ts", block: `// ${id}` }] });
    }
    await first.close();
    const log = read(root, ".mission_control/log.jsonl");
    const lines = log.split("\n");
    const damaged = [
      log.replace("// one", "// 0ne"),
      log.replace('"requester":"agent"', '"requester":"admin"'),
      log.replace("\n", " "),
      `${lines[1]}\n`,
      `${lines[1]}\n${lines[0]}\n`,
      `${lines[0]}\n`,
      `${lines[0]}\n${lines[1]!.slice(0, 50)}`,
      log.replace("// two", "// tw0"),
      "",
    ];
    for (const text of damaged) {
      write(root, ".mission_control/log.jsonl", text);
      const opened = await openEngine({ root, workspaceId: "test" });
      expect(opened).toMatchObject({ ok: false, error: { code: "LOG_CORRUPT" } });
      expect(read(root, ".mission_control/log.jsonl")).toBe(text);
    }
  });

  it("finds a patch by its id, and verifies from its first entry", async () => {
    const engine = await open(makeRoot(FILES));
    const { head } = await apply(engine, { patches: [{ op: "append", file: "a.ts", block: "//", id: "mine" }] });
    expect(await engine.patch("mine")).toMatchObject({ ok: true, patch: { op: "append" }, entry: { seq: 1 } });
    expect(await engine.patch("other")).toMatchObject({ ok: false, error: { code: "PATCH_NOT_FOUND" } });
    expect(await engine.verify()).toEqual({ ok: true, head });
  });
});

describe("a workspace rebuilt from its source", () => {
  it("replays the log to the same tree, and knows the batch ids", async () => {
    const original = makeRoot(FILES);
    const engine = await open(original);
    const batch = {
      batchId: "one",
      patches: [
        { op: "rename-file", file: "a.ts", to: "lib/a.ts" },
        { op: "append", file: "a.ts", block: "// moved" },
        { op: "create-file", file: "c.sh", block: "x\n" },
      ],
    };
    const applied = await apply(engine, batch);
    await apply(engine, { patches: [{ op: "delete-file", file: "src/b.ts" }] });
    const { treeHash, head } = engine.info();
    const entries = await engine.entriesAfter(0);

    const copy = makeRoot(FILES);
    const rebuilt = await open(copy);
    expect(await rebuilt.replay(entries, treeHash)).toEqual({ ok: true, head, treeHash });
    expect(tree(copy)).toEqual(tree(original));
    expect((await apply(rebuilt, batch)).outcome).toEqual(applied.outcome);
    expect(await rebuilt.replay(entries, treeHash)).toEqual({ ok: true, head, treeHash });
  });

  it("refuses entries of another source, a broken chain and another tree, and writes nothing", async () => {
    const engine = await open(makeRoot(FILES));
    await apply(engine, { patches: [{ op: "append", file: "a.ts", block: "// 1" }] });
    const entries = await engine.entriesAfter(0);
    const { treeHash } = engine.info();
    const root = makeRoot({ ...FILES, "a.ts": "another\n" });
    const other = await open(root);
    expect(await other.replay(entries, treeHash)).toMatchObject({ error: { code: "TREE_MISMATCH" } });
    const same = await open(makeRoot(FILES));
    expect(await same.replay(entries, "0".repeat(64))).toMatchObject({ error: { code: "TREE_MISMATCH" } });
    const forged = entries.map((entry) => ({ ...entry, requester: "forged" }));
    expect(await same.replay(forged, treeHash)).toMatchObject({ error: { code: "CHAIN_BROKEN" } });
    expect(same.info().head.seq).toBe(0);
    expect(read(root, "a.ts")).toBe("another\n");
  });
});

describe("a revert", () => {
  it("restores every byte and is idempotent", async () => {
    const root = makeRoot(FILES);
    const engine = await open(root);
    const before = tree(root);
    await apply(engine, {
      batchId: "one",
      patches: [
        { op: "replace-block", file: "a.ts", start: 1, end: 1, block: "const a = 9;" },
        { op: "delete-file", file: "src/b.ts" },
        { op: "create-file", file: "new/c.ts", block: "export {};\n" },
      ],
    });
    const request = { target: { by: "batch", id: "one" }, batchId: "undo", door: "host" } as const;
    const answer = await engine.revert(request);
    expect(answer.error).toBeUndefined();
    expect(tree(root)).toEqual(before);
    expect(answer.entries[0]).toMatchObject({ kind: "revert", reverts: { target: { by: "batch", id: "one" } } });
    expect(await engine.revert(request)).toEqual(answer);
    expect((await engine.revert({ ...request, batchId: "undo-2" })).error?.code).toBe("ALREADY_REVERTED");
    expect(existsSync(join(root, ".mission_control/patches/one.p1.diff"))).toBe(true);
  });
});

describe("an engine that is closed", () => {
  it("finishes what was asked and refuses what comes later", async () => {
    const root = makeRoot(FILES);
    const engine = await open(root);
    const asked = apply(engine, { patches: [{ op: "append", file: "a.ts", block: "// 1" }] });
    await engine.close();
    expect((await asked).ok).toBe(true);
    const late = await apply(engine, { patches: [{ op: "append", file: "a.ts", block: "// 2" }] });
    expect(late.error?.code).toBe("SHUTTING_DOWN");
    expect(read(root, "a.ts")).not.toContain("// 2");
  });
});
