import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

const root = path.resolve(import.meta.dirname, "..");

/** Every TypeScript source must parse: some of them import what only a Worker has, so they are not loaded here. */
for (const name of readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })) {
  if (!name.endsWith(".ts")) continue;
  const source = readFileSync(path.join(root, "src", name), "utf8");
  try {
    stripTypeScriptTypes(source);
  } catch (error) {
    console.error(`src/${name}: ${error instanceof Error ? error.message : "does not parse"}`);
    process.exitCode = 1;
  }
}

const db = new DatabaseSync(":memory:");
const migrations = readdirSync(path.join(root, "migrations")).toSorted();
const numbers = migrations.map((name) => name.slice(0, 4));
assert.equal(new Set(numbers).size, numbers.length, "two migrations share a number");
for (const name of migrations) db.exec(readFileSync(path.join(root, "migrations", name), "utf8"));

const queries: Record<string, unknown> = await import("../src/queries.ts");
const { addItem, getItem, listItems } = await import("../src/queries.ts");
const all = ({ sql, params }: { sql: string; params: (string | number | null)[] }) => db.prepare(sql).all(...params);
assert.equal(all(addItem("first"))[0]?.name, "first");
assert.equal(all(getItem(1))[0]?.name, "first");
assert.equal(all(listItems(10)).length, 1);
console.log(`${migrations.length} migrations and ${Object.keys(queries).length} queries checked`);
