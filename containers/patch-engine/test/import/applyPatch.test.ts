import { describe, expect, test } from "vitest";
import { applied, CART, refused } from "./importing.ts";

const files = { "src/cart.js": CART };
const priced = CART.replace("sum += item.price;", "sum += item.price * 2;");
const change = "-    sum += item.price;\n+    sum += item.price * 2;\n";
const patch = (body: string) => `*** Begin Patch\n${body}*** End Patch\n`;
const update = (body: string) => patch(`*** Update File: src/cart.js\n${body}`);

describe("the envelope of a patch as a model writes it", () => {
  test.each([
    ["without anchors", update(change)],
    ["with a bare @@", update(`@@\n${change}`)],
    ["with an anchor", update(`@@ export function total(items) {\n${change}`)],
    ["with a part of a line as anchor", update(`@@ export function total\n${change}`)],
    ["with context", update(`@@\n   for (const item of items) {\n${change}   }\n`)],
    [
      "with anchors within anchors",
      update(`@@ export function total(items) {\n@@   for (const item of items) {\n${change}`),
    ],
    ["with a unified diff's header", update(`@@ -5,3 +5,3 @@\n   for (const item of items) {\n${change}`)],
    ["in a shell's here-document", `apply_patch <<'EOF'\n${update(change)}EOF\n`],
    ["in a fence, in prose", `Applying:\n\`\`\`\n${update(change)}\`\`\`\nDone.`],
    ["with CR LF", update(change).replaceAll("\n", "\r\n")],
    ["indented otherwise than the file", update("@@\n-sum += item.price;\n+sum += item.price * 2;\n")],
    [
      "with blank lines between its parts",
      `*** Begin Patch\n\n*** Update File: src/cart.js\n${change}\n*** End Patch\n`,
    ],
    ["with ./ before the path", update(change).replace("src/", "./src/")],
  ])("%s", (_name, text) => {
    expect(applied(files, text)).toEqual({ "src/cart.js": priced });
  });

  test("tells two places alike apart by the anchor", () => {
    const text = update("@@ export function count(items) {\n-  return sum;\n+  return sum || 0;\n");
    const at = CART.lastIndexOf("return sum;");
    expect(applied(files, text)["src/cart.js"]).toBe(`${CART.slice(0, at)}return sum || 0;${CART.slice(at + 11)}`);
  });

  test("takes the end of the file for a place", () => {
    const text = update("@@\n   return sum;\n }\n+\n+export default total;\n*** End of File\n");
    expect(applied(files, text)["src/cart.js"]).toBe(`${CART}\nexport default total;\n`);
  });

  test("adds, deletes, moves and edits in one", () => {
    const body = `*** Add File: a/new.js\n+a\n+\n+b\n*** Delete File: old.js\n*** Update File: src/cart.js\n*** Move to: src/sum.js\n@@\n${change}`;
    expect(applied({ ...files, "old.js": "x\n" }, patch(body))).toEqual({
      "a/new.js": "a\n\nb\n",
      "src/sum.js": priced,
    });
  });

  test("is refused where its lines stand in several places, with each", () => {
    expect(refused(files, update("@@\n-  return sum;\n+  return 0;\n"))).toMatchObject({
      code: "AMBIGUOUS_LOCATION",
      findings: [{ line: 4 }],
      candidates: [
        { start: 8, end: 8 },
        { start: 16, end: 16 },
      ],
    });
  });

  test("is refused where its anchor stands in several places, with each", () => {
    expect(refused(files, update("@@   let sum = 0;\n-  return sum;\n+  return 0;\n"))).toMatchObject({
      code: "AMBIGUOUS_LOCATION",
      candidates: [
        { start: 4, end: 4 },
        { start: 12, end: 12 },
      ],
    });
  });

  test.each([
    ["whose anchor is not there", update(`@@ export function sum(items) {\n${change}`), "STALE_CONTENT"],
    ["of lines that are not there", update("-  return total;\n+  return 0;\n"), "STALE_CONTENT"],
    ["of a file that is not there", patch("*** Update File: x.js\n-a\n+b\n"), "FILE_NOT_FOUND"],
    ["deleting a file that is not there", patch("*** Delete File: x.js\n"), "FILE_NOT_FOUND"],
    ["adding a file that is there", patch("*** Add File: src/cart.js\n+a\n"), "FILE_EXISTS"],
    ["of a path outside", patch("*** Add File: ../a.js\n+a\n"), "PATH_INVALID"],
  ])("is refused: %s", (_name, text, code) => {
    expect(refused(files, text)).toMatchObject({ code });
  });

  test.each([
    ["no envelope", "+a\n", 1, /Begin Patch/],
    ["no end", `*** Begin Patch\n*** Delete File: a\n`, 2, /expected `\*\*\* End Patch`/],
    ["nothing in it", patch(""), 2, /expected a file/],
    ["prose in it", patch("I will now edit.\n"), 2, /Update File/],
    ["an added line without its mark", patch("*** Add File: a\n+a\nb\n"), 4, /begins with `\+`/],
    ["a line without a mark", update("@@\n-a\nb\n"), 5, /begins with a space/],
    ["an update without changes", patch("*** Update File: src/cart.js\n"), 2, /changes nothing/],
    ["context alone", update("@@\n   return sum;\n"), 4, /added or removed/],
    ["no name", patch("*** Delete File: \n"), 2, /file's name/],
  ])("is refused with its line: %s", (_name, text, line, why) => {
    const error = refused(files, text, "apply-patch");
    expect(error).toMatchObject({ code: "IMPORT_INVALID", findings: [{ line }] });
    expect(error.message).toMatch(why);
  });
});
