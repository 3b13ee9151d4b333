import type { Usage } from "@shared/contracts";
import type { z } from "zod";
import type { Failure } from "../classify.ts";
import type { EventDraft } from "../EventLog.ts";

/** What a CLI is started for. */
export interface AgentTask {
  prompt: string;
  model: string | null;
  apiKey: string;
  /** Where the provider's service answers; null: the vendor's own. Without a slash at its end. */
  endpoint: string | null;
  /** In US dollars. */
  maxCostUsd: number | null;
  /** Whether a container around the host holds the agent in: a sandbox of its own could not be made within. */
  isContained: boolean;
  /** Absolute directories: the run's clean home, and its worktree. */
  home: string;
  tree: string;
  /** The program that offers the workspace's engine; null where this host has none. */
  patchctl: string | null;
}

export interface AgentCommand {
  args: string[];
  /** Joins the run's environment. The key stands here and nowhere else. */
  env: Record<string, string>;
  /** Written below the run's home before it starts, by relative path. */
  files: Record<string, { content: string; mode?: number }>;
}

/** How a CLI ended, as far as it said. */
export interface AgentReport {
  /** Why it gave up; null where it did not say so. */
  failure: Failure | null;
  /** What the agent said last. */
  summary: string | null;
  usage: Usage;
}

export interface AgentExit {
  code: number | null;
  /** What it wrote to stderr, its last part. */
  stderr: string;
  /** A file of the run's home that the CLI wrote, redacted; null where there is none. */
  file: (path: string) => Promise<string | null>;
}

/** Reads what one run of a CLI prints, line by line; lines are redacted already. */
export interface AgentParser {
  /** What a line of stdout says; null: it is no line of the CLI's protocol, and is shown as it is. */
  line(text: string): EventDraft[] | null;
  report(exit: AgentExit): Promise<AgentReport>;
  /** Why there is no use in waiting on, of a CLI that cannot be told to retry less; null while there is. */
  hopeless?(): Failure | null;
}

/** How one CLI is run, and how what it prints is read. */
export interface AgentAdapter {
  /** The program's name in PATH. */
  program: string;
  command(task: AgentTask): AgentCommand;
  parser(): AgentParser;
}

/** By what name each CLI knows the workspace's engine. */
export const ENGINE_SERVER = "vibehq";

/** The command of the engine's MCP server. */
export const mcpArgs = (tree: string): string[] => ["mcp", "--root", tree];

/** A line as a JSON object of that shape; null where it is not one. */
export function parseLine<Output>(line: string, schema: z.ZodType<Output>): Output | null {
  if (!line.startsWith("{")) return null;
  try {
    const parsed = schema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** A base URL with OpenAI's version in it, where the address of a whole host was given. */
export const openAiBase = (endpoint: string): string =>
  new URL(endpoint).pathname === "/" ? `${endpoint}/v1` : endpoint;

export const executed = (command: string, exitCode: number | null): EventDraft => ({
  type: exitCode === 0 ? "command_executed" : "command_execution_failed",
  command,
  exitCode,
});

export const output = (text: string): EventDraft[] =>
  text === "" ? [] : [{ type: "terminal_output", stream: "stdout", text }];

export const said = (text: string): EventDraft[] => (text === "" ? [] : [{ type: "conversation_response", text }]);
