import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";

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

const verbs: Record<string, unknown> = await import("../src/verbs.ts");
const { convert } = await import("../src/verbs.ts");
assert.deepEqual(convert({ value: 2, from: "km", to: "m" }), { ok: true, value: 2000 });
assert.equal(convert({ value: Number.NaN, from: "km", to: "m" }).ok, false);
assert.equal(convert({ value: 1, from: "km", to: "parsec" }).ok, false);
console.log(`${Object.keys(verbs).length} verbs checked`);
