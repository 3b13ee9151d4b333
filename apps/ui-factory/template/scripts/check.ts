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

const { renderPage } = await import("../src/page.ts");
const page = renderPage({ title: "<b>Title</b>", lead: "Lead & more" });
assert.ok(page.includes("&lt;b&gt;Title&lt;/b&gt;"), "text must be escaped");
assert.ok(page.includes("Lead &amp; more"));
assert.equal(page.match(/<main>/g)?.length, 1);
assert.equal(page.includes("<script"), false, "the page's policy runs no script");

const { STYLE } = await import("../src/style.ts");
assert.equal(STYLE.match(/[{]/g)?.length, STYLE.match(/[}]/g)?.length, "a rule of the stylesheet is not closed");
console.log("page and stylesheet checked");
