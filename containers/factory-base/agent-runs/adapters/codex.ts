import { NO_USAGE } from "@shared/contracts";
import { z } from "zod";
import { failureOf, statusIn } from "../classify.ts";
import type { EventDraft } from "../EventLog.ts";
import {
  ENGINE_SERVER,
  executed,
  mcpArgs,
  openAiBase,
  output,
  parseLine,
  said,
  type AgentAdapter,
  type AgentParser,
  type AgentReport,
} from "./adapter.ts";

const PROVIDER = "vibehq";

/** `codex exec --json` of 0.169: one object a line. */
const LineSchema = z.object({
  type: z.string(),
  message: z.string().optional(),
  error: z.object({ message: z.string() }).optional(),
  item: z
    .object({
      type: z.string(),
      text: z.string().optional(),
      command: z.string().optional(),
      aggregated_output: z.string().optional(),
      exit_code: z.number().int().nullish(),
      server: z.string().optional(),
      tool: z.string().optional(),
      status: z.string().optional(),
      changes: z.array(z.object({ path: z.string(), kind: z.string().optional() })).optional(),
    })
    .optional(),
  usage: z
    .object({
      input_tokens: z.number().int(),
      cached_input_tokens: z.number().int().optional(),
      output_tokens: z.number().int(),
    })
    .optional(),
});
type Item = NonNullable<z.infer<typeof LineSchema>["item"]>;

/** A value as TOML reads it: a JSON string is a TOML basic string. */
const toml = (value: string | string[]): string => JSON.stringify(value);

export const codex: AgentAdapter = {
  program: "codex",
  command({ prompt, model, apiKey, endpoint, isContained, tree, patchctl }) {
    const settings = [`shell_environment_policy.inherit="core"`];
    if (endpoint !== null) {
      // Few retries of its own: whether to come back, and when, is decided by who sees all providers.
      const provider = `{name=${toml(PROVIDER)},base_url=${toml(openAiBase(endpoint))},env_key="CODEX_API_KEY",wire_api="responses",request_max_retries=1,stream_max_retries=1}`;
      settings.push(`model_providers.${PROVIDER}=${provider}`, `model_provider=${PROVIDER}`);
    }
    if (patchctl !== null) {
      const server = `{command=${toml(patchctl)},args=${toml(mcpArgs(tree))},default_tools_approval_mode="approve"}`;
      settings.push(`mcp_servers.${ENGINE_SERVER}=${server}`);
    }
    const sandbox = isContained ? "danger-full-access" : "workspace-write";
    const args = ["exec", "--json", "--ephemeral", "--ignore-user-config", "-s", sandbox, "-C", tree];
    if (model !== null) args.push("-m", model);
    for (const setting of settings) args.push("-c", setting);
    return { args: [...args, "--", prompt], env: { CODEX_API_KEY: apiKey }, files: {} };
  },
  parser: () => new CodexParser(),
};

class CodexParser implements AgentParser {
  #report: AgentReport = { failure: null, summary: null, usage: NO_USAGE };
  #lastError = "";

  line(text: string): EventDraft[] | null {
    const line = parseLine(text, LineSchema);
    if (line === null) return null;
    if (line.usage !== undefined) {
      const { input_tokens, output_tokens, cached_input_tokens } = line.usage;
      this.#report.usage = {
        inputTokens: input_tokens,
        outputTokens: output_tokens,
        cachedTokens: cached_input_tokens ?? null,
        costUsd: null,
      };
    }
    // A turn that goes on after an error has got over it.
    if (line.type === "turn.completed") this.#lastError = "";
    if (line.type === "error") this.#lastError = line.message ?? "it failed";
    if (line.type === "turn.failed") this.#lastError = line.error?.message ?? "it failed";
    return line.item === undefined ? [] : this.#item(line.type, line.item);
  }

  #item(type: string, item: Item): EventDraft[] {
    const isDone = type === "item.completed";
    if (item.type === "agent_message" && isDone && item.text !== undefined) {
      this.#report.summary = item.text;
      return said(item.text);
    }
    const command = commandOf(item);
    if (command === null) return [];
    if (type === "item.started") return [{ type: "command_executing", command }];
    if (!isDone) return [];
    const exitCode = item.exit_code ?? (item.status === "completed" ? 0 : null);
    return [...output(item.aggregated_output ?? ""), executed(command, exitCode)];
  }

  async report(): Promise<AgentReport> {
    const text = this.#lastError;
    return { ...this.#report, failure: text === "" ? null : failureOf(text, statusIn(text)) };
  }
}

function commandOf({ type, command, server, tool, changes }: Item): string | null {
  if (type === "command_execution") return command ?? null;
  if (type === "mcp_tool_call") return `${server ?? "mcp"}.${tool ?? "tool"}`;
  if (type === "file_change") return `edit ${(changes ?? []).map(({ path }) => path).join(" ")}`;
  return null;
}
