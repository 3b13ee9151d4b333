import { createHash } from "node:crypto";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { Header } from "tar";
import { describe, expect, it } from "vitest";
import { hashOf } from "../../core/index.ts";
import { sha256Of, tarBlocks, type SnapshotManifest } from "../../history/archive.ts";
import { rebuild, restoreSnapshot } from "../../index.ts";
import { apply, makeRoot, open, read, tree, write } from "../engine/tempWorkspace.ts";

const LONG = `${"deep/".repeat(30)}${"n".repeat(90)}.txt`;
const FILES = {
  "a.ts": "const a = 1;\nconst b = 2;\n",
  "run.sh": "#!/bin/sh\n",
  "naïve 𝒶.txt": "é\r\n",
  "empty.txt": "",
  [LONG]: "long\n",
};

/** A workspace with a history, and its snapshot. */
async function snapshotted() {
  const root = makeRoot(FILES);
  chmodSync(join(root, "run.sh"), 0o755);
  write(root, ".mission_control/policy.json", JSON.stringify({ v: 1, gates: { syntax: "warn" } }));
  const engine = await open(root);
  await apply(engine, { batchId: "one", patches: [{ op: "append", id: "p1", file: "a.ts", block: "// one" }] });
  await apply(engine, {
    batchId: "two",
    patches: [
      { op: "rename-file", id: "p2", file: "a.ts", to: "lib/a.ts" },
      { op: "create-file", id: "p3", file: "new.ts", block: "export {};\n" },
    ],
  });
  const archive = join(makeRoot({}), "ws.tar.gz");
  const written = await engine.snapshot(archive);
  if (!written.ok) throw new Error(written.error.message);
  return { root, engine, archive, manifest: written.manifest };
}

interface Part {
  name: string;
  bytes: Buffer;
  type?: "SymbolicLink" | "Link" | "CharacterDevice" | "Directory";
}

/** The parts of a snapshot without names longer than a tar header's. */
function partsOf(archive: string): Part[] {
  const bytes = gunzipSync(readFileSync(archive));
  const parts: Part[] = [];
  let extended = "";
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0;) {
    const header = new Header(bytes, at);
    const size = header.size ?? 0;
    const body = bytes.subarray(at + 512, at + 512 + size);
    if (header.type === "ExtendedHeader") extended = /path=(.*)\n/u.exec(body.toString())?.[1] ?? "";
    else parts.push({ name: extended || (header.path ?? ""), bytes: Buffer.from(body) });
    if (header.type !== "ExtendedHeader") extended = "";
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return parts;
}

function pack(parts: readonly Part[]): string {
  const blocks = parts.flatMap(({ name, bytes, type }) => {
    if (type === undefined) return [...tarBlocks(name, bytes, "100644")];
    const header = new Header({ path: name, type, linkpath: "/etc/passwd", size: 0, mode: 0o644 });
    header.encode();
    return [header.block!];
  });
  const archive = join(makeRoot({}), "made.tar.gz");
  writeFileSync(archive, gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)])));
  return archive;
}

/** Parts whose manifest is true again: what someone makes who can compute hashes. */
function resealed(parts: readonly Part[], change: Partial<SnapshotManifest> = {}): Part[] {
  const [first, ...rest] = parts;
  const old = JSON.parse(first!.bytes.toString()) as SnapshotManifest;
  const modes = new Map(old.entries.map(({ name, mode }) => [name, mode]));
  const entries = rest.map(({ name, bytes }) => ({
    name,
    mode: modes.get(name) ?? ("100644" as const),
    sha256: sha256Of(bytes),
  }));
  const manifest = { ...old, entries, content: hashOf(entries), ...change };
  return [{ name: first!.name, bytes: Buffer.from(JSON.stringify(manifest)) }, ...rest];
}

const change = (parts: readonly Part[], name: string, to: (bytes: Buffer) => Buffer | string): Part[] =>
  parts.map((part) => (part.name === name ? { name, bytes: Buffer.from(to(part.bytes)) } : part));

