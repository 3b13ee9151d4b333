import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { PatchBatchSchema, VibeErrorSchema } from "@shared/contracts";
import { z } from "zod";
import { makeRoot, read, tree } from "../engine/tempWorkspace.ts";

const PATCHCTL = fileURLToPath(new URL("../../cli/patchctl.cjs", import.meta.url));

let root: string;
let client: Client;

beforeEach(async () => {
  root = makeRoot({
    "a.ts": "const a = 1;\nconst b = 2;\nconst c = 3;\n",
    "m.txt": "1\n###FINAL_MILE_PROMPT__X###\n",
  });
  mkdirSync(join(root, ".git"));
  client = new Client({ name: "an-agent", version: "1.0.0" });
  onTestFinished(() => client.close());
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [PATCHCTL, "mcp", "--root", root], stderr: "inherit" }),
  );
});

async function call(name: string, input: Record<string, unknown>) {
  const result = CallToolResultSchema.parse(await client.callTool({ name, arguments: input }));
  const texts = result.content.map((content) => (content.type === "text" ? content.text : ""));
  return { isError: result.isError ?? false, texts, value: result.structuredContent ?? {} };
}

const errorOf = (called: Awaited<ReturnType<typeof call>>) => {
  expect(called.isError).toBe(true);
  return VibeErrorSchema.parse(called.value.error);
};

const replace = (line: number, block: string, text?: string) => ({
  patches: [
    {
      op: "replace-block",
      file: "a.ts",
      start: line,
      end: line,
      block,
      ...(text !== undefined && { expect: { text } }),
    },
  ],
});

describe("patchctl mcp", () => {
  it("lists its tools with the contracts' JSON schemas", async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      "apply_patches",
      "simulate",
      "read_lines",
      "find_markers",
      "revert",
    ]);
    const { $schema, ...batch } = z.toJSONSchema(PatchBatchSchema, { io: "input" });
    expect($schema).toContain("json-schema.org");
    expect(tools[0]?.inputSchema).toEqual(batch);
    expect(tools[1]?.inputSchema).toEqual(batch);
    for (const tool of tools) {
      expect(tool.inputSchema.type).toBe("object");
      expect(tool.annotations?.readOnlyHint).toBe(!["apply_patches", "revert"].includes(tool.name));
    }
  });

  it("reads lines, applies what was simulated, and takes it back", async () => {
    const lines = await call("read_lines", { file: "a.ts", start: 2, end: 3 });
    expect(lines.value).toMatchObject({ start: 2, end: 3, of: 3, lines: ["const b = 2;", "const c = 3;"] });
    const before = tree(root);
    const simulated = await call("simulate", replace(2, "const b = 22;"));
    expect(simulated.value).toMatchObject({ ok: true, outcome: { status: "dry-run" } });
    expect(tree(root)).toEqual(before);

    const applied = await call("apply_patches", { batchId: "mine", ...replace(2, "const b = 22;", "const b = 2;") });
    expect(applied).toMatchObject({ isError: false, value: { ok: true, outcome: { status: "applied" } } });
    expect(JSON.parse(applied.texts[0]!)).toEqual(applied.value);
    expect(read(root, "a.ts")).toBe("const a = 1;\nconst b = 22;\nconst c = 3;\n");

    const reverted = await call("revert", { target: { by: "batch", id: "mine" } });
    expect(reverted.isError).toBe(false);
    expect(tree(root)).toEqual(before);
  });

  it("finds markers with where content belongs", async () => {
    const { value } = await call("find_markers", { files: ["m.txt", "none.txt"] });
    expect(value.files).toMatchObject([
      { coordinates: { mode: "existing", span: { start: 2, end: 2 } } },
      { coordinates: { mode: "new" } },
    ]);
  });

  it("answers a refusal with what an agent needs to correct itself in its next call", async () => {
    const stale = await call("apply_patches", replace(2, "const b = 9;", "const b = 5;"));
    const error = errorOf(stale);
    expect(error).toMatchObject({ code: "STALE_CONTENT", nothingWritten: true });
    expect(stale.texts[0]).toContain("STALE_CONTENT");
    expect(stale.texts[0]).toContain("2 | const b = 2;");
    const text = error.context!.lines[2 - error.context!.startLine]!;
    expect((await call("apply_patches", replace(2, "const b = 9;", text))).isError).toBe(false);
    expect(read(root, "a.ts")).toContain("const b = 9;");
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["apply_patches", { patches: [{ op: "explode" }] }, "VALIDATION_FAILED"],
    ["apply_patches", {}, "VALIDATION_FAILED"],
    ["apply_patches", { patches: [{ op: "append", file: "../x", block: "x" }] }, "PATH_INVALID"],
    ["apply_patches", { patches: [{ op: "append", file: "a.ts", blockFile: "m.txt" }] }, "BLOCK_FILE_REFUSED"],
    ["simulate", { patches: [{ op: "append", file: "a.ts", block: "let x = ;" }] }, "SYNTAX_ERROR"],
    ["read_lines", { file: "none.ts" }, "FILE_NOT_FOUND"],
    ["read_lines", { file: "../../etc/passwd" }, "PATH_INVALID"],
    ["read_lines", { file: "a.ts", start: 9 }, "RANGE_OUT_OF_BOUNDS"],
    ["read_lines", { file: "a.ts", start: 2, end: 1 }, "VALIDATION_FAILED"],
    ["read_lines", { path: "a.ts" }, "VALIDATION_FAILED"],
    ["find_markers", { files: "a.ts" }, "VALIDATION_FAILED"],
    ["revert", { target: { by: "patch", id: "none" } }, "PATCH_NOT_FOUND"],
    ["revert", { target: "none" }, "VALIDATION_FAILED"],
    ["explode", {}, "NOT_FOUND"],
  ])("refuses %s of %j with %s, writes nothing and goes on", async (name, input, code) => {
    const before = tree(root);
    const refused = await call(name, input);
    expect(errorOf(refused).code).toBe(code);
    expect(refused.texts.join("\n")).not.toMatch(/\n +at |\/tmp\//);
    expect(tree(root)).toEqual(before);
    expect((await call("read_lines", { file: "a.ts" })).isError).toBe(false);
  });
});
