import { NO_USAGE, type Usage } from "@shared/contracts";
import { z } from "zod";
import { failureOf } from "../classify.ts";
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
  type AgentExit,
  type AgentParser,
  type AgentReport,
} from "./adapter.ts";

/** `copilot --output-format json` of 1.0: one object a line. */
const LineSchema = z.object({
  type: z.string(),
  data: z
    .object({
      content: z.string().optional(),
      message: z.string().optional(),
      errorType: z.string().optional(),
      statusCode: z.number().int().nullish(),
      errorMessage: z.string().nullish(),
      retryAttempt: z.number().int().optional(),
      toolCallId: z.string().optional(),
      toolName: z.string().optional(),
      arguments: z.unknown().optional(),
      success: z.boolean().optional(),
      // Of a tool an object, of a call for the model a word.
      result: z.union([z.object({ content: z.string().optional() }), z.string()]).nullish(),
      shellExecution: z.object({ exitCode: z.number().int().nullish() }).nullish(),
    })
    .optional(),
});
type Step = NonNullable<z.infer<typeof LineSchema>["data"]>;

const UsageFileSchema = z.object({
  modelMetrics: z.record(
    z.string(),
    z.object({
      usage: z.object({
        inputTokens: z.number().int(),
        outputTokens: z.number().int(),
        cacheReadTokens: z.number().int().optional(),
      }),
    }),
  ),
});

const USAGE_FILE = "copilot-usage.json";
const MCP_CONFIG = "copilot-mcp.json";
/** Its retries, with ever longer pauses, come to a minute: after this many that is for who sees all providers to do. */
const MAX_RETRIES = 1;
/** A service of one's own asks for a model by name. */
const DEFAULT_MODEL = "gpt-4.1";

export const copilot: AgentAdapter = {
  program: "copilot",
  command({ prompt, model, apiKey, endpoint, home, tree, patchctl }) {
    const args = ["-p", prompt, "--output-format", "json", "--allow-all-tools", "--no-ask-user", "--no-auto-update"];
    args.push("--usage-output-file", `${home}/${USAGE_FILE}`);
    args.push("--secret-env-vars=COPILOT_GITHUB_TOKEN,COPILOT_PROVIDER_API_KEY");
    const files: Record<string, { content: string }> = {};
    if (patchctl !== null) {
      const server = { type: "local", command: patchctl, args: mcpArgs(tree), tools: ["*"] };
      files[MCP_CONFIG] = { content: JSON.stringify({ mcpServers: { [ENGINE_SERVER]: server } }) };
      args.push("--additional-mcp-config", `@${home}/${MCP_CONFIG}`);
    }
    const env: Record<string, string> =
      endpoint === null
        ? { COPILOT_GITHUB_TOKEN: apiKey, ...(model !== null && { COPILOT_MODEL: model }) }
        : {
            COPILOT_OFFLINE: "true",
            COPILOT_PROVIDER_BASE_URL: openAiBase(endpoint),
            COPILOT_PROVIDER_API_KEY: apiKey,
            COPILOT_MODEL: model ?? DEFAULT_MODEL,
          };
    return { args, env, files };
  },
  parser: () => new CopilotParser(),
};

class CopilotParser implements AgentParser {
  #summary: string | null = null;
  #failure: AgentReport["failure"] = null;
  #hopeless: AgentReport["failure"] = null;
  readonly #commands = new Map<string, string>();

  hopeless(): AgentReport["failure"] {
    return this.#hopeless;
  }

  line(text: string): EventDraft[] | null {
    const line = parseLine(text, LineSchema);
    if (line === null) return null;
    const step = line.data ?? {};
    switch (line.type) {
      case "assistant.message": {
        const { content = "" } = step;
        // It went on: whatever was refused before has been got over.
        this.#failure = null;
        if (content !== "") this.#summary = content;
        return said(content);
      }
      case "tool.execution_start": {
        const command = commandOf(step);
        this.#commands.set(step.toolCallId ?? "", command);
        return [{ type: "command_executing", command }];
      }
      case "tool.execution_complete": {
        const command = this.#commands.get(step.toolCallId ?? "") ?? "tool";
        const exitCode = step.shellExecution?.exitCode ?? (step.success === true ? 0 : null);
        const content = typeof step.result === "string" ? step.result : (step.result?.content ?? "");
        return [...output(content), executed(command, exitCode)];
      }
      case "model.call_failure": {
        const { statusCode = null, errorMessage, retryAttempt = 0 } = step;
        const text = errorMessage ?? `the service answered ${statusCode ?? "nothing"}`;
        if (retryAttempt >= MAX_RETRIES) this.#hopeless = failureOf(text, statusCode);
        return [];
      }
      case "session.error": {
        const text = step.message ?? step.errorType ?? "it failed";
        this.#failure = failureOf(text, step.statusCode ?? null);
        return [];
      }
      default:
        return [];
    }
  }

  async report({ file }: AgentExit): Promise<AgentReport> {
    const text = await file(USAGE_FILE);
    return { failure: this.#failure, summary: this.#summary, usage: text === null ? NO_USAGE : usageOf(text) };
  }
}

function usageOf(text: string): Usage {
  const parsed = parseLine(text, UsageFileSchema);
  const models = Object.values(parsed?.modelMetrics ?? {}).map(({ usage }) => usage);
  if (models.length === 0) return NO_USAGE;
  return {
    inputTokens: models.reduce((sum, { inputTokens }) => sum + inputTokens, 0),
    outputTokens: models.reduce((sum, { outputTokens }) => sum + outputTokens, 0),
    cachedTokens: models.reduce((sum, { cacheReadTokens }) => sum + (cacheReadTokens ?? 0), 0),
    costUsd: null,
  };
}

const ArgumentsSchema = z.object({ command: z.string().optional(), path: z.string().optional() });

function commandOf({ toolName, arguments: given }: Step): string {
  const name = toolName ?? "tool";
  const parsed = ArgumentsSchema.safeParse(given);
  if (!parsed.success) return name;
  const { command, path } = parsed.data;
  // Its editor's tool names what it does `command`, too.
  if (command !== undefined && path === undefined) return command;
  return path === undefined ? name : `${name} ${path}`;
}
