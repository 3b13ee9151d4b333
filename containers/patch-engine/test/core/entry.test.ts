import { describe, expect, test } from "vitest";
import { GENESIS_HEAD, type LogEntry } from "@shared/contracts";
import { applyEntry, entryHash, pathsOfEntry, verifyEntries, type FileSnapshot } from "../../core/index.ts";
import { snapshots } from "./arbitraries.ts";
import { MemoryWorkspace } from "./log.ts";

const FILES = { "a.ts": "one\ntwo\nthree\n", "b.ts": "b\n", "c.ts": "c" };

function workspace(): MemoryWorkspace {
  const made = new MemoryWorkspace(FILES);
  const metadata = { provider: "p", model: "m", confidence: 0.5 };
  made.apply({
    patches: [{ op: "replace-block", file: "a.ts", start: 2, end: 2, block: "TWO", taskId: "T", metadata }],
  });
  made.apply({
    patches: [
      { op: "rename-file", file: "b.ts", to: "d/b.ts" },
      { op: "delete-file", file: "c.ts" },
      { op: "create-file", file: "n.ts", block: "n\n" },
    ],
  });
  made.revert({ by: "batch", id: "batch-1" });
  return made;
}

/** Every way to change one leaf of a value. */
function tamperings(value: unknown, path: (string | number)[] = []): { path: (string | number)[]; to: unknown }[] {
  if (Array.isArray(value)) {
    return [...value.flatMap((item, i) => tamperings(item, [...path, i])), { path, to: [...value, "extra"] }];
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, item]) => tamperings(item, [...path, key]));
  }
  if (typeof value === "number") return [{ path, to: value + 1 }];
  if (typeof value === "string") return [{ path, to: /^[0-9a-f]{64}$/.test(value) ? "f".repeat(64) : `${value}x` }];
  return [{ path, to: value === null ? "x" : !value }];
}

function changed(entries: readonly LogEntry[], path: (string | number)[], to: unknown): LogEntry[] {
  const copy: LogEntry[] = structuredClone([...entries]);
  let at: unknown = copy;
  for (const key of path.slice(0, -1)) at = (at as Record<string | number, unknown>)[key];
  (at as Record<string | number, unknown>)[path.at(-1)!] = to;
  return copy;
}

describe("the log's chain", () => {
  test("verifies from where it begins to its head, and from any entry on", () => {
    const { entries } = workspace();
    const last = entries.at(-1)!;
    expect(verifyEntries(entries, GENESIS_HEAD)).toEqual({ ok: true, head: { seq: 3, hash: last.hash } });
    expect(verifyEntries(entries.slice(1), { seq: 1, hash: entries[0]!.hash }).ok).toBe(true);
    expect(verifyEntries([], GENESIS_HEAD)).toEqual({ ok: true, head: GENESIS_HEAD });
  });

  test("any one field changed in any entry is found, and the first broken link is named", () => {
    const entries: LogEntry[] = JSON.parse(JSON.stringify(workspace().entries));
    const all = tamperings(entries).filter(({ path }) => path.length > 0);
    expect(all.length).toBeGreaterThan(150);
    for (const { path, to } of all) {
      const verdict = verifyEntries(changed(entries, path, to), GENESIS_HEAD);
      expect(verdict, path.join(".")).toMatchObject({ ok: false, seq: Number(path[0]) + 1 });
    }
  });

  test("an entry left out, doubled, moved or rehashed is found", () => {
    const { entries } = workspace();
    const [first, second, third] = entries as [LogEntry, LogEntry, LogEntry];
    const forged = { ...second, reason: "forged" };
    const rehashed = { ...forged, hash: entryHash(forged) };
    const cases: [LogEntry[], number][] = [
      [[second, third], 1],
      [[first, third], 2],
      [[first, first, second], 2],
      [[first, third, second], 2],
      [[first, rehashed, third], 3],
    ];
    for (const [chain, seq] of cases) expect(verifyEntries(chain, GENESIS_HEAD)).toMatchObject({ ok: false, seq });
  });

  test("an entry that begins with another tree than the one before left is found", () => {
    const { entries } = workspace();
    const [first, second] = entries as [LogEntry, LogEntry];
    const forged = { ...second, treeBefore: "0".repeat(64) };
    expect(verifyEntries([first, { ...forged, hash: entryHash(forged) }], GENESIS_HEAD)).toMatchObject({
      ok: false,
      seq: 2,
    });
  });
});

describe("replay", () => {
  test("of all entries makes the tree that they left", () => {
    const made = workspace();
    const files = snapshots(FILES);
    for (const entry of made.entries) {
      const replayed = applyEntry(entry, files);
      if (!replayed.ok) throw new Error(replayed.error.message);
      expect([...replayed.changes.keys()].toSorted()).toEqual(pathsOfEntry(entry).toSorted());
      for (const [path, effect] of replayed.changes) files.set(path, effect);
    }
    expect([...files].filter(([, file]) => file)).toEqual([...made.files].filter(([, file]) => file));
  });

  test("is refused where a file is not what the entry began with, is missing, or does not become what it left", () => {
    const [first] = workspace().entries as [LogEntry];
    const replay = (entry: LogEntry, files: Map<string, FileSnapshot | null>) => applyEntry(entry, files);
    expect(replay(first, snapshots({ ...FILES, "a.ts": "other\n" }))).toMatchObject({
      error: { code: "TREE_MISMATCH", file: "a.ts" },
    });
    expect(replay(first, new Map())).toMatchObject({ error: { code: "TREE_MISMATCH", file: "a.ts" } });
    const forged = structuredClone(first);
    forged.files[0]!.splices[0]!.new = "THREE";
    expect(replay(forged, snapshots(FILES))).toMatchObject({ error: { code: "TREE_MISMATCH" } });
    const moved = structuredClone(first);
    moved.files[0]!.splices[0]!.old = "tow";
    expect(replay(moved, snapshots(FILES))).toMatchObject({ error: { code: "TREE_MISMATCH" } });
  });
});
