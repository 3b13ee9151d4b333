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
  check: {
    type: "enum",
    options: ["none", "syntax", "types"],
    description: "What is checked before writing. Default: syntax",
  },
  "dry-run": { type: "boolean", description: "Show what it would do, and write nothing" },
  ...writingArgs,
  ...commonArgs,
} as const satisfies ArgsDef;

type Common = Pick<Extract<PatchOperationInput, { op: "append" }>, "file" | "taskId" | "id" | "expect">;

/** Builds the operation, or the exit code where its text cannot be read. */
type Build = (args: Arguments, common: Common, block: string | undefined) => PatchOperationInput;

function edit(own: ArgsDef, build: Build): Verb {
  return {
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
      return send(args, build(args, { file: args.required("file"), ...commonFields(args) }, block));
    },
  };
}

function send(args: Arguments, patch: PatchOperationInput): Promise<number> {
  const batch = { ...batchFields(args), patches: [patch] };
  return withEngine(args, async (engine, root) => {
    const simulate = args.flag("dry-run");
    const answer = await engine.apply({ batch, simulate, door: "patchctl" });
    const exit = printAnswer(args, answer, simulate);
    if (answer.ok && !simulate) args.terminal.report(root);
    return exit;
  });
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

function commonFields(args: Arguments): Omit<Common, "file"> {
  const text = args.text("expect-text");
  const sha256 = args.text("expect-sha256");
  const taskId = args.text("task-id");
  const id = args.text("id");
  const expect = { ...(text !== undefined && { text }), ...(sha256 !== undefined && { sha256 }) };
  return {
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

export const insertBefore = edit({ ...lineArg, ...blockArgs, ...spaceArg }, (args, common, block) => ({
  op: "insert-before",
  ...common,
  line: line(args, "line"),
  ...given(block),
  openSpace: args.flag("open-space"),
}));

export const insertAfter = edit({ ...lineArg, ...blockArgs, ...spaceArg }, (args, common, block) => ({
  op: "insert-after",
  ...common,
  line: line(args, "line"),
  ...given(block),
  openSpace: args.flag("open-space"),
}));

export const append = edit(blockArgs, (_args, common, block) => ({
  op: "append",
  ...common,
  ...given(block),
}));

export const prepend = edit(blockArgs, (_args, common, block) => ({
  op: "prepend",
  ...common,
  ...given(block),
}));

export const createFile = edit(blockArgs, (_args, common, block) => ({
  op: "create-file",
  ...common,
  ...given(block),
}));

export const deleteFile = edit({}, (_args, common) => ({ op: "delete-file", ...common }));

export const renameFile = edit(
  { to: { type: "string", required: true, valueHint: "path", description: "The new path, relative to the workspace" } },
  (args, common) => ({ op: "rename-file", ...common, to: args.required("to") }),
);

export const replaceMarker = edit(
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

const { "expect-text": _contextSaysIt, ...diffArgs } = editArgs;

export const applyDiff: Verb = {
  args: {
    diff: { type: "positional", required: true, description: "The diff: a file, or - for standard input" },
    file: { type: "string", valueHint: "path", description: "The one file it is of; then hunks alone are a diff" },
    ...diffArgs,
  },
  run(args) {
    const read = readInput(args, args.required("diff"));
    if (!read.ok) return Promise.resolve(read.exit);
    const file = args.text("file");
    return send(args, {
      op: "apply-diff",
      ...commonFields(args),
      ...(file === undefined ? {} : { file }),
      diff: read.text,
    });
  },
};
