import {
  type FileMode,
  FileModeSchema,
  type LogEntry,
  type LoggedFile,
  type ReplayBatch,
  Sha256Schema,
} from "@shared/contracts";
import { effectsOf } from "patch-engine/core";
import { z } from "zod";
import type { Chain } from "./Chain.ts";
import type { EngineLog } from "./EngineLog.ts";
import type { Meta } from "./Meta.ts";
import type { Texts } from "./Texts.ts";

const TABLES = `
  CREATE TABLE IF NOT EXISTS replay_entries (
    seq INTEGER PRIMARY KEY, order_id TEXT, batch_id TEXT NOT NULL, kind TEXT NOT NULL, ts TEXT NOT NULL,
    requester TEXT NOT NULL, reason TEXT NOT NULL, phase TEXT, tree_before TEXT NOT NULL, tree_after TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS replay_entries_by_order ON replay_entries (order_id, seq);
  CREATE TABLE IF NOT EXISTS replay_files (
    seq INTEGER NOT NULL, n INTEGER NOT NULL, path TEXT NOT NULL, from_path TEXT, kind TEXT NOT NULL,
    mode TEXT NOT NULL, mode_before TEXT, before TEXT, after TEXT, added INTEGER NOT NULL, removed INTEGER NOT NULL,
    -- The path that the file had before the entry; null of one that the entry makes.
    old_path TEXT,
    PRIMARY KEY (seq, n)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS replay_files_by_old_path ON replay_files (old_path, seq);
`;

/** Where the source's files stand among the texts. */
const SOURCE = "replay:source";
/** Files that a listed batch names. */
const LISTED_FILES = 200;

export interface TreeFile {
  mode: FileMode;
  sha256: string;
}
export type Tree = Map<string, TreeFile>;

const TreeRowsSchema = z.array(z.tuple([z.string(), FileModeSchema, Sha256Schema]));

const FileRowSchema = z.object({
  seq: z.number(),
  n: z.number(),
  path: z.string(),
  from_path: z.string().nullable(),
  kind: z.enum(["edit", "create", "delete", "rename"]),
  mode: FileModeSchema,
  mode_before: FileModeSchema.nullable(),
  before: z.string().nullable(),
  after: z.string().nullable(),
  added: z.number(),
  removed: z.number(),
});
export type FileRow = z.infer<typeof FileRowSchema>;
const FILE_COLUMNS = "seq, n, path, from_path, kind, mode, mode_before, before, after, added, removed";

const BatchRowSchema = z.object({
  seq: z.number(),
  batch_id: z.string(),
  kind: z.enum(["batch", "revert"]),
  ts: z.string(),
  requester: z.string(),
  reason: z.string(),
  phase: z.string().nullable(),
  tree_after: z.string(),
});

export interface ReplayIndexParts {
  meta: Meta;
  log: EngineLog;
  chain: Chain;
  texts: Texts;
}

/**
 * Which entry of the engine's log changed which file, from which hash to which: all that a tree needs, without the texts.
 * It follows the log when someone looks, so that taking a batch costs nothing for it, and can be thrown away.
 */
export class ReplayIndex {
  readonly #sql: SqlStorage;
  readonly #parts: ReplayIndexParts;

  constructor(sql: SqlStorage, parts: ReplayIndexParts) {
    this.#sql = sql;
    this.#parts = parts;
  }

  /** Takes in up to `limit` entries of the log. True once it has them all. */
  follow(limit: number): boolean {
    this.#sql.exec(TABLES);
    const { log, meta } = this.#parts;
    let { seq } = this.#sql.exec<{ seq: number }>("SELECT coalesce(max(seq), 0) AS seq FROM replay_entries").one();
    for (let taken = 0; seq < meta.head.seq; taken += 1) {
      if (taken === limit) return false;
      seq += 1;
      const entry = log.read(seq);
      if (!entry) throw new Error(`entry ${seq} is not on record`);
      this.#add(entry);
    }
    return true;
  }

  /** An order's batches after `seq`, in the order they were carried out. */
  batches(orderId: string, after: number, limit: number): ReplayBatch[] {
    const rows = this.#sql
      .exec("SELECT * FROM replay_entries WHERE order_id = ? AND seq > ? ORDER BY seq LIMIT ?", orderId, after, limit)
      .toArray();
    return rows.map((row) => {
      const { seq, batch_id: batchId, tree_after: treeHash, ...rest } = BatchRowSchema.parse(row);
      const files = this.#files("seq = ? ORDER BY n LIMIT ?", seq, LISTED_FILES);
      const { n } = this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM replay_files WHERE seq = ?", seq).one();
      return {
        seq,
        batchId,
        ...rest,
        treeHash,
        files: files.map((file) => ({
          path: file.path,
          from: file.from_path,
          kind: file.kind,
          linesAdded: file.added,
          linesRemoved: file.removed,
        })),
        omitted: n - files.length,
      };
    });
  }

