import { NO_USAGE, type Usage } from "@shared/contracts";
import { z } from "zod";
import { failureOf } from "../classify.ts";
import type { EventDraft } from "../EventLog.ts";
import {
  ENGINE_SERVER,
  executed,
  mcpArgs,
  output,
  parseLine,
  said,
  type AgentAdapter,
  type AgentParser,
  type AgentReport,
} from "./adapter.ts";

const BlockSchema = z.object({
  type: z.string(),
  text: z.string().optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  input: z.record(z.string(), z.unknown()).optional(),
  tool_use_id: z.string().optional(),
  is_error: z.boolean().nullish(),
  content: z.unknown().optional(),
});
type Block = z.infer<typeof BlockSchema>;

/** `claude --output-format stream-json` of 2.1: one object a line. */
const LineSchema = z.object({
  type: z.string(),
  subtype: z.string().optional(),
  message: z.object({ content: z.union([z.string(), z.array(BlockSchema)]) }).optional(),
  is_api_error_message: z.boolean().optional(),
  result: z.string().optional(),
  is_error: z.boolean().optional(),
  api_error_status: z.number().int().nullish(),
  attempt: z.number().int().optional(),
  retry_delay_ms: z.number().optional(),
  error_status: z.number().int().nullish(),
  total_cost_usd: z.number().nonnegative().optional(),
  usage: z
    .object({
      input_tokens: z.number().int(),
      output_tokens: z.number().int(),
      cache_read_input_tokens: z.number().int().nullish(),
    })
    .optional(),
});
type Line = z.infer<typeof LineSchema>;

/** Its own first pause is half a second and some chance; a longer one is what the service asked for. */
const OWN_FIRST_PAUSE_MS = 1000;
const SHELL = "bin/claude-shell";
const MCP_CONFIG = "claude-mcp.json";
/**
 * What every shell command of the model goes through. The CLI's own switch for it (CLAUDE_CODE_SUBPROCESS_ENV_SCRUB)
 * needs bubblewrap, which cannot work in most containers.
 */
const SHELL_SCRIPT = `#!/bin/sh\nunset ANTHROPIC_API_KEY\nexec /bin/bash -c "$*"\n`;

export const claude: AgentAdapter = {
  program: "claude",
  command({ prompt, model, apiKey, endpoint, maxCostUsd, home, tree, patchctl }) {
    const args = ["--bare", "-p", prompt, "--output-format", "stream-json", "--verbose", "--no-session-persistence"];
    if (model !== null) args.push("--model", model);
    if (maxCostUsd !== null) args.push("--max-budget-usd", String(maxCostUsd));
    const tools = ["Bash", "Edit", "Write", "Read", "Glob", "Grep"];
    const files: Record<string, { content: string; mode?: number }> = {
      [SHELL]: { content: SHELL_SCRIPT, mode: 0o755 },
    };
    if (patchctl !== null) {
      const server = { type: "stdio", command: patchctl, args: mcpArgs(tree), env: {} };
      files[MCP_CONFIG] = { content: JSON.stringify({ mcpServers: { [ENGINE_SERVER]: server } }) };
      args.push("--strict-mcp-config", "--mcp-config", `${home}/${MCP_CONFIG}`);
      tools.push(`mcp__${ENGINE_SERVER}`);
    }
    args.push("--permission-mode", "acceptEdits", "--allowedTools", tools.join(","));
    return {
      args,
      env: {
        ANTHROPIC_API_KEY: apiKey,
        ...(endpoint !== null && { ANTHROPIC_BASE_URL: endpoint }),
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
        // Few retries of its own: whether to come back, and when, is decided by who sees all providers.
        CLAUDE_CODE_MAX_RETRIES: "1",
        CLAUDE_CODE_SHELL_PREFIX: `${home}/${SHELL}`,
        DISABLE_AUTOUPDATER: "1",
      },
      files,
    };
  },
  parser: () => new ClaudeParser(),
};

class ClaudeParser implements AgentParser {
  #usage: Usage = NO_USAGE;
  #summary: string | null = null;
  #failure: AgentReport["failure"] = null;
  #retryAfterMs: number | null = null;
  readonly #commands = new Map<string, string>();

  line(text: string): EventDraft[] | null {
    const line = parseLine(text, LineSchema);
    if (line === null) return null;
    if (line.type === "system" && line.subtype === "api_retry") this.#retrying(line);
    if (line.type === "result") this.#result(line);
    if (line.message === undefined || line.is_api_error_message === true) return [];
    const { content } = line.message;
    // Words as plain text are the user's: the prompt.
    return typeof content === "string" ? [] : content.flatMap((block) => this.#block(line.type, block));
  }

  #retrying({ attempt, retry_delay_ms: delay, error_status: status }: Line): void {
    if (status === 429 && attempt === 1 && delay !== undefined && delay >= OWN_FIRST_PAUSE_MS) {
      this.#retryAfterMs = Math.round(delay);
    }
  }

  #block(type: string, block: Block): EventDraft[] {
    if (type === "assistant" && block.type === "text") {
      this.#summary = block.text ?? null;
      return said(block.text ?? "");
    }
    if (type === "assistant" && block.type === "tool_use") {
      const command = commandOf(block);
      this.#commands.set(block.id ?? "", command);
      return [{ type: "command_executing", command }];
    }
    if (type === "user" && block.type === "tool_result") {
      const command = this.#commands.get(block.tool_use_id ?? "") ?? "tool";
      return [...output(textOf(block.content)), executed(command, block.is_error === true ? null : 0)];
    }
    return [];
  }

  #result({ usage, total_cost_usd: costUsd, is_error, result, subtype, api_error_status: status }: Line): void {
    this.#usage = {
      inputTokens: usage?.input_tokens ?? null,
      outputTokens: usage?.output_tokens ?? null,
      cachedTokens: usage?.cache_read_input_tokens ?? null,
      costUsd: costUsd ?? null,
    };
    // It may exit with 0 all the same.
    const isFailed = is_error === true || (subtype !== undefined && subtype !== "success");
    const text =
      result ?? (subtype === "error_max_budget_usd" ? "the run's budget is spent" : (subtype ?? "it failed"));
    this.#failure = isFailed ? failureOf(text, status ?? null, this.#retryAfterMs) : null;
    if (!isFailed && result !== undefined && result !== "") this.#summary = result;
  }

  async report(): Promise<AgentReport> {
    return { failure: this.#failure, summary: this.#summary, usage: this.#usage };
  }
}

function commandOf({ name, input }: Block): string {
  const { command, file_path: file } = input ?? {};
  if (typeof command === "string") return command;
  return typeof file === "string" ? `${name ?? "tool"} ${file}` : (name ?? "tool");
}

const PartsSchema = z.array(z.object({ text: z.string().optional() }));

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  const parts = PartsSchema.safeParse(content);
  return parts.success ? parts.data.map(({ text }) => text ?? "").join("") : "";
}
