import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { ROOT } from "./repository.ts";

/**
 * `db:generate`: the Kysely types of every database, from its migrations applied to an empty SQLite in memory.
 * `--name what_changes --database ops` first adds the next numbered migration; `--check` only compares.
 */

const DATABASES = ["ops", "logs", "projects", "chats", "health"] as const;
const MIGRATIONS = path.join(ROOT, "migrations");
const SCHEMA = path.join(ROOT, "orchestrator/worker/database/schema.ts");
const MIGRATION_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/;

interface Column {
  name: string;
  type: string;
  nullable: boolean;
  generated: boolean;
}

interface Table {
  name: string;
  columns: Column[];
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** A database's migration files in order. Throws where two bear one number or a name is odd; numbers may be left out. */
export function migrationFiles(database: string): string[] {
  const directory = path.join(MIGRATIONS, database);
  const files = readdirSync(directory)
    .filter((file) => !file.startsWith("."))
    .toSorted();
  let last = 0;
  for (const file of files) {
    const number = Number(MIGRATION_NAME.exec(file)?.[1]);
    if (Number.isNaN(number)) throw new Error(`migrations/${database}/${file}: expected 0001_name.sql`);
    if (number <= last) throw new Error(`migrations/${database}/${file}: its number is taken`);
    last = number;
  }
  return files;
}

function migrated(database: string): DatabaseSync {
  const sqlite = new DatabaseSync(":memory:");
  for (const file of migrationFiles(database)) {
    sqlite.exec(readFileSync(path.join(MIGRATIONS, database, file), "utf8"));
  }
  return sqlite;
}

/** The strings a CHECK of the form `column IN ('a', 'b')` allows, by column. */
function allowedValues(sql: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [, column = "", list = ""] of sql.matchAll(/CHECK\s*\(\s*(\w+)\s+IN\s*\(([^)]*)\)\s*\)/gi)) {
    const values = list.split(",").map((value) => value.trim());
    if (values.every((value) => /^'[^']*'$/.test(value))) {
      found.set(
        column,
        values.map((value) => JSON.stringify(value.slice(1, -1))),
      );
    }
  }
  return found;
}

function typeOf(declared: string, allowed: string[] | undefined): string {
  if (allowed) return allowed.join(" | ");
  switch (declared.toUpperCase()) {
    case "INTEGER":
    case "REAL":
      return "number";
    case "TEXT":
    case "TIMESTAMP":
      return "string";
    case "":
      // An expression of a view: SQLite does not say.
      return "string | number";
    default:
      throw new Error(`no TypeScript type for the column type ${declared}`);
  }
}

function tablesOf(sqlite: DatabaseSync): Table[] {
  const tables = sqlite
    .prepare(
      `SELECT l.name, l.type, l.wr, coalesce(s.sql, '') AS sql
       FROM pragma_table_list AS l LEFT JOIN sqlite_schema AS s ON s.name = l.name
       WHERE l.schema = 'main' AND l.type IN ('table', 'view', 'virtual') AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
       ORDER BY l.name`,
    )
    .all();
  return tables.map((table) => {
    const name = text(table.name);
    const virtual = table.type === "virtual";
    const allowed = allowedValues(text(table.sql));
    const columns = sqlite.prepare("SELECT * FROM pragma_table_xinfo(?) ORDER BY cid").all(name);
    return {
      name,
      columns: [
        ...(virtual ? [{ name: "rowid", type: "number", nullable: false, generated: true }] : []),
        ...columns.map((column): Column => {
          const columnName = text(column.name);
          const isRowid = text(column.type).toUpperCase() === "INTEGER" && column.pk === 1 && table.wr === 0;
          return {
            name: columnName,
            // The hidden columns of an FTS5 table: its own name, for MATCH, and rank.
            type: virtual
              ? columnName === "rank"
                ? "number"
                : "string"
              : typeOf(text(column.type), allowed.get(columnName)),
            nullable: !virtual && column.notnull === 0 && !isRowid,
            generated:
              isRowid || (virtual && column.hidden === 1) || (column.dflt_value !== null && table.type === "table"),
          };
        }),
      ],
    };
  });
}

const pascal = (name: string): string =>
  name
    .split(/[_-]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");

function property(column: Column): string {
  const value = column.nullable && column.generated ? `${column.type} | null` : column.type;
  const type = column.generated ? `Generated<${value}>` : column.nullable ? `${column.type} | null` : column.type;
  return `  ${column.name}: ${type};`;
}

function formatted(source: string): string {
  const oxfmt = path.join(ROOT, "node_modules/oxfmt/bin/oxfmt");
  const run = spawnSync(process.execPath, [oxfmt, "--stdin-filepath", SCHEMA], {
    cwd: ROOT,
    encoding: "utf8",
    input: source,
  });
  if (run.status !== 0) throw new Error(`oxfmt refused the generated schema: ${run.stderr}`);
  return run.stdout;
}

/** The text of orchestrator/worker/database/schema.ts, as the migrations stand. */
export function generateSchema(): string {
  const parts = DATABASES.map((database) => {
    const sqlite = migrated(database);
    try {
      const tables = tablesOf(sqlite);
      const interfaceOf = (table: Table): string => `${pascal(database)}${pascal(table.name)}Table`;
      return [
        ...tables.map((table) => `interface ${interfaceOf(table)} {\n${table.columns.map(property).join("\n")}\n}\n`),
        `/** DB_${database.toUpperCase()} */`,
        `export interface ${pascal(database)}Database {`,
        ...tables.map((table) => `  ${table.name}: ${interfaceOf(table)};`),
        "}\n",
      ].join("\n");
    } finally {
      sqlite.close();
    }
  });
  return formatted(
    [
      'import type { Generated } from "kysely";\n',
      "// Written by `npm run db:generate` from migrations/; a test fails where the two differ.\n",
      ...parts,
    ].join("\n"),
  );
}

/** Adds the next numbered, empty migration of a database and answers with its path from the root. */
function addMigration(database: string, name: string): string {
  if (!DATABASES.some((known) => known === database)) throw new Error(`--database is one of ${DATABASES.join(", ")}`);
  if (!/^[a-z0-9_]+$/.test(name)) throw new Error("--name is of a-z, 0-9 and _");
  const last = Number(migrationFiles(database).at(-1)?.slice(0, 4) ?? 0);
  const number = String(last + 1).padStart(4, "0");
  const file = path.join(MIGRATIONS, database, `${number}_${name}.sql`);
  writeFileSync(file, `-- ${name.replaceAll("_", " ")}\n`, { flag: "wx" });
  return path.relative(ROOT, file);
}

function main(): number {
  const { values } = parseArgs({
    options: { check: { type: "boolean" }, name: { type: "string" }, database: { type: "string" } },
  });
  if (values.check) {
    if (readFileSync(SCHEMA, "utf8") === generateSchema()) return 0;
    console.log("orchestrator/worker/database/schema.ts: differs from the migrations; run npm run db:generate");
    return 1;
  }
  if (values.name !== undefined) {
    console.log(`${addMigration(values.database ?? "ops", values.name)}: write the change there, then run this again`);
  }
  writeFileSync(SCHEMA, generateSchema());
  return 0;
}

if (import.meta.main) {
  try {
    process.exitCode = main();
  } catch (error) {
    // A wrong migration or option is the caller's to mend: one line says which.
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
