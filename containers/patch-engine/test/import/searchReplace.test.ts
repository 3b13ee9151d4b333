import { describe, expect, test } from "vitest";
import { applied, CART, read, refused } from "./importing.ts";

const files = { "src/cart.js": CART };
const priced = CART.replace("sum += item.price;", "sum += item.price * 2;");
const block = "<<<<<<< SEARCH\n    sum += item.price;\n=======\n    sum += item.price * 2;\n>>>>>>> REPLACE";

describe("SEARCH/REPLACE blocks as a model writes them", () => {
  test.each([
    ["with the name in the line above", `src/cart.js\n${block}\n`],
    ["with the name above the fence", `src/cart.js\n\`\`\`javascript\n${block}\n\`\`\`\n`],
    ["with the name within the fence", `\`\`\`javascript\nsrc/cart.js\n${block}\n\`\`\`\n`],
    ["with the name in the fence's info string", `\`\`\`js:src/cart.js\n${block}\n\`\`\`\n`],
    ["with the name behind SEARCH", `${block.replace("SEARCH", "SEARCH src/cart.js")}\n`],
    ["with the name in bold", `**src/cart.js**\n\n\`\`\`\n${block}\n\`\`\`\n`],
    ["with the name as heading", `### \`src/cart.js\`\n\n\`\`\`\n${block}\n\`\`\`\n`],
    ["with the name as comment", `// src/cart.js\n${block}\n`],
    ["with the name labelled", `File: src/cart.js\n${block}\n`],
    ["with the name in a sentence", `Now change \`src/cart.js\`:\n\n\`\`\`\n${block}\n\`\`\`\nThat is all.\n`],
    [
      "with other words on the marks",
      `src/cart.js\n${block.replace("SEARCH", "ORIGINAL").replace("REPLACE", "UPDATED")}\n`,
    ],
    [
      "with fewer marks",
      `src/cart.js\n${block.replace("<<<<<<<", "<<<<<").replace("=======", "=====").replace(">>>>>>>", ">>>>>")}\n`,
    ],
    ["with CR LF", `src/cart.js\n${block}\n`.replaceAll("\n", "\r\n")],
    ["indented otherwise than the file", `src/cart.js\n${block.replaceAll("    sum", "sum")}\n`],
    [
      "with more lines than it changes",
      `src/cart.js\n<<<<<<< SEARCH\n  for (const item of items) {\n    sum += item.price;\n  }\n=======\n  for (const item of items) {\n    sum += item.price * 2;\n  }\n>>>>>>> REPLACE\n`,
    ],
  ])("%s", (_name, text) => {
    expect(applied(files, text)).toEqual({ "src/cart.js": priced });
  });

  test("become edits of only the lines that differ", () => {
    const text = `src/cart.js\n<<<<<<< SEARCH\n  for (const item of items) {\n    sum += item.price;\n=======\n  for (const item of items) {\n    sum += 1;\n>>>>>>> REPLACE\n`;
    expect(read(files, text).batch.patches).toMatchObject([
      { op: "replace-block", start: 6, end: 6, expect: { text: "    sum += item.price;" } },
    ]);
  });

  test("of one file follow one name", () => {
    const other = block.replaceAll("price", "count");
    expect(applied(files, `src/cart.js\n${block}\n\n${other}\n`)["src/cart.js"]).toBe(
      priced.replace("sum += item.count;", "sum += item.count * 2;"),
    );
  });

  test("with an empty SEARCH make a file, but do not replace one", () => {
    const empty = "<<<<<<< SEARCH\n=======\nhi\n>>>>>>> REPLACE\n";
    expect(applied({}, `new.txt\n${empty}`)).toEqual({ "new.txt": "hi\n" });
    expect(refused(files, `src/cart.js\n${empty}`)).toMatchObject({ code: "FILE_EXISTS", findings: [{ line: 2 }] });
  });

  test("say by how much they were read generously", () => {
    expect(read(files, `src/cart.js\n${block.replaceAll("    sum", "sum")}\n`).notes).toMatchObject([
      { code: "INDENTATION", line: 2 },
    ]);
  });

  test("that fit several places are refused, with each", () => {
    expect(
      refused(files, `src/cart.js\n<<<<<<< SEARCH\n  return sum;\n=======\n  return 0;\n>>>>>>> REPLACE\n`),
    ).toMatchObject({
      code: "AMBIGUOUS_LOCATION",
      candidates: [
        { start: 8, end: 8 },
        { start: 16, end: 16 },
      ],
    });
  });

  test.each([
    ["without a name", `${block}\n`, 1, /file's name above/],
    ["without a divider", "a.js\n<<<<<<< SEARCH\na\n>>>>>>> REPLACE\n", 4, /expected `=======`/],
    ["without an end", "a.js\n<<<<<<< SEARCH\na\n=======\nb\n", 5, /ends within the block of line 2/],
    ["with two dividers", "a.js\n<<<<<<< SEARCH\na\n=======\nb\n=======\nc\n>>>>>>> REPLACE\n", 6, /second `=======`/],
    ["within another", "a.js\n<<<<<<< SEARCH\na\n<<<<<<< SEARCH\n", 4, /expected the end of the block of line 2/],
    ["without a beginning", "a.js\nb\n>>>>>>> REPLACE\n", 3, /expected `<<<<<<< SEARCH`/],
    ["of which there are none", "a.js is fine\n", 1, /expected a line/],
  ])("are refused with their line: %s", (_name, text, line, why) => {
    const error = refused(files, text, "search-replace");
    expect(error).toMatchObject({ code: "IMPORT_INVALID", findings: [{ line }] });
    expect(error.message).toMatch(why);
  });
});
