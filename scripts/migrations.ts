import { createHash, createHmac } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { D1Database } from "@cloudflare/workers-types";
import { listWorkers, ROOT } from "./repository.ts";

/** A D1 database of the orchestrator and the directory of its migrations. */
export interface Database {
  binding: string;
  name: string;
  id: string;
  migrations: string;
}

/** The store cannot be used as it is. The message is one line for the person at the terminal. */
export class StoreError extends Error {}

export function listDatabases(root: string = ROOT): Database[] {
  return listWorkers(root).flatMap(({ directory, config }) =>
    (config.d1_databases ?? []).map((database) => ({
      binding: database.binding,
      name: database.database_name,
      id: database.database_id,
      migrations: path.resolve(directory, database.migrations_dir),
    })),
  );
}

/** Migration files in the order they apply, which is that of their numbers. */
export function migrationFiles(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith(".sql"))
    .toSorted();
}

/** Where wrangler keeps everything it persists for a data directory (`--persist-to`), and the D1 files within. */
export const persistDirectory = (data: string): string => path.join(data, "state");
const d1Directory = (data: string): string => path.join(persistDirectory(data), "v3/d1/miniflare-D1DatabaseObject");

/** The file a local D1 database lies in: that of the Durable Object behind it. */
export const databaseFile = (data: string, databaseId: string): string =>
  path.join(d1Directory(data), `${objectId("miniflare-D1DatabaseObject", databaseId)}.sqlite`);

/** The file of a Durable Object's storage, by its Worker, its class and its name. */
export const objectFile = (
  data: string,
  { worker, className, name }: Record<"worker" | "className" | "name", string>,
) =>
  path.join(
    persistDirectory(data),
    `v3/do/${worker}-${className}`,
    `${objectId(`${worker}-${className}`, name)}.sqlite`,
  );

/** The id that workerd derives from a namespace's key and an object's name. */
function objectId(namespace: string, objectName: string): string {
  const key = createHash("sha256").update(namespace).digest();
  const name = createHmac("sha256", key).update(objectName).digest().subarray(0, 16);
  const check = createHmac("sha256", key).update(name).digest().subarray(0, 16);
  return Buffer.concat([name, check]).toString("hex");
}

/**
 * The migrations a database file has on record, read beside workerd and without it; null if there is no such file.
 * Throws a StoreError if the file is not a database.
 */
function recorded(file: string, name: string): Set<string> | null {
  if (!existsSync(file)) return null;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true });
    const bookkeeping = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'd1_migrations'").get();
    if (!bookkeeping) return new Set();
    return new Set(
      database
        .prepare("SELECT name FROM d1_migrations")
        .all()
        .map(({ name }) => String(name)),
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreError(`the database ${name} cannot be read: ${reason}`);
  } finally {
    database?.close();
  }
}

/** The databases that lack migrations. A file that is not where it is expected counts as lacking all. */
export function pendingDatabases(data: string, databases: readonly Database[]): Database[] {
  return databases.filter((database) => {
    const applied = recorded(databaseFile(data, database.id), database.name);
    return !applied || migrationFiles(database.migrations).some((name) => !applied.has(name));
  });
}

// The bookkeeping of `wrangler d1 migrations apply`, so that either may follow the other on one store.
const BOOKKEEPING = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/**
 * Brings the local databases of a data directory up to date: one runtime for all of them instead of a process each, each
 * migration and its record in one batch. Nothing to do costs a few milliseconds. Answers with what was applied.
 * No `wrangler dev` may run on the same data directory.
 */
export async function migrateLocal(data: string, databases: readonly Database[] = listDatabases()): Promise<string[]> {
  const pending = pendingDatabases(data, databases);
  if (pending.length === 0) return [];

  // Imported here, because loading wrangler takes most of a second and is rarely needed.
  const { getPlatformProxy, unstable_splitSqlQuery } = await import("wrangler");

  // The databases alone: the Worker's own configuration would bring its Durable Objects, which have no code here.
  mkdirSync(data, { recursive: true });
  const configPath = path.join(data, "migrations.wrangler.json");
  const bindings = pending.map(({ binding, name, id }) => ({ binding, database_name: name, database_id: id }));
  writeFileSync(
    configPath,
    JSON.stringify({ name: "migrations", compatibility_date: "2026-10-30", d1_databases: bindings }),
  );

  const applied: string[] = [];
  const platform = await getPlatformProxy<Record<string, D1Database>>({
    configPath,
    persist: { path: path.join(persistDirectory(data), "v3") },
    remoteBindings: false,
  });
  try {
    for (const database of pending) {
      const d1 = platform.env[database.binding];
      if (!d1) throw new StoreError(`the database ${database.name} has no binding`);
      await d1.prepare(BOOKKEEPING).run();
      const { results } = await d1.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
      const known = new Set(results.map(({ name }) => name));
      for (const name of migrationFiles(database.migrations).filter((file) => !known.has(file))) {
        const statements = unstable_splitSqlQuery(readFileSync(path.join(database.migrations, name), "utf8"));
        try {
          await d1.batch([
            ...statements.map((sql) => d1.prepare(sql)),
            d1.prepare("INSERT INTO d1_migrations (name) VALUES (?1)").bind(name),
          ]);
        } catch (error) {
          throw new StoreError(
            `${database.name} refuses ${name}: ${error instanceof Error ? error.message : String(error)}`,
          );
        }
        applied.push(`${database.name} ${name}`);
      }
    }
  } finally {
    await platform.dispose();
  }
  return applied;
}
