import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cp, readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readdirSync } from "node:fs";
import { text } from "node:stream/consumers";
import { verifyEntries } from "patch-engine/core";
import { GENESIS_HEAD, LogEntrySchema, PATCH_OPS, type PatchOperationInput } from "@shared/contracts";
import { create } from "tar";
import { expect, test } from "vitest";
import { z } from "zod";
import { applyBatch, openWorkspace, startHost, workspaceOf, workspacePath } from "./support/host.ts";
import { parseFile, printFile, type Model } from "./support/lineModel.ts";
import { PatchGenerator } from "./support/patchGenerator.ts";
import { temporaryDirectory, writeTree } from "./support/tree.ts";

/** Of the published package: about 330 TypeScript files that people wrote, tests and all. */
const zodPackage = dirname(createRequire(import.meta.url).resolve("zod/package.json"));

const SEED = 20_261_121;
const BATCHES = 8;
const PATCHES_PER_BATCH = 25;

/** Relative path → SHA-256 of every file, without the engine's own. */
async function hashes(root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(root.length + 1);
    if (!entry.isFile() || path.startsWith(".mission_control/")) continue;
    found.set(path, sha256(await readFile(join(root, path))));
  }
  return new Map([...found].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const sha256 = (bytes: string | Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

async function gitApply(cwd: string, diff: string): Promise<void> {
  const child = spawn("git", ["apply", "--whitespace=nowarn", "-"], {
    cwd,
    env: { PATH: process.env.PATH ?? "", GIT_CEILING_DIRECTORIES: dirname(cwd), GIT_CONFIG_NOSYSTEM: "1", HOME: cwd },
  });
  child.stdin.end(diff);
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
}

test("200 patches on zod's sources give what a line model and git apply give, and revert to every byte", async () => {
  const directory = await temporaryDirectory();
  const pristine = join(directory, "zod");
  // A copy, as a package store links files of equal content to each other, and a packed link is no file.
  await cp(zodPackage, pristine, { recursive: true });
  const archive = join(directory, "zod.tgz");
  await create({ gzip: true, portable: true, cwd: pristine, prefix: "package/", file: archive }, readdirSync(pristine));

  const host = await startHost({ dataDir: join(directory, "data"), sourceRoots: [directory] });
  const base64 = (await readFile(archive)).toString("base64");
  const { workspace } = await openWorkspace(host, "zod", { kind: "archive", base64 });
  const [name] = readdirSync(join(directory, "data/workspaces"));
  const root = join(directory, "data/workspaces", name!);
  // Random edits put comments where declarations were, which is what the omission gate is for.
  await writeTree(root, { ".mission_control/policy.json": '{"gates":{"omission":"off"}}' });
  const before = await hashes(pristine);
  expect(await hashes(root)).toEqual(before);

  const model: Model = new Map();
  for (const path of before.keys()) {
    if (!/^src\/.*\.ts$/.test(path)) continue;
    const content = await readFile(join(pristine, path), "utf8");
    expect(content).not.toContain("\r");
    model.set(path, parseFile(content));
  }
  expect(model.size).toBeGreaterThan(200);

  const generator = new PatchGenerator(model, SEED);
  const sent: { batchId: string; patches: PatchOperationInput[] }[] = [];
  for (let i = 0; i < BATCHES; i++) {
    const coordinates = i % 3 === 2 ? "sequential" : "original";
    const patches = generator[coordinates](PATCHES_PER_BATCH);
    const batchId = `B-${i}`;
    const answer = await applyBatch(host, "zod", { batchId, coordinates, check: "none", requester: "test", patches });
    await gitApply(pristine, answer.outcome!.files.map((file) => file.diff).join(""));
    sent.push({ batchId, patches });
  }

  const all = sent.flatMap((batch) => batch.patches);
  expect(all).toHaveLength(200);
  expect(new Set(all.map((patch) => patch.file)).size).toBeGreaterThan(100);
  expect(new Set(all.map((patch) => patch.op))).toEqual(new Set(PATCH_OPS.filter((op) => op !== "apply-diff")));

  const expected = new Map([...before].filter(([path]) => !/^src\/.*\.ts$/.test(path)));
  for (const [path, file] of model) expected.set(path, sha256(printFile(file)));
  const after = await hashes(root);
  expect(after).toEqual(new Map([...expected].toSorted(([a], [b]) => (a < b ? -1 : 1))));
  expect(await hashes(pristine)).toEqual(after);

  const { body } = await host.request("GET", workspacePath("zod", "/log?limit=1000"));
  const { entries } = z.object({ entries: z.array(LogEntrySchema) }).parse(body);
  expect(verifyEntries(entries, GENESIS_HEAD)).toMatchObject({ ok: true });

  const revert = async (by: "batch" | "patch", id: string) => {
    const request = { target: { by, id }, batchId: `R-${by}-${id}` };
    const response = await host.request("POST", workspacePath("zod", "/revert"), request);
    expect(response.body).not.toHaveProperty("error");
  };
  for (const { batchId } of sent.toReversed()) await revert("batch", batchId);
  expect(await hashes(root)).toEqual(before);
  expect((await workspaceOf(host, "zod")).treeHash).toBe(workspace.treeHash);
});
