import { describe, expect, test } from "vitest";
import { applied, CART, read, refused } from "./importing.ts";

const files = { "src/cart.js": CART };
const now = CART.replace("item.price;", "item.price * 2;");
const fenced = `\`\`\`js\n${now}\`\`\`\n`;

describe("whole files as a model writes them", () => {
  test.each([
    ["with the path in the line above", `src/cart.js\n${fenced}`],
    ["with the path as heading", `## src/cart.js\n\n${fenced}`],
    ["with the path in bold and backquotes", `**\`src/cart.js\`**:\n${fenced}`],
    ["with the path labelled", `File: src/cart.js\n${fenced}`],
    ["with the path in a sentence", `Here is the new \`src/cart.js\`:\n\n${fenced}\nAnything else?`],
    ["with the path in the info string", fenced.replace("js", "js:src/cart.js")],
    ["with the path as title", fenced.replace("js", 'js title="src/cart.js"')],
    ["with the path alone in the info string", fenced.replace("js", "src/cart.js")],
    ["with the path as comment in the first line", fenced.replace("js\n", "js\n// src/cart.js\n")],
    ["in tildes", `src/cart.js\n${fenced.replaceAll("```", "~~~")}`],
    ["as a JSON object", JSON.stringify({ "src/cart.js": now })],
    ["as a JSON list", JSON.stringify([{ path: "src/cart.js", content: now }])],
    ["as JSON under files", JSON.stringify({ files: [{ filePath: "src/cart.js", fileContents: now }] })],
  ])("%s", (_name, text) => {
    expect(applied(files, text, "files")).toEqual({ "src/cart.js": now });
  });

  test("become edits of the lines that differ, and no more", () => {
    const { batch, notes } = read(files, `src/cart.js\n${fenced}`);
    expect(batch.patches).toEqual([
      {
        op: "replace-block",
        file: "src/cart.js",
        start: 6,
        end: 6,
        block: "    sum += item.price * 2;\n",
        expect: { text: "    sum += item.price;" },
      },
    ]);
    expect(notes).toEqual([]);
  });

  test("are flagged where more than the set share changes", () => {
    const text = "src/cart.js\n```js\nexport const total = 0;\n```\n";
    expect(read(files, text).notes).toMatchObject([{ code: "REWRITES_FILE", file: "src/cart.js", line: 2 }]);
  });

  test("that are new are made, several at once", () => {
    const text = "a.js\n```js\na\n```\n\nb.md\n````md\n```js\nb\n```\n````\n";
    expect(applied({}, text)).toEqual({ "a.js": "a\n", "b.md": "```js\nb\n```\n" });
  });

  test("keep the file's own line endings", () => {
    const windows = { "src/cart.js": CART.replaceAll("\n", "\r\n") };
    expect(applied(windows, `src/cart.js\n${fenced}`)).toEqual({ "src/cart.js": now.replaceAll("\n", "\r\n") });
  });

  test("that are so already are said to be", () => {
    expect(refused(files, `src/cart.js\n\`\`\`js\n${CART}\`\`\`\n`)).toMatchObject({ code: "IMPORT_INVALID" });
  });

  test.each([
    ["without a path", "```js\nx\n```\n", 1, /path above this block/],
    ["without an end", "a.js\n```js\nx\n", 3, /ends within the block of line 2/],
    ["without a block", "a.js is done\n", 1, /expected a fenced block/],
    ["as JSON that is none", '{\n  "a.js": "x\n}', 2, /expected JSON/],
    ["as JSON of something else", '[{"path": 1}]', 1, /a path and a content/],
    ["as JSON without a file", "[]", 1, /at least one file/],
  ])("are refused with their line: %s", (_name, text, line, why) => {
    const error = refused(files, text, "files");
    expect(error).toMatchObject({ code: "IMPORT_INVALID", findings: [{ line }] });
    expect(error.message).toMatch(why);
  });
});
