import {
  fail,
  type LoggedFile,
  type ReplayFile,
  type ReplayTree,
  type Result,
  type WorkspaceInfo,
} from "@shared/contracts";
import { checkPath, sha256, TextFile, TreeHash } from "patch-engine/core";
import type { Engine } from "../../integrations/engine.ts";
import type { EngineLog } from "./EngineLog.ts";
import type { Meta } from "./Meta.ts";
import type { FileRow, ReplayIndex, Tree } from "./ReplayIndex.ts";

/** Files of a tree in one answer. */
const TREE_PAGE = 5_000;
/** Bytes of a file that an answer holds. */
const MAX_FILE = 4 * 1024 * 1024;
/** How often a file is read anew that a batch changes at the same time. */
const ATTEMPTS = 4;

export interface ReplayParts {
  meta: Meta;
  log: EngineLog;
  index: ReplayIndex;
  engine: Engine;
  /** Brings engine and record to the same log. */
  restore: () => Promise<Result<{ workspace: WorkspaceInfo }>>;
  /** Takes in what the engine did on its own. */
  catchUp: () => Promise<Result<object>>;
}

/** Entries indexed in one turn: other calls come in between two turns. */
export const INDEX_TURN = 500;

/**
 * The tree after entry `seq`, a page of it. It is made from the source's files and what the log says of each, and answered
 * only if its hash is the one on record: TREE_MISMATCH otherwise. NOT_FOUND where there is no such entry. The source's
 * files are asked of the engine once; from then on no engine is needed.
 */
export async function treeAt(
  parts: ReplayParts,
  at: { seq: number; after: string | null },
): Promise<Result<ReplayTree>> {
  const checked = await checkedTree(parts, at.seq);
  if (!checked.ok) return checked;
  const { tree, treeHash } = checked;
  const { after } = at;
  const paths = [...tree.keys()].toSorted((a, b) => (a < b ? -1 : Number(a > b)));
  const start = after === null ? 0 : firstAfter(paths, after);
  const page = paths.slice(start, start + TREE_PAGE);
  return {
    ok: true,
    workspaceId: parts.meta.workspaceId,
    seq: at.seq,
    treeHash,
    files: paths.length,
    tree: page.flatMap((path) => {
      const file = tree.get(path);
      return file ? [{ path, ...file }] : [];
    }),
    next: start + page.length < paths.length ? (page.at(-1) ?? null) : null,
  };
}

/**
 * A text file as it was after entry `seq`: as it is now, or was when it was deleted, with every later edit taken back; each
 * step's hash must be the one the log names, and the last that of the tree. Errors: NOT_FOUND, PATH_INVALID,
 * FILE_NOT_FOUND, FILE_TOO_LARGE (over 4 MiB), BINARY_FILE and NOT_UTF8, TREE_MISMATCH, those of the engine.
 */
export async function fileAt(parts: ReplayParts, at: { seq: number; path: string }): Promise<Result<ReplayFile>> {
  const { seq, path } = at;
  const wrong = checkPath(path);
  if (wrong) return { ok: false, error: wrong };
  const checked = await checkedTree(parts, seq);
  if (!checked.ok) return checked;
  const row = checked.tree.get(path);
  if (!row) return fail("FILE_NOT_FOUND", `there was no file ${path} after entry ${seq}`, { file: path });
  for (let attempt = 1; ; attempt += 1) {
    const read = await bytesAt(parts, at, row.sha256);
    // A batch that landed between looking at the log and reading the file: look again.
    if (!read.ok && read.error.code === "TREE_MISMATCH" && attempt < ATTEMPTS) {
      const level = await parts.catchUp();
      if (!level.ok) return level;
      continue;
    }
    if (!read.ok) return read;
    if (read.bytes.length > MAX_FILE) {
      return fail("FILE_TOO_LARGE", `a file of replay has at most ${MAX_FILE} bytes`, { file: path });
    }
    const text = TextFile.read(path, read.bytes);
    if (!text.ok) return text;
    const { mode, sha256: hash } = row;
    const content = text.text.bytes.toString("utf8");
    const file = { path, content, sha256: hash, mode, lines: text.text.lineCount };
    return { ok: true, workspaceId: parts.meta.workspaceId, seq, treeHash: checked.treeHash, file };
  }
}