  /** The hash on record of the tree after an entry; of 0, of the source. Null where that is not known. */
  treeHashAt(seq: number): string | null {
    const [row] = this.#sql.exec<{ hash: string }>(
      seq === 0
        ? "SELECT tree_before AS hash FROM replay_entries WHERE seq = ? + 1"
        : "SELECT tree_after AS hash FROM replay_entries WHERE seq = ?",
      seq,
    );
    return row?.hash ?? (seq === 0 ? (this.#parts.meta.origin?.treeHash ?? null) : null);
  }

  /** The files of the source; null before they were read. */
  source(): Tree | null {
    const text = this.#parts.texts.read(SOURCE);
    if (text === null) return null;
    return new Map(TreeRowsSchema.parse(JSON.parse(text)).map(([path, mode, sha256]) => [path, { mode, sha256 }]));
  }

  keepSource(tree: Tree): void {
    const rows = [...tree].map(([path, { mode, sha256 }]) => [path, mode, sha256]);
    this.#parts.texts.write(SOURCE, JSON.stringify(rows));
  }

  /** Carries out the entries up to `seq` on the source's files. */
  forward(tree: Tree, seq: number): void {
    for (const files of this.#entries("seq <= ? ORDER BY seq, n", seq)) {
      const effects = effectsOf(files.map(loggedOf), ({ mode, afterSha256 }) => ({
        bytes: EMPTY,
        mode,
        sha256: afterSha256 ?? "",
      }));
      for (const [path, effect] of effects) {
        if (effect) tree.set(path, { mode: effect.mode, sha256: effect.sha256 });
        else tree.delete(path);
      }
    }
  }

  /** Takes the entries up to `seq` back, the last one first, from the files as they were after it. */
  backward(tree: Tree, seq: number): void {
    for (const files of this.#entries("seq <= ? ORDER BY seq DESC, n", seq)) {
      for (const file of files) if (file.kind !== "delete") tree.delete(file.path);
      for (const file of files) {
        if (file.kind === "create" || file.before === null) continue;
        tree.set(file.from_path ?? file.path, { mode: file.mode_before ?? file.mode, sha256: file.before });
      }
    }
  }

  /** What the next entry after `seq` did to the file that has this path then; null where none touches it. */
  nextChange(path: string, seq: number): FileRow | null {
    return this.#files("old_path = ? AND seq > ? ORDER BY seq LIMIT 1", path, seq)[0] ?? null;
  }

  #add(entry: LogEntry): void {
    const { seq, batchId, kind, ts, requester, reason, phase, treeBefore, treeAfter } = entry;
    // A revert's order is that of the patches it undid.
    const orderId = entry.orderId ?? this.#parts.chain.ofBatch(batchId).find(({ order_id }) => order_id)?.order_id;
    this.#sql.exec(
      "INSERT INTO replay_entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      seq,
      orderId ?? null,
      batchId,
      kind,
      ts,
      requester.slice(0, 200),
      reason.slice(0, 4000),
      phase,
      treeBefore,
      treeAfter,
    );
    for (const [n, file] of entry.files.entries()) {
      const oldPath = file.kind === "create" ? null : (file.from ?? file.path);
      this.#sql.exec(
        `INSERT INTO replay_files (${FILE_COLUMNS}, old_path) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        seq,
        n,
        file.path,
        file.from,
        file.kind,
        file.mode,
        file.modeBefore ?? null,
        file.beforeSha256,
        file.afterSha256,
        file.linesAdded,
        file.linesRemoved,
        oldPath,
      );
    }
  }

  #files(where: string, ...bindings: (string | number)[]): FileRow[] {
    const rows = this.#sql.exec(`SELECT ${FILE_COLUMNS} FROM replay_files WHERE ${where}`, ...bindings).toArray();
    return z.array(FileRowSchema).parse(rows);
  }

  /** The files of each entry together, entry by entry, in the order asked for. */
  #entries(where: string, ...bindings: (string | number)[]): FileRow[][] {
    return [...Map.groupBy(this.#files(where, ...bindings), (file) => file.seq).values()];
  }
}

const EMPTY = new Uint8Array();

const loggedOf = (file: FileRow): Pick<LoggedFile, "path" | "from" | "kind" | "mode" | "afterSha256"> => ({
  path: file.path,
  from: file.from_path,
  kind: file.kind,
  mode: file.mode,
  afterSha256: file.after,
});
