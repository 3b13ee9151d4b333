import { describe, expect, test } from "vitest";
import { applied, CART, read, refused } from "./importing.ts";

const files = { "src/cart.js": CART };
const priced = CART.replace("sum += item.price;", "sum += item.price * item.count;");
const change = `  for (const item of items) {
-    sum += item.price;
+    sum += item.price * item.count;
   }
`;
const body = ` ${change}`;
const unmarked = change.replace("   }", "  }");
const names = "--- a/src/cart.js\n+++ b/src/cart.js\n";

describe("a unified diff as a model writes it", () => {
  test.each([
    ["without a fault", `${names}@@ -5,3 +5,3 @@\n${body}`],
    ["with wrong counts", `${names}@@ -5,9 +5,12 @@\n${body}`],
    ["with wrong line numbers", `${names}@@ -105,3 +205,3 @@\n${body}`],
    ["with a header of words", `${names}@@ ... @@\n${body}`],
    ["with a bare header", `${names}@@\n${body}`],
    ["with a function's name as header", `${names}@@ export function total(items) {\n${body}`],
    [
      "in a fence, in prose",
      `I changed the sum.\n\n\`\`\`diff\n${names}@@ -5,3 +5,3 @@\n${body}\`\`\`\n\nLet me know!\n`,
    ],
    ["in a fence that names no language", `\`\`\`\n${names}@@ -1,2 +1,2 @@\n${body}\`\`\``],
    ["with prose behind it and no fence", `${names}@@ -5,4 +5,4 @@\n${body}\nThis multiplies by the count.\n`],
    ["with prose before it and no fence", `Here is the patch:\n\n${names}@@ -5,3 +5,3 @@\n${body}`],
    [
      "under git's header, without prefixes on the names",
      `diff --git a/src/cart.js b/src/cart.js\nindex 123..456 100644\n--- src/cart.js\n+++ src/cart.js\n@@ -5 +5 @@\n${body}`,
    ],
    ["with the same prefix on both names", `--- a/src/cart.js\n+++ a/src/cart.js\n@@ -5,3 +5,3 @@\n${body}`],
    ["with context that lost its space", `\`\`\`diff\n${names}@@ -5,3 +5,3 @@\n${unmarked}\`\`\``],
    [
      "indented less than the file",
      `${names}@@ -5,3 +5,3 @@\n for (const item of items) {\n-  sum += item.price;\n+  sum += item.price * item.count;\n }\n`,
    ],
    ["with white space lost at line ends", `${names}@@ -4,4 +4,4 @@\n   let sum = 0;  \n${body}`],
    ["with CR LF", `${names}@@ -5,3 +5,3 @@\n${body}`.replaceAll("\n", "\r\n")],
    [
      "with context alone in another hunk",
      `${names}@@ -1,1 +1,1 @@\n import { tax } from "./tax";\n@@ -5,3 +5,3 @@\n${body}`,
    ],
  ])("%s", (_name, text) => {
    expect(applied(files, text)).toEqual({ "src/cart.js": priced });
  });

  test("makes and removes files whose counts are wrong", () => {
    const text =
      "--- /dev/null\n+++ b/new.js\n@@ -0,0 +1,9 @@\n+a\n+b\n--- a/src/cart.js\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-import\n";
    expect(applied(files, text)).toEqual({ "new.js": "a\nb\n" });
  });

  test("renames and edits one file with wrong counts", () => {
    const text = `diff --git a/src/cart.js b/src/sum.js\nrename from src/cart.js\nrename to src/sum.js\n${names.replace("+++ b/src/cart", "+++ b/src/sum")}@@ -5,7 +5,7 @@\n${body}`;
    expect(applied(files, text)).toEqual({ "src/sum.js": priced });
  });

  test("goes through as it is where it has no fault, with its modes", () => {
    const text = "diff --git a/src/cart.js b/src/cart.js\nold mode 100644\nnew mode 100755\n";
    expect(read(files, text).batch.patches).toMatchObject([{ op: "apply-diff", diff: text }]);
  });

  test("leaves a CR LF file one", () => {
    const windows = CART.replaceAll("\n", "\r\n");
    expect(applied({ "src/cart.js": windows }, `${names}@@ -5,9 +5,9 @@\n${body}`)).toEqual({
      "src/cart.js": priced.replaceAll("\n", "\r\n"),
    });
  });

  test("is refused where its lines stand in several places, with each", () => {
    const text = `${names}@@ ... @@\n   let sum = 0;\n+  if (!items) return 0;\n   for (const item of items) {\n`;
    expect(refused(files, text)).toMatchObject({
      code: "AMBIGUOUS_LOCATION",
      file: "src/cart.js",
      findings: [{ line: 3 }],
      candidates: [
        { start: 4, end: 5 },
        { start: 12, end: 13 },
      ],
    });
  });

  test("is refused where its lines stand nowhere, with the first that differs", () => {
    expect(
      refused(
        files,
        `${names}@@ -5,3 +5,3 @@\n   for (const item of items) {\n-    sum += item.cost;\n+    sum += 1;\n`,
      ),
    ).toMatchObject({
      code: "STALE_CONTENT",
      firstDivergence: { expected: "    sum += item.cost;", actual: "    sum += item.price;", line: 6 },
    });
  });

  test.each([
    ["prose alone", "I would change the sum.\n", 1, /expected/],
    ["a hunk without a file", "@@ -1 +1 @@\n-a\n+b\n", 1, /before the first hunk/],
    ["names without a hunk", `${names}\nNo changes needed.\n`, 4, /expected a hunk/],
    ["two files' names", "--- a/a.js\n+++ b/b/c.js\n@@ -1 +1 @@\n-a\n+b\n", 1, /two files/],
    ["a fence without its end", `\`\`\`diff\n${names}@@ -5,3 +5,3 @@\n${body}`, 8, /ends within the block of line 1/],
    ["a binary file", "diff --git a/x.png b/x.png\nBinary files a/x.png and b/x.png differ\n", 2, /binary/],
    ["a new file with old lines", "--- /dev/null\n+++ b/n.js\n@@ -0,0 +1,3 @@\n+a\n-b\n", 5, /expected an added line/],
  ])("is refused with its line: %s", (_name, text, line, why) => {
    const error = refused(files, text, "udiff");
    expect(error).toMatchObject({ code: "IMPORT_INVALID", findings: [{ line }] });
    expect(error.message).toMatch(why);
  });
});