async function checkedTree(parts: ReplayParts, seq: number): Promise<Result<{ tree: Tree; treeHash: string }>> {
  const { index, meta } = parts;
  index.follow(INDEX_TURN);
  const known = index.source();
  if (known === null) {
    const read = await readSource(parts);
    if (!read.ok) return read;
  }
  const tree = known ?? index.source();
  const expected = index.treeHashAt(seq);
  if (tree === null || expected === null || seq > meta.head.seq) {
    return fail("NOT_FOUND", `the workspace's log has no entry ${seq}`);
  }
  index.forward(tree, seq);
  const treeHash = hashOfTree(tree);
  return treeHash === expected
    ? { ok: true, tree, treeHash }
    : fail("TREE_MISMATCH", `what the log makes of the source is not the tree on record after entry ${seq}`);
}

/** Asks the engine for its files, takes every entry back, and keeps what must have been the source. */
async function readSource({ index, meta, log, engine, restore, catchUp }: ReplayParts): Promise<Result<object>> {
  const level = await restore();
  if (!level.ok) return level;
  const read = await engine.manifest(meta.workspaceId);
  if (!read.ok) return read;
  const { head, treeHash, files } = read.manifest;
  if (head.seq > meta.head.seq) {
    const caughtUp = await catchUp();
    if (!caughtUp.ok) return caughtUp;
  }
  if (head.seq > 0 && log.hashAt(head.seq) !== head.hash) {
    return fail("CHAIN_BROKEN", `the engine's log has another entry ${head.seq}`);
  }
  while (!index.follow(INDEX_TURN));
  const tree: Tree = new Map(files.map(({ path, mode, sha256 }) => [path, { mode, sha256 }]));
  if (hashOfTree(tree) !== treeHash) return fail("TREE_MISMATCH", "the engine's list of files is not its tree");
  index.backward(tree, head.seq);
  const source = index.treeHashAt(0);
  if (source !== null && hashOfTree(tree) !== source) {
    return fail("TREE_MISMATCH", "taking the log back does not lead to the workspace's source");
  }
  index.keepSource(tree);
  return { ok: true };
}

/** The file's bytes after entry `seq`, every later edit taken back; `expected` is their hash. */
async function bytesAt(
  { index, log, engine, meta, restore }: ReplayParts,
  at: { seq: number; path: string },
  expected: string,
): Promise<Result<{ bytes: Buffer }>> {
  while (!index.follow(INDEX_TURN));
  const changes: FileRow[] = [];
  let { path } = at;
  for (let change = index.nextChange(path, at.seq); change; change = index.nextChange(path, change.seq)) {
    changes.push(change);
    ({ path } = change);
    if (change.kind === "delete") break;
  }
  const last = changes.at(-1);
  let bytes = Buffer.alloc(0);
  if (last?.kind !== "delete") {
    const read = await readNow(engine, meta.workspaceId, path, restore);
    if (!read.ok) return read;
    bytes = Buffer.from(read.file.content);
    if (last && sha256(bytes) !== last.after) return differs(at.path, at.seq);
  }
  for (const change of changes.toReversed()) {
    const file = log.read(change.seq)?.files[change.n];
    const before = file ? beforeSplices(file, bytes) : null;
    if (before === null || sha256(before) !== change.before) return differs(at.path, at.seq);
    bytes = before;
  }
  return sha256(bytes) === expected ? { ok: true, bytes } : differs(at.path, at.seq);
}

async function readNow(engine: Engine, workspaceId: string, path: string, restore: ReplayParts["restore"]) {
  const read = await engine.readFile(workspaceId, path);
  if (read.ok || read.error.code !== "WORKSPACE_NOT_FOUND") return read;
  const restored = await restore();
  return restored.ok ? engine.readFile(workspaceId, path) : restored;
}

/** The bytes before an entry's splices, from those after them; null where their new text does not stand there. */
function beforeSplices({ splices }: LoggedFile, after: Buffer): Buffer | null {
  const pieces: Buffer[] = [];
  let at = 0;
  // By how much what came before a splice has moved it.
  let shift = 0;
  for (const splice of splices) {
    const made = Buffer.from(splice.new);
    const start = splice.start + shift;
    if (start < at || !after.subarray(start, start + made.length).equals(made)) return null;
    pieces.push(after.subarray(at, start), Buffer.from(splice.old));
    at = start + made.length;
    shift += made.length - (splice.end - splice.start);
  }
  pieces.push(after.subarray(at));
  return Buffer.concat(pieces);
}

function hashOfTree(tree: Tree): string {
  const hash = new TreeHash();
  for (const [path, file] of tree) hash.set(path, file.mode, file.sha256);
  return hash.digest();
}

function firstAfter(paths: readonly string[], path: string): number {
  const found = paths.findIndex((one) => one > path);
  return found === -1 ? paths.length : found;
}

const differs = (path: string, seq: number) =>
  fail("TREE_MISMATCH", `${path} cannot be led back to what it was after entry ${seq}`, { file: path });
