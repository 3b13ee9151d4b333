import type { ArgsDef } from "citty";
import type { PatchOperationInput } from "@shared/contracts";
import { printAnswer } from "../print.ts";
import { commonArgs, UsageError, writingArgs, type Arguments, type Verb } from "../verb.ts";
import { readInput, withEngine } from "../workspace.ts";

const fileArg = {
  file: { type: "string", required: true, valueHint: "path", description: "The file, relative to the workspace" },
} as const satisfies ArgsDef;

const blockArgs = {
  block: { type: "string", valueHint: "text", description: "The text" },
  "block-file": { type: "string", valueHint: "path", description: "A file that holds the text; - for standard input" },
} as const satisfies ArgsDef;

const spaceArg = {
  "open-space": { type: "boolean", description: "Keep one blank line on each side of the text" },
} as const satisfies ArgsDef;

const lineArg = {
  line: { type: "string", required: true, valueHint: "n", description: "The line, counted from 1" },
} as const satisfies ArgsDef;

const editArgs = {
  "task-id": { type: "string", valueHint: "id", description: "The task this belongs to; the edit must fit its scope" },
  "order-id": { type: "string", valueHint: "id", description: "The order this belongs to" },
  id: { type: "string", valueHint: "id", description: "The patch's id" },
  "expect-text": {
    type: "string",
    valueHint: "text",
    description: "What stands there now; if it moved, the edit follows it, and if it changed, the edit is refused",
  },
  "expect-sha256": { type: "string", valueHint: "hex", description: "The hash the file has now, else it is refused" },
  check: { type: "enum", options: ["none", "syntax"], description: "What is checked before writing. Default: syntax" },
  "dry-run": { type: "boolean", description: "Show what it would do, and write nothing" },
  ...writingArgs,
  ...commonArgs,
} as const satisfies ArgsDef;

type Common = Pick<Extract<PatchOperationInput, { op: "append" }>, "file" | "taskId" | "id" | "expect">;

/** Builds the operation, or the exit code where its text cannot be read. */
type Build = (args: Arguments, common: Common, block: string | undefined) => PatchOperationInput;

function edit(summary: string, own: ArgsDef, build: Build): Verb {
  return {
    summary,
    args: { ...fileArg, ...own, ...editArgs },
    async run(args) {
      let block: string | undefined;
      if ("block" in own) {
        const file = args.text("block-file");
        block = args.text("block");
        if ((file === undefined) === (block === undefined)) {
          throw new UsageError("give the text with either --block or --block-file");
        }
        if (file !== undefined) {
          const read = readInput(args, file);
          if (!read.ok) return read.exit;
          block = read.text;
        }
      }
      const batch = { ...batchFields(args), patches: [build(args, commonFields(args), block)] };
      return withEngine(args, async (engine, root) => {
        const simulate = args.flag("dry-run");
        const answer = await engine.apply({ batch, simulate, door: "patchctl" });
        const exit = printAnswer(args, answer, simulate);
        if (answer.ok && !simulate) args.terminal.report(root);
        return exit;
      });
    },
  };
}

function batchFields(args: Arguments): Record<string, string> {
  const { batchId } = args.terminal;
  const fields: Record<string, string> = batchId === undefined ? {} : { batchId };
  const named = { batchId: "batch-id", orderId: "order-id", requester: "requester", reason: "reason", check: "check" };
  for (const [field, name] of Object.entries(named)) {
    const value = args.text(name);
    if (value !== undefined) fields[field] = value;
  }
  return fields;
}

function commonFields(args: Arguments): Common {
  const text = args.text("expect-text");
  const sha256 = args.text("expect-sha256");
  const taskId = args.text("task-id");
  const id = args.text("id");
  const expect = { ...(text !== undefined && { text }), ...(sha256 !== undefined && { sha256 }) };
  return {
    file: args.required("file"),
    ...(taskId !== undefined && { taskId }),
    ...(id !== undefined && { id }),
    ...(Object.keys(expect).length > 0 && { expect }),
  };
}

const line = (args: Arguments, name: string): number => {
  const value = args.integer(name, 1);
  if (value === undefined) throw new UsageError(`--${name} is missing`);
  return value;
};

const given = (block: string | undefined) => (block === undefined ? {} : { block });

export const replaceBlock = edit(
  "Replace lines START to END of a file",
  {
    start: { type: "string", required: true, valueHint: "n", description: "The first line, counted from 1" },
    end: { type: "string", required: true, valueHint: "n", description: "The last line, included" },
    ...blockArgs,
    ...spaceArg,
  },
  (args, common, block) => {
    const start = line(args, "start");
    const end = line(args, "end");
    if (end < start) throw new UsageError("--end must not be before --start");
    return { op: "replace-block", ...common, start, end, ...given(block), openSpace: args.flag("open-space") };
  },
);

export const insertBefore = edit(
  "Insert text before a line (N+1: at the end)",
  { ...lineArg, ...blockArgs, ...spaceArg },
  (args, common, block) => ({
    op: "insert-before",
    ...common,
    line: line(args, "line"),
    ...given(block),
    openSpace: args.flag("open-space"),
  }),
);

export const insertAfter = edit(
  "Insert text after a line",
  { ...lineArg, ...blockArgs, ...spaceArg },
  (args, common, block) => ({
    op: "insert-after",
    ...common,
    line: line(args, "line"),
    ...given(block),
    openSpace: args.flag("open-space"),
  }),
);

export const append = edit("Add text at the end of a file, or make it", blockArgs, (_args, common, block) => ({
  op: "append",
  ...common,
  ...given(block),
}));

export const prepend = edit("Add text at the start of a file, or make it", blockArgs, (_args, common, block) => ({
  op: "prepend",
  ...common,
  ...given(block),
}));

export const createFile = edit("Make a new file", blockArgs, (_args, common, block) => ({
  op: "create-file",
  ...common,
  ...given(block),
}));

export const deleteFile = edit("Delete a file", {}, (_args, common) => ({ op: "delete-file", ...common }));

export const renameFile = edit(
  "Move a file",
  { to: { type: "string", required: true, valueHint: "path", description: "The new path, relative to the workspace" } },
  (args, common) => ({ op: "rename-file", ...common, to: args.required("to") }),
);

export const replaceMarker = edit(
  "Replace a ###FINAL_MILE_PROMPT__X### marker's span",
  {
    marker: { type: "string", required: true, valueHint: "X", description: "The marker's name" },
    "keep-markers": { type: "boolean", description: "Keep the two marker lines, replace what is between" },
    ...blockArgs,
    ...spaceArg,
  },
  (args, common, block) => ({
    op: "replace-marker",
    ...common,
    marker: args.required("marker"),
    ...given(block),
    keepMarkers: args.flag("keep-markers"),
    openSpace: args.flag("open-space"),
  }),
);

export const searchReplace = edit(
  "Replace a text wherever it stands in a file",
  {
    search: { type: "string", required: true, valueHint: "text", description: "The exact text to find" },
    replace: { type: "string", required: true, valueHint: "text", description: "What to put in its place, literally" },
    count: { type: "string", valueHint: "n", description: "How often it must stand there. Default: 1" },
  },
  (args, common) => ({
    op: "search-replace",
    ...common,
    search: args.required("search"),
    replace: args.text("replace") ?? "",
    expectedCount: args.integer("count", 1) ?? 1,
  }),
);
