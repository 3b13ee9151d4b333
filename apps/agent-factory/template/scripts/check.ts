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

const { matchRoute } = await import("../src/routes.ts");
assert.deepEqual(matchRoute("POST", "/agents/ada/messages"), { agent: "ada", action: "say" });
assert.deepEqual(matchRoute("GET", "/agents/ada/messages"), { agent: "ada", action: "history" });
assert.equal(matchRoute("GET", "/agents//messages"), null);

const { MAX_TURNS, recent } = await import("../src/memory.ts");
const turns = Array.from({ length: MAX_TURNS + 1 }, (_, n) => ({ role: "user" as const, text: `${n}`, at: "" }));
assert.equal(recent(turns).length, MAX_TURNS);
assert.equal(recent(turns).at(-1)?.text, `${MAX_TURNS}`);

const { tools } = await import("../src/tools.ts");
const { describeTools, respond } = await import("../src/respond.ts");
assert.equal(new Set(tools.map((tool) => tool.name)).size, tools.length, "two tools share a name");
for (const { name, run } of tools) {
  assert.equal(typeof run("two words"), "string", `/${name} must answer with text`);
  assert.ok(describeTools().includes(name), `/${name} is not described`);
}
assert.equal(respond("/echo hello"), "hello");
assert.equal(respond("/nothing"), "I have no tool called nothing");
console.log(`${tools.length} tools checked`);
