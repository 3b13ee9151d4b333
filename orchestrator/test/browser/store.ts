import { DatabaseSync } from "node:sqlite";
import { databaseFile, listDatabases } from "../../../scripts/migrations.ts";

/** Rows of DB_OPS, written beside the runtime: what only a provider's run would write is so on record without one. */
export class OpsStore {
  readonly #database: DatabaseSync;

  constructor(data: string) {
    const ops = listDatabases().find(({ binding }) => binding === "DB_OPS");
    if (ops === undefined) throw new Error("there is no DB_OPS");
    this.#database = new DatabaseSync(databaseFile(data, ops.id), { timeout: 10_000 });
  }

  /** Objects are written as JSON; a row that is there already stays. */
  insert(table: string, ...rows: Record<string, unknown>[]): void {
    for (const row of rows) {
      const names = Object.keys(row);
      this.#database
        .prepare(`INSERT OR IGNORE INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`)
        .run(...Object.values(row).map(column));
    }
  }

  run(sql: string, ...values: (string | number)[]): void {
    this.#database.prepare(sql).run(...values);
  }

  close(): void {
    this.#database.close();
  }
}

function column(value: unknown): string | number | null {
  if (value === undefined || value === null) return null;
  return typeof value === "string" || typeof value === "number" ? value : JSON.stringify(value);
}
