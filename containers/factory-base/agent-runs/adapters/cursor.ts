import { NO_USAGE } from "@shared/contracts";
import { z } from "zod";
import { failureOf, statusIn } from "../classify.ts";
import type { EventDraft } from "../EventLog.ts";
import {
  executed,
  parseLine,
  said,
  type AgentAdapter,
  type AgentExit,
  type AgentParser,
  type AgentReport,
} from "./adapter.ts";

/** `agent --output-format stream-json`, as its vendor documents it: one object a line. */
const LineSchema = z.object({
  type: z.string(),
  subtype: z.string().optional(),
  message: z.object({ content: z.array(z.object({ type: z.string(), text: z.string().optional() })) }).optional(),
  call_id: z.string().optional(),
  tool_call: z.record(z.string(), z.unknown()).optional(),
  is_error: z.boolean().optional(),
  result: z.string().optional(),
});

/** The vendor's own installer brings it; it is not on npm. It has no endpoint but its vendor's. */
export const cursor: AgentAdapter = {
  program: "agent",
  command({ prompt, model, apiKey }) {
    const args = ["-p", "--output-format", "stream-json", "--force", "--trust"];
    if (model !== null) args.push("--model", model);
    return { args: [...args, prompt], env: { CURSOR_API_KEY: apiKey }, files: {} };
  },
  parser: () => new CursorParser(),
};

class CursorParser implements AgentParser {
  #summary: string | null = null;
  #error: string | null = null;
  readonly #commands = new Map<string, string>();

  line(text: string): EventDraft[] | null {
    const line = parseLine(text, LineSchema);
    if (line === null) return null;
    if (line.type === "assistant") {
      const words = (line.message?.content ?? []).map((part) => part.text ?? "").join("");
      if (words !== "") this.#summary = words;
      return said(words);
    }
    if (line.type === "tool_call") {
      const id = line.call_id ?? "";
      const command = this.#commands.get(id) ?? commandOf(line.tool_call ?? {});
      this.#commands.set(id, command);
      return line.subtype === "completed" ? [executed(command, 0)] : [{ type: "command_executing", command }];
    }
    if (line.type === "result") {
      const isFailed = line.is_error === true || (line.subtype !== undefined && line.subtype !== "success");
      this.#error = isFailed ? (line.result ?? line.subtype ?? "it failed") : null;
      if (!isFailed && line.result !== undefined && line.result !== "") this.#summary = line.result;
    }
    return [];
  }

  async report({ code, stderr }: AgentExit): Promise<AgentReport> {
    const text = this.#error ?? (code === 0 || code === null ? null : stderr);
    const failure = text === null || text.trim() === "" ? null : failureOf(text, statusIn(text));
    return { failure, summary: this.#summary, usage: NO_USAGE };
  }
}

const CallSchema = z.object({
  args: z.object({ command: z.string().optional(), path: z.string().optional() }).optional(),
});

/** A call is one member, named by its tool: `{shellToolCall: {args: {command}}}`. */
function commandOf(call: Record<string, unknown>): string {
  const [first] = Object.entries(call);
  if (!first) return "tool";
  const name = first[0].replace(/ToolCall$/u, "");
  const parsed = CallSchema.safeParse(first[1]);
  const { command, path } = (parsed.success ? parsed.data.args : undefined) ?? {};
  return command ?? (path === undefined ? name : `${name} ${path}`);
}
