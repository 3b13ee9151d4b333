import { expect, test } from "vitest";
import { IMPORT_FORMATS, importPatches } from "../../import/index.ts";

const MB = 1 << 20;
const many = (text: string) => text.repeat(Math.floor(MB / text.length));
const names = "--- a/a.js\n+++ b/a.js\n";

test.each([
  ["diffs of one line", many(`${names}@@ -1 +1 @@\n-a\n+b\n`)],
  ["a hunk that half fits everywhere", `${names}@@ -9,250001 +9,250001 @@\n${" a\n".repeat(250_000)}-b\n+c\n`],
  ["hunks without numbers", `${names}${many("@@\n-a\n+b\n")}`],
  ["SEARCH/REPLACE blocks", many("a.js\n<<<<<<< SEARCH\nzz\n=======\nb\n>>>>>>> REPLACE\n")],
  ["openings", many("<<<<<<< SEARCH\n")],
  ["dividers", `<<<<<<< SEARCH a.js\n${many("=======\n")}`],
  ["fences", many("```\n")],
  ["fences within fences", many("````md\n```js\n")],
  ["marks in one line", "`".repeat(MB)],
  ["a path without end", `${"a.js".repeat(MB / 4)}\n\`\`\`\nx\n\`\`\`\n`],
  ["updates", `*** Begin Patch\n${many("*** Update File: a.js\n@@ a\n-a\n+b\n")}*** End Patch`],
  ["blank lines in an envelope", `*** Begin Patch\n*** Add File: b.js\n+x\n${many("\n")}*** End Patch`],
  ["brackets", many("[")],
  ["a text to replace", JSON.stringify({ command: "str_replace", path: "a.js", old_str: many("a\n"), new_str: "" })],
  ["a whole file", `a.js\n\`\`\`\n${many("a\nb\n")}\`\`\`\n`],
])("a megabyte of %s is answered soon, whatever format it is taken for", (_what, text) => {
  const file = many("a\n");
  const readFile = (path: string) => ({ ok: true as const, content: path === "a.js" ? file : null });
  for (const format of [...IMPORT_FORMATS, "auto"] as const) {
    const started = process.cpuUsage();
    importPatches(text, { format, readFile });
    const { user, system } = process.cpuUsage(started);
    // Far from what it takes, and far from what a search that is not linear would.
    expect((user + system) / 1000).toBeLessThan(5_000);
  }
});
