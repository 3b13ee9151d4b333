import { NO_USAGE, type Usage } from "@shared/contracts";
import { z } from "zod";
import { failureOf, retryAfterIn, statusIn } from "../classify.ts";
import type { EventDraft } from "../EventLog.ts";
import {
  ENGINE_SERVER,
  executed,
  mcpArgs,
  output,
  parseLine,
  said,
  type AgentAdapter,
  type AgentExit,
  type AgentParser,
  type AgentReport,
} from "./adapter.ts";

/** `gemini -o stream-json` of 0.61: one object a line. */
const LineSchema = z.object({
  type: z.string(),
  role: z.string().optional(),
  content: z.string().optional(),
  tool_name: z.string().optional(),
  tool_id: z.string().optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
  status: z.string().optional(),
  severity: z.string().optional(),
  message: z.string().optional(),
  output: z.string().optional(),
  error: z.object({ message: z.string().optional() }).optional(),
  stats: z
    .object({ input_tokens: z.number().int(), output_tokens: z.number().int(), cached: z.number().int().optional() })
    .optional(),
});
type Line = z.infer<typeof LineSchema>;

const SETTINGS = ".gemini/settings.json";

export const gemini: AgentAdapter = {
  program: "gemini",
  command({ prompt, model, apiKey, endpoint, tree, patchctl }) {
    const settings = {
      security: {
        auth: { selectedType: "gemini-api-key" },
        environmentVariableRedaction: { enabled: true },
      },
      // No retries of its own: whether to come back, and when, is decided by who sees all providers.
      general: { maxAttempts: 1, enableAutoUpdate: false, enableAutoUpdateNotification: false },
      privacy: { usageStatisticsEnabled: false },
      telemetry: { enabled: false },
      ...(patchctl !== null && {
        mcpServers: { [ENGINE_SERVER]: { command: patchctl, args: mcpArgs(tree), trust: true } },
      }),
    };
    const args = ["-p", prompt, "-o", "stream-json", "--approval-mode", "yolo", "--skip-trust"];
    if (model !== null) args.push("-m", model);
    return {
      args,
      env: { GEMINI_API_KEY: apiKey, ...(endpoint !== null && { GOOGLE_GEMINI_BASE_URL: endpoint }) },
      files: { [SETTINGS]: { content: JSON.stringify(settings) } },
    };
  },
  parser: () => new GeminiParser(),
};

class GeminiParser implements AgentParser {
  #usage: Usage = NO_USAGE;
  #summary: string | null = null;
  #error: string | null = null;
  /** What it said went wrong; its result may leave that out. */
  #told: string | null = null;
  /** What the agent is saying, which comes in pieces. */
  #saying = "";
  readonly #commands = new Map<string, string>();

  line(text: string): EventDraft[] | null {
    const line = parseLine(text, LineSchema);
    if (line === null) return null;
    if (line.type === "message") {
      if (line.role !== "user") this.#saying += line.content ?? "";
      return [];
    }
    return [...this.#endOfSpeech(), ...this.#step(line)];
  }

  #step(line: Line): EventDraft[] {
    const id = line.tool_id ?? "";
    switch (line.type) {
      case "tool_use": {
        const command = commandOf(line.tool_name ?? "tool", line.parameters ?? {});
        this.#commands.set(id, command);
        return [{ type: "command_executing", command }];
      }
      case "tool_result": {
        const command = this.#commands.get(id) ?? "tool";
        return [...output(line.output ?? ""), executed(command, line.status === "success" ? 0 : null)];
      }
      case "result": {
        if (line.stats) {
          const { input_tokens, output_tokens, cached } = line.stats;
          this.#usage = {
            inputTokens: input_tokens,
            outputTokens: output_tokens,
            cachedTokens: cached ?? null,
            costUsd: null,
          };
        }
        this.#error = line.status === "success" ? null : (line.error?.message ?? this.#told ?? "it failed");
        return [];
      }
      case "error": {
        if (line.severity === "error") this.#told = line.message ?? null;
        return [];
      }
      default:
        return [];
    }
  }

  #endOfSpeech(): EventDraft[] {
    if (this.#saying === "") return [];
    this.#summary = this.#saying;
    this.#saying = "";
    return said(this.#summary);
  }

  async report({ code, stderr }: AgentExit): Promise<AgentReport> {
    if (this.#saying !== "") this.#summary = this.#saying;
    const report = { summary: this.#summary, usage: this.#usage };
    if (this.#error === null && (code === 0 || code === null)) return { ...report, failure: null };
    const text = this.#error ?? errorLine(stderr);
    const status = statusIn(stderr) ?? statusIn(text) ?? statusOfExit(code);
    return { ...report, failure: failureOf(text, status, retryAfterIn(stderr)) };
  }
}

const errorLine = (stderr: string): string =>
  stderr.split("\n").findLast((line) => /error|failed/iu.test(line) && !/^\s+at /.test(line)) ?? "";

/** It exits with the HTTP status modulo 256. */
const statusOfExit = (code: number | null): number | null => (code !== null && code >= 400 - 256 ? code + 256 : null);

function commandOf(tool: string, parameters: Record<string, unknown>): string {
  const { command, file_path: file } = parameters;
  if (typeof command === "string") return command;
  return typeof file === "string" ? `${tool} ${file}` : tool;
}
