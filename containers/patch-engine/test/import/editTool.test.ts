import { describe, expect, test } from "vitest";
import { applied, CART, refused } from "./importing.ts";

const files = { "src/cart.js": CART };
const priced = CART.replace("item.price;", "item.price * 2;");
const path = "src/cart.js";
const replace = { command: "str_replace", path, old_str: "item.price;", new_str: "item.price * 2;" };
const envelope = `*** Begin Patch\n*** Update File: ${path}\n@@\n-    sum += item.price;\n+    sum += item.price * 2;\n*** End Patch`;
const json = JSON.stringify;

describe("calls of edit tools as models make them", () => {
  test.each([
    ["str_replace's arguments", json(replace)],
    [
      "Anthropic's tool_use",
      json({ type: "tool_use", id: "toolu_1", name: "str_replace_based_edit_tool", input: replace }),
    ],
    [
      "an Anthropic message",
      json({
        role: "assistant",
        content: [
          { type: "text", text: "Ok" },
          { type: "tool_use", name: "x", input: replace },
        ],
      }),
    ],
    [
      "an Edit",
      json({ name: "Edit", input: { file_path: path, old_string: "item.price;", new_string: "item.price * 2;" } }),
    ],
    [
      "a MultiEdit",
      json({
        name: "MultiEdit",
        input: { file_path: path, edits: [{ old_string: "item.price;", new_string: "item.price * 2;" }] },
      }),
    ],
    ["a Write", json({ name: "Write", input: { file_path: path, content: priced } })],
    [
      "OpenAI's function call",
      json({ type: "function_call", name: "apply_patch", arguments: json({ input: envelope }) }),
    ],
    ["OpenAI's custom tool call", json({ type: "custom_tool_call", name: "apply_patch", input: envelope })],
    [
      "OpenAI's tool_calls",
      json({
        tool_calls: [
          { id: "1", type: "function", function: { name: "apply_patch", arguments: json({ patch: envelope }) } },
        ],
      }),
    ],
    [
      "OpenAI's choices",
      json({
        choices: [
          { message: { tool_calls: [{ function: { name: "apply_patch", arguments: json({ input: envelope }) } }] } },
        ],
      }),
    ],
    [
      "a shell's apply_patch",
      json({ type: "function_call", name: "shell", arguments: json({ command: ["apply_patch", envelope] }) }),
    ],
    [
      "an apply_patch operation",
      json({
        type: "apply_patch_call",
        operation: { type: "update_file", path, diff: "@@\n-    sum += item.price;\n+    sum += item.price * 2;\n" },
      }),
    ],
    ["one call a line", `${json({ command: "view", path })}\n${json(replace)}\n`],
    ["a list of calls", json([{ command: "view", path }, replace])],
  ])("%s", (_name, text) => {
    expect(applied(files, text)).toEqual({ "src/cart.js": priced });
  });

  test("create, insert and delete", () => {
    const calls = [
      { command: "create", path: "new.js", file_text: "a\n" },
      { command: "insert", path, insert_line: 0, new_str: "// cart\n" },
      { operation: { type: "delete_file", path: "old.js" } },
    ];
    expect(applied({ ...files, "old.js": "x\n" }, json(calls))).toEqual({
      "new.js": "a\n",
      "src/cart.js": `// cart\n${CART}`,
    });
  });

  test("insert takes the text under both names it has had, and leaves other lines alone", () => {
    const call = { command: "insert", path, insert_line: 17, insert_text: "export default total;" };
    expect(applied(files, json(call))["src/cart.js"]).toBe(`${CART}export default total;\n`);
  });

  test("a replacement in a CR LF file leaves it one", () => {
    const call = {
      command: "str_replace",
      path,
      old_str: "return sum;\n}\n\nexport",
      new_str: "return 1;\n}\n\nexport",
    };
    const windows = { "src/cart.js": CART.replaceAll("\n", "\r\n") };
    expect(applied(windows, json(call))["src/cart.js"]).toBe(
      CART.replace("return sum;", "return 1;").replaceAll("\n", "\r\n"),
    );
  });

  test("a text that stands several times is refused, with each place", () => {
    expect(refused(files, json({ ...replace, old_str: "let sum = 0;" }))).toMatchObject({
      code: "AMBIGUOUS_LOCATION",
      candidates: [
        { start: 4, end: 4 },
        { start: 12, end: 12 },
      ],
    });
  });

  test.each([
    ["a text that is not there", { ...replace, old_str: "item.cost;" }, "STALE_CONTENT"],
    ["a file that is not there", { ...replace, path: "x.js" }, "FILE_NOT_FOUND"],
    ["making a file that is there", { command: "create", path, file_text: "" }, "FILE_EXISTS"],
    ["a line past the end", { command: "insert", path, insert_line: 99, new_str: "x" }, "RANGE_OUT_OF_BOUNDS"],
    ["a path outside", { ...replace, path: "../x.js" }, "PATH_INVALID"],
  ])("is refused: %s", (_name, call, code) => {
    expect(refused(files, json(call))).toMatchObject({ code });
  });

  test.each([
    ["no JSON", "{\n oops", 2, /expected JSON/],
    ["no object", "[1]", 1, /JSON object/],
    ["an unknown command", json({ command: "rm", path }), 1, /str_replace, create or insert/],
    ["undo_edit", json({ command: "undo_edit", path }), 1, /cannot be imported/],
    ["replace_all", json({ file_path: path, old_string: "a", new_string: "b", replace_all: true }), 1, /replace_all/],
    ["a call without its text", json({ command: "create", path }), 1, /`file_text` as text/],
    ["a line that is no number", json({ command: "insert", path, insert_line: "1", new_str: "" }), 1, /`insert_line`/],
    ["another tool's call", json({ name: "ls", input: { dir: "." } }), 1, /expected the arguments/],
    ["reading alone", json({ command: "view", path }), 1, /changes something/],
    ["the second line", `${json(replace)}\n{"command": }\n`, 2, /expected JSON/],
  ])("is refused with its line: %s", (_name, text, line, why) => {
    const error = refused(files, text, "edit-tool");
    expect(error).toMatchObject({ code: "IMPORT_INVALID", findings: [{ line }] });
    expect(error.message).toMatch(why);
  });
});

test("a text that bears the marks of two formats is not guessed at", () => {
  const text = `--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a\n+b\n${envelope}\n`;
  expect(refused(files, text)).toMatchObject({ code: "IMPORT_INVALID", findings: [{ line: 6 }] });
});
