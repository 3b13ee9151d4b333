import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { TABLES } from "../../orchestrator/worker/durable-objects/workspace/tables.ts";
import { CUSTODY_COLUMNS, EVENT_COLUMNS, eventRowOf } from "../../orchestrator/worker/services/patch/eventRow.ts";
import { rollupDeltas, type Step } from "../../orchestrator/worker/services/patch/rollups.ts";
import { addRollup, ROLLUP_TABLES } from "../../orchestrator/worker/services/patch/rollupTables.ts";
import { objectFile } from "../migrations.ts";
import { chainOf, type Link } from "./chain.ts";
import type { Batch, World } from "./world.ts";

/** Links between two additions to the rollups. */
const PAGE = 20_000;

/**
 * A database file that is worked on beside the one in use and then takes its place, so that a seeding broken off in
 * the middle leaves the store as it was. What it had before is in it.
 */
export class Draft {
  readonly database: DatabaseSync;
  readonly #file: string;
  readonly #draft: string;

  constructor(file: string) {
    this.#file = file;
    this.#draft = `${file}.seeding`;
    mkdirSync(path.dirname(file), { recursive: true });
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${this.#draft}${suffix}`, { force: true });
    if (existsSync(file)) {
      const original = new DatabaseSync(file);
      original.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      original.close();
      copyFileSync(file, this.#draft);
    }
    this.database = new DatabaseSync(this.#draft);
    // A draft that a crash breaks is thrown away.
    this.database.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000");
  }

  /** Puts the draft in the file's place. */
  publish(): void {
    this.database.exec("PRAGMA journal_mode = WAL");
    this.database.close();
    for (const suffix of ["-wal", "-shm"]) rmSync(`${this.#draft}${suffix}`, { force: true });
    renameSync(this.#draft, this.#file);
    for (const suffix of ["-wal", "-shm"]) rmSync(`${this.#file}${suffix}`, { force: true });
  }

  discard(): void {
    if (this.database.isOpen) this.database.close();
    rmSync(this.#draft, { force: true });
  }
}

const insertInto = (database: DatabaseSync, table: string, columns: readonly string[], or = ""): StatementSync =>
  database.prepare(`INSERT ${or} INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`);

/**
 * Takes down indexes and triggers of tables that get many rows, and answers with what puts them up again: one sort at
 * the end costs a fraction of keeping them row by row.
 */
function withoutIndexes(database: DatabaseSync, tables: readonly string[]): () => void {
  const rows = database
    .prepare(
      `SELECT type, name, sql FROM sqlite_schema
       WHERE tbl_name IN (SELECT value FROM json_each(?)) AND type IN ('index', 'trigger') AND sql IS NOT NULL`,
    )
    .all(JSON.stringify(tables));
  for (const { type, name } of rows) database.exec(`DROP ${String(type)} ${String(name)}`);
  return () => {
    for (const { sql } of rows) database.exec(String(sql));
  };
}

/** Writes every workspace's chain: its object's storage, and in the database of `ops` its rows and rollups. */
export function writeChains(
  world: World,
  options: { data: string; worker: string; ops: DatabaseSync; at: string; progress(events: number): void },
): { events: number; drafts: Draft[]; heads: Map<string, number> } {
  const { ops, at } = options;
  ops.exec("BEGIN");
  const rebuild = withoutIndexes(ops, ["patch_events", "patch_custody"]);
  const statements = {
    event: insertInto(ops, "patch_events", EVENT_COLUMNS),
    custody: insertInto(ops, "patch_custody", [...CUSTODY_COLUMNS, "meta"]),
    cursor: insertInto(ops, "workspace_cursors", ["workspace_id", "seq", "hash", "updated_at"]),
    rollups: ROLLUP_TABLES.map((table) => ({ table, statement: ops.prepare(addRollup(table, "1")) })),
  };
  const byWorkspace = Map.groupBy(world.batches, (batch: Batch) => batch.order.workspaceId);
  const drafts: Draft[] = [];
  const heads = new Map<string, number>();
  let events = 0;
  for (const workspaceId of world.workspaceIds) {
    const draft = new Draft(
      objectFile(options.data, { worker: options.worker, className: "Workspace", name: workspaceId }),
    );
    drafts.push(draft);
    const object = draft.database;
    object.exec(TABLES);
    object.exec("BEGIN");
    const store = insertInto(object, "events", [
      "seq",
      "patch_id",
      "batch_id",
      "order_id",
      "project_id",
      "body",
      "hash",
    ]);
    let steps: Step[] = [];
    let last: Link["record"] | null = null;
    const count = (): void => {
      const deltas = rollupDeltas(steps);
      for (const { table, statement } of statements.rollups) statement.run(JSON.stringify(deltas[table]));
      steps = [];
    };
    for (const { record, body, step } of chainOf(workspaceId, byWorkspace.get(workspaceId) ?? [])) {
      store.run(record.seq, record.patch_id, record.batch_id, record.order_id, record.project_id, body, record.hash);
      const row: Record<string, SQLInputValue> = eventRowOf(record, step);
      statements.custody.run(
        ...CUSTODY_COLUMNS.map((column) => row[column] ?? null),
        record.kind === "phase" ? (row.meta ?? null) : null,
      );
      if (step !== null) {
        statements.event.run(...EVENT_COLUMNS.map((column) => row[column] ?? null));
        steps.push(step);
        if ((events += 1) % PAGE === 0) options.progress(events);
        if (steps.length >= PAGE) count();
      }
      last = record;
    }
    count();
    const seq = last?.seq ?? 0;
    heads.set(workspaceId, seq);
    if (last) statements.cursor.run(workspaceId, seq, last.hash, at);
    insertInto(object, "meta", ["key", "value"]).run("workspaceId", workspaceId);
    // Everything counts as delivered: to the databases it is, and live streams begin with what comes next.
    const cursor = insertInto(object, "cursors", ["sink", "seq", "target"]);
    for (const sink of ["d1:ops", "d1:projects", "hub:all", `hub:project:${workspaceId.split(":")[1] ?? ""}`])
      cursor.run(sink, seq, seq);
    object.exec("COMMIT");
  }
  rebuild();
  ops.exec("INSERT INTO patch_events_search (patch_events_search) VALUES ('rebuild')");
  ops.exec("COMMIT");
  return { events, drafts, heads };
}

const iso = (time: number): string => new Date(time).toISOString();

/** Writes projects, orders and tasks. Those that stand there already are left as they are. */
export function writeOrders(world: World, options: { projects: DatabaseSync; heads: Map<string, number>; at: string }) {
  const { projects: database, heads, at } = options;
  database.exec("BEGIN");
  const project = insertInto(
    database,
    "projects",
    ["id", "name", "repository", "branch", "created_by", "created_at", "updated_at"],
    "OR IGNORE",
  );
  const order = insertInto(
    database,
    "orders",
    [
      "id",
      "project_id",
      "title",
      "description",
      "factory",
      "status",
      "workspace_id",
      "created_by",
      "created_at",
      "updated_at",
    ],
    "OR IGNORE",
  );
  const task = insertInto(
    database,
    "tasks",
    ["id", "order_id", "title", "type", "status", "allowed", "created_at", "updated_at"],
    "OR IGNORE",
  );
  const cursor = insertInto(database, "workspace_cursors", ["workspace_id", "seq", "updated_at"], "OR REPLACE");
  for (const { id, name, repository, createdAt } of world.projects) {
    project.run(id, name, repository, "main", "seed", iso(createdAt), iso(createdAt));
  }
  for (const { id, project: of, workspaceId, title, factory, status, tasks, createdAt, updatedAt } of world.orders) {
    const times = [iso(createdAt), iso(updatedAt)] as const;
    order.run(id, of.id, title, "", factory, status, workspaceId, "seed", ...times);
    for (const each of tasks) {
      task.run(each.id, id, each.title, "generate", each.status, '[{"files":"**"}]', ...times);
    }
  }
  for (const [workspaceId, seq] of heads) cursor.run(workspaceId, seq, at);
  database.exec("COMMIT");
}
