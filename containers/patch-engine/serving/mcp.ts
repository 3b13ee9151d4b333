import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { CallToolRequestSchema, ListToolsRequestSchema, type CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import {
  EngineMarkersRequestSchema,
  EngineRevertRequestSchema,
  fail,
  PatchBatchSchema,
  validationError,
  type EngineAnswer,
  type VibeError,
} from "@shared/contracts";
import { z } from "zod";
import { describeError } from "../cli/print.ts";
import { coordinatesOf } from "../core/index.ts";
import type { Engine } from "../index.ts";

/** Lines that one `read_lines` answers with at most: what comes after is asked for with `start`. */
const MAX_LINES = 2000;

const ReadLinesSchema = z
  .strictObject({
    file: z.string().min(1).describe("The file, relative to the workspace"),
    start: z.number().int().positive().optional().describe("The first line, counted from 1. Default: 1"),
    end: z.number().int().positive().optional().describe(`The last line, included. At most ${MAX_LINES} lines come`),
  })
  .refine(({ start = 1, end = start }) => end >= start, { path: ["end"], error: "end must not be before start" });

const RevertSchema = EngineRevertRequestSchema.omit({ expectedHead: true, actor: true }).partial({ batchId: true });

export interface McpService {
  engine: Engine;
  /** Names a revert that came without an id. */
  mintId: () => string;
  /** Called after each call that changed something. */
  applied: () => void;
}

/** As it is sent to the agent. `error` is there unless `ok`. */
type ToolAnswer = { ok: boolean; error?: VibeError; [part: string]: unknown };

interface Tool {
  description: string;
  schema: z.ZodType;
  readOnly: boolean;
  call(input: unknown, service: McpService): Promise<ToolAnswer>;
}

/** A tool whose input is parsed by its schema; what does not fit is VALIDATION_FAILED with the path of each finding. */
function tool<Output>(
  schema: z.ZodType<Output>,
  about: Pick<Tool, "description" | "readOnly">,
  call: (input: Output, service: McpService) => Promise<ToolAnswer>,
): Tool {
  return {
    ...about,
    schema,
    async call(input, service) {
      const parsed = schema.safeParse(input);
      return parsed.success ? call(parsed.data, service) : { ok: false, error: validationError(parsed.error) };
    },
  };
}

const TOOLS: Readonly<Record<string, Tool>> = {
  apply_patches: {
    description:
      "Edit files: apply a batch of patches, all of them or none. Line numbers are 1-based and inclusive and, unless " +
      "coordinates is sequential, all speak of the files as they stand before the batch. Give expect.text, the exact " +
      "text that an edit replaces or anchors to: if it has moved the edit follows it, if it has changed nothing is " +
      "written. A refusal says what stands there now and where else it may belong; correct the patches and call again.",
    schema: PatchBatchSchema,
    readOnly: false,
    // The engine parses a batch itself, from what was sent.
    call: async (batch, { engine, applied }) => {
      const answer = await engine.apply({ batch, door: "patchctl" });
      if (answer.ok && answer.outcome?.status === "applied") applied();
      return resultOf(answer);
    },
  },
  simulate: {
    description: "Show what apply_patches would do with this batch, diffs and checks included, and write nothing.",
    schema: PatchBatchSchema,
    readOnly: true,
    call: async (batch, { engine }) => resultOf(await engine.apply({ batch, simulate: true, door: "patchctl" })),
  },
  read_lines: tool(
    ReadLinesSchema,
    { description: "Read a file's lines with their numbers, and its sha256 for expect.sha256.", readOnly: true },
    async ({ file: path, start = 1, end }, { engine }) => {
      const read = await engine.readFile(path);
      if (!read.ok) return read;
      const { content, sha256, lines: count } = read.file;
      if (start > Math.max(count, 1)) {
        return fail("RANGE_OUT_OF_BOUNDS", `${path} has ${count} lines; line ${start} is not there`, { file: path });
      }
      const last = Math.min(end ?? count, count, start + MAX_LINES - 1);
      const lines = content.split("\n").slice(start - 1, last);
      return { ok: true, file: path, sha256, start, end: last, of: count, lines };
    },
  ),
  find_markers: tool(
    EngineMarkersRequestSchema,
    {
      description: "List the ###FINAL_MILE_PROMPT__X### markers, and where content for each file belongs.",
      readOnly: true,
    },
    async ({ files }, { engine }) => {
      const found = await engine.markers(files);
      if (!found.ok) return found;
      return { ok: true, files: found.files.map((file) => ({ ...file, coordinates: coordinatesOf(file) })) };
    },
  ),
  revert: tool(
    RevertSchema,
    {
      description:
        "Undo a patch, a batch or a task's patches. Refused, with the lines, where later edits touch the same ones.",
      readOnly: false,
    },
    async ({ batchId, ...request }, { engine, mintId, applied }) => {
      const answer = await engine.revert({ ...request, batchId: batchId ?? mintId(), door: "patchctl" });
      if (answer.ok) applied();
      return resultOf(answer);
    },
  ),
};

/** The outcome of a refusal says what is wrong with each patch. */
const resultOf = ({ ok, error, outcome, head }: EngineAnswer): ToolAnswer =>
  ok ? { ok, outcome, head } : { ok, ...(error && { error }), ...(outcome && { outcome }) };

/**
 * The workspace as tools of the Model Context Protocol. A refusal is a tool result with `isError`, not a protocol error:
 * its text and its structured content are the engine's error, by which the agent corrects itself in its next call.
 * `closed` settles when the client has gone.
 */
export async function serveMcp(transport: Transport, closed: Promise<unknown>, service: McpService): Promise<void> {
  const server = new Server(
    { name: "patchctl", version: "0.1.0" },
    {
      capabilities: { tools: {} },
      instructions:
        "Edit this workspace through apply_patches only: each edit is checked, logged and reversible. Read with " +
        "read_lines first, and say in expect what you believe stands there.",
    },
  );
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: Object.entries(TOOLS).map(([name, { description, schema, readOnly }]) => ({
      name,
      description,
      inputSchema: inputSchemaOf(schema),
      annotations: { readOnlyHint: readOnly, destructiveHint: false, openWorldHint: false },
    })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params: { name, arguments: input = {} } }) => {
    const called = Object.hasOwn(TOOLS, name) ? TOOLS[name] : undefined;
    if (!called) return toolResult(fail("NOT_FOUND", `there is no tool ${name}: ${Object.keys(TOOLS).join(", ")}`));
    try {
      return toolResult(await called.call(input, service));
    } catch {
      // Its message may name paths of this machine.
      return toolResult(fail("INTERNAL", "the engine failed", { nothingWritten: called.readOnly ? true : null }));
    }
  });
  await server.connect(transport);
  await closed;
}

function inputSchemaOf(schema: z.ZodType): { type: "object"; [key: string]: unknown } {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return { ...rest, type: "object" };
}

function toolResult(result: ToolAnswer): CallToolResult {
  const text = JSON.stringify(result);
  const texts = result.error ? [describeError(result.error), text] : [text];
  return {
    ...(!result.ok && { isError: true }),
    content: texts.map((one) => ({ type: "text", text: one })),
    structuredContent: { ...result },
  };
}
