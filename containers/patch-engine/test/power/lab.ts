import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineAnswer } from "@shared/contracts";
import { openEngine, type Engine } from "../../index.ts";
import { BOOT_ID } from "../../workspace/WorkspaceLock.ts";
import { tree } from "../engine/tempWorkspace.ts";
import { startRecording, stopRecording, type Operation } from "./recordingFs.ts";
import { keyOf, lossesAfter, type Content, type Loss } from "./shadowDisk.ts";

export interface Recorded {
  initial: Content;
  operations: Operation[];
  /** The tree after each entry, the first before any. */
  trees: Record<string, string>[];
  hashes: string[];
}

export async function opened(root: string): Promise<Engine> {
  let minted = 0;
  const engine = await openEngine({ root, workspaceId: "lab", mintId: () => `minted-${++minted}`, lockTimeoutMs: 0 });
  if (!engine.ok) throw new Error(`${engine.error.code}: ${engine.error.message}`);
  return engine.engine;
}

export function contentOf(root: string): Content {
  const content: Content = new Map();
  for (const entry of readdirSync(root, { withFileTypes: true, recursive: true })) {
    const full = join(entry.parentPath, entry.name);
    const path = full.slice(root.length + 1);
    content.set(path, entry.isDirectory() ? null : { bytes: readFileSync(full), mode: lstatSync(full).mode & 0o7777 });
  }
  return content;
}

/** Opens a root and applies batches, one after the other, and writes down what that did to the disk. */
export async function record(root: string, batches: readonly object[]): Promise<Recorded> {
  const initial = contentOf(root);
  const trees = [tree(root)];
  const hashes: string[] = [];
  const operations = startRecording(root);
  try {
    const engine = await opened(root);
    hashes.push(engine.info().treeHash);
    for (const batch of batches) {
      const answer = await engine.apply({ batch, door: "host" });
      if (answer.error) throw new Error(`${answer.error.code}: ${answer.error.message}`);
      operations.push({ kind: "acknowledged", seq: answer.head.seq });
      trees.push(tree(root));
      hashes.push(engine.info().treeHash);
    }
    await engine.close();
  } finally {
    stopRecording();
  }
  return { initial, operations, trees, hashes };
}

/** Puts a disk's content into a directory of its own; as after a restart, where the power was lost. */
export function materialize({ content, powerLost }: Loss): string {
  const root = mkdtempSync(join(tmpdir(), "vibehq-power-"));
  for (const [path, file] of content) {
    const full = join(root, path);
    if (file === null) {
      mkdirSync(full);
      continue;
    }
    const lock = path.startsWith(".mission_control/lock");
    const bytes =
      lock || (powerLost && path === ".mission_control/done")
        ? Buffer.from(file.bytes.toString("latin1").replace(BOOT_ID, "0".repeat(BOOT_ID.length)), "latin1")
        : file.bytes;
    writeFileSync(full, bytes);
    chmodSync(full, file.mode);
  }
  return root;
}

const acknowledgedIn = (operations: readonly Operation[]): number =>
  operations.reduce((seq, one) => (one.kind === "acknowledged" ? one.seq : seq), 0);

export interface Verdict {
  states: number;
  /** Where a promise was broken, in words; empty where all hold. */
  broken: string[];
}

/**
 * Ends the recorded run after every one of its operations, in every way the model knows, starts the real engine on what
 * is left, and says which promises do not hold. `trace`: the operations as a mutant would have done them.
 */
export async function endAnywhere(
  { initial, trees, hashes }: Recorded,
  trace: readonly Operation[],
  next: object,
  stopAtFirst = false,
): Promise<Verdict> {
  const seen = new Set<string>();
  const broken: string[] = [];
  for (let end = 0; end <= trace.length; end++) {
    const done = trace.slice(0, end);
    const acknowledged = acknowledgedIn(done);
    for (const loss of lossesAfter(initial, done)) {
      const key = `${keyOf(loss)} ${acknowledged}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const fault = await restart(loss, acknowledged, trees, hashes, next);
      if (fault === null) continue;
      broken.push(`after ${end} operations (${describe(trace[end - 1])}), lost: ${loss.name}: ${fault}`);
      if (stopAtFirst) return { states: seen.size, broken };
    }
  }
  return { states: seen.size, broken };
}

const describe = (operation: Operation | undefined): string => {
  if (!operation) return "none";
  if (operation.kind === "names") return `${operation.doing} ${operation.set.map(({ path }) => path).join(" ")}`;
  return "path" in operation ? `${operation.kind} ${operation.path}` : operation.kind;
};

/** What is wrong with the engine on this disk; null where nothing is. */
async function restart(
  loss: Loss,
  acknowledged: number,
  trees: readonly Record<string, string>[],
  hashes: readonly string[],
  next: object,
): Promise<string | null> {
  const root = materialize(loss);
  let engine: Engine | null = null;
  try {
    engine = await opened(root);
    const { head, treeHash } = engine.info();
    if (head.seq < acknowledged) return `entry ${acknowledged} was acknowledged, the log ends at ${head.seq}`;
    const standing = JSON.stringify(sorted(tree(root)));
    const expected = JSON.stringify(sorted(trees[head.seq] ?? {}));
    if (standing !== expected) return `the log is at ${head.seq}, the tree is ${standing}`;
    if (treeHash !== hashes[head.seq]) return "the tree's hash is another";
    const verified = await engine.verify();
    if (!verified.ok) return verified.error.message;
    const answer: EngineAnswer = await engine.apply({ batch: next, door: "host" });
    return answer.error ? `the next batch: ${answer.error.code} ${answer.error.message}` : null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await engine?.close();
    rmSync(root, { recursive: true, force: true });
  }
}

/** Directories are left out: an empty one that a crash leaves behind is no part of a tree. */
export const sorted = (files: Record<string, string>): [string, string][] =>
  Object.entries(files)
    .filter(([path]) => !path.endsWith("/"))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