describe("a snapshot", () => {
  it("restores tree, modes, log, policy and the power to revert, and snapshots to the same bytes again", async () => {
    const { root, engine, archive, manifest } = await snapshotted();
    const into = join(makeRoot({}), "not/there/yet");
    const restored = await restoreSnapshot(archive, into);
    expect(restored).toEqual({ ok: true, manifest });
    expect(tree(into)).toEqual(tree(root));
    expect(statSync(join(into, "run.sh")).mode & 0o777).toBe(0o755);
    expect(read(into, ".mission_control/policy.json")).toBe(read(root, ".mission_control/policy.json"));
    expect(read(into, ".mission_control/patches/p1.diff")).toBe(read(root, ".mission_control/patches/p1.diff"));

    const copy = await open(into);
    expect(copy.info()).toEqual(engine.info());
    expect(await copy.entriesAfter(0)).toEqual(await engine.entriesAfter(0));
    const again = join(makeRoot({}), "again.tar.gz");
    await copy.snapshot(again);
    const digest = (path: string) =>
      createHash("sha256")
        .update(gunzipSync(readFileSync(path)))
        .digest("hex");
    expect(digest(again)).toBe(digest(archive));

    const repeated = await apply(copy, {
      batchId: "one",
      patches: [{ op: "append", id: "p1", file: "a.ts", block: "// one" }],
    });
    expect(repeated.outcome).toMatchObject({ status: "applied", head: { seq: 1 } });
    const target = { by: "batch" as const, id: "one" };
    const reverted = await copy.revert({ target, batchId: "undo", door: "host" });
    expect(reverted.error).toBeUndefined();
    expect(read(into, "lib/a.ts")).toBe(FILES["a.ts"]);
  });

  it("is refused where a file is not as the log left it, or something stands in its place", async () => {
    const { root, engine, archive } = await snapshotted();
    expect(await engine.snapshot(archive)).toMatchObject({ error: { code: "FILE_EXISTS" } });
    write(root, "new.ts", "theirs\n");
    const target = join(makeRoot({}), "x.tar.gz");
    expect(await engine.snapshot(target)).toMatchObject({ error: { code: "STALE_CONTENT", file: "new.ts" } });
    expect(existsSync(target)).toBe(false);
  });

  it("is not restored over files", async () => {
    const { archive } = await snapshotted();
    const into = makeRoot({ "mine.txt": "mine\n" });
    expect(await restoreSnapshot(archive, into)).toMatchObject({ error: { code: "FILE_EXISTS" } });
    expect(tree(into)).toEqual({ "mine.txt": "mine\n" });
  });

  const logLine = (bytes: Buffer, at: number, edit: (line: string) => string): string => {
    const lines = bytes.toString().split("\n");
    lines[at] = edit(lines[at] ?? "");
    return lines.join("\n");
  };

  it.each<[string, (parts: Part[]) => Part[], string]>([
    ["a changed file", (parts) => change(parts, "tree/new.ts", () => "let evil;\n"), "not the one that was written"],
    [
      "a changed file and a manifest to fit",
      (parts) => resealed(change(parts, "tree/new.ts", () => "let evil;\n")),
      "not what its log says",
    ],
    ["a missing file", (parts) => parts.slice(0, -1), "is missing"],
    ["a missing file and a manifest to fit", (parts) => resealed(parts.slice(0, -1)), "not what its log says"],
    [
      "a file that the log does not know",
      (parts) => resealed([...parts, { name: "tree/more.ts", bytes: Buffer.from("x") }]),
      "knows nothing",
    ],
    ["a file after the last", (parts) => [...parts, { name: "tree/more.ts", bytes: Buffer.from("x") }], "listed next"],
    ["another order", (parts) => [parts[0]!, parts[2]!, parts[1]!, ...parts.slice(3)], "listed next"],
    [
      "a log entry that was changed, and a manifest to fit",
      (parts) =>
        resealed(change(parts, "log.jsonl", (bytes) => logLine(bytes, 0, (line) => line.replace("// one", "// two")))),
      "entry 1",
    ],
    [
      "a log that was cut, and a manifest to fit",
      (parts) => resealed(change(parts, "log.jsonl", (bytes) => logLine(bytes, 1, () => ""))),
      "does not end where",
    ],
    ["another head", (parts) => resealed(parts, { head: { seq: 2, hash: "a".repeat(64) } }), "does not end where"],
    ["another tree", (parts) => resealed(parts, { treeHash: "a".repeat(64) }), "does not lead to"],
    [
      "a path that leads out",
      (parts) => resealed([...parts, { name: "tree/../../out", bytes: Buffer.from("x") }]),
      "forbidden name",
    ],
    ["an absolute path", (parts) => resealed([...parts, { name: "/out", bytes: Buffer.from("x") }]), "forbidden name"],
    [
      "a path into the engine's folder",
      (parts) => resealed([...parts, { name: "tree/.mission_control/done", bytes: Buffer.from("x") }]),
      "forbidden name",
    ],
    [
      "a hook of git",
      (parts) => resealed([...parts, { name: "tree/.git/hooks/pre-commit", bytes: Buffer.from("x") }]),
      "forbidden name",
    ],
    [
      "a name twice",
      (parts) => resealed([...parts, { name: "tree/new.ts", bytes: Buffer.from("x") }]),
      "two entries have one name",
    ],
    [
      "a symbolic link",
      (parts) => [...parts, { name: "tree/l", bytes: Buffer.alloc(0), type: "SymbolicLink" }],
      "plain",
    ],
    ["a hard link", (parts) => [...parts, { name: "tree/l", bytes: Buffer.alloc(0), type: "Link" }], "plain file"],
    ["a device", (parts) => [...parts, { name: "tree/l", bytes: Buffer.alloc(0), type: "CharacterDevice" }], "damaged"],
    ["no manifest", (parts) => parts.slice(1), "first entry"],
    ["nothing", () => [], "damaged"],
  ])("with %s is refused, and nothing is left behind", async (_what, tamper, why) => {
    const { archive } = await snapshotted();
    const parent = makeRoot({});
    const refused = await restoreSnapshot(pack(tamper(partsOf(archive))), join(parent, "into"));
    expect(refused).toMatchObject({ ok: false, error: { nothingWritten: true } });
    if (!refused.ok) expect(refused.error.message).toContain(why);
    expect(readdirSync(parent)).toEqual([]);
  });

  it("that is cut off, or no archive, is refused", async () => {
    const { archive } = await snapshotted();
    const bytes = readFileSync(archive);
    for (const broken of [bytes.subarray(0, bytes.length >> 1), Buffer.from("hello"), gzipSync(bytes)]) {
      const path = join(makeRoot({}), "broken.tar.gz");
      writeFileSync(path, broken);
      const into = join(makeRoot({}), "into");
      expect(await restoreSnapshot(path, into)).toMatchObject({ ok: false, error: { code: "SOURCE_INVALID" } });
      expect(existsSync(into)).toBe(false);
    }
  });
});

describe("a workspace rebuilt from its source and log", () => {
  it("is the same to the last byte, and says which file of the source is no longer what it was", async () => {
    const { root, engine } = await snapshotted();
    const history = await engine.history();
    if (!history.ok) throw new Error(history.error.message);
    const source = makeRoot(FILES);
    chmodSync(join(source, "run.sh"), 0o755);
    const into = makeRoot({});
    expect(await rebuild(history, source, into)).toMatchObject({
      ok: true,
      head: engine.info().head,
      treeHash: engine.info().treeHash,
    });
    expect(tree(into)).toEqual(tree(root));

    write(source, "empty.txt", "no longer\n");
    expect(await rebuild(history, source, makeRoot({}))).toMatchObject({
      error: { code: "SOURCE_INVALID", file: "empty.txt" },
    });
  });
});
