import path from "node:path";
import type { CliProvider } from "@shared/contracts";
import { startModelServer, type ModelServer, type ModelServerOptions } from "@shared/testing";
import { onTestFinished } from "vitest";
import agents from "../../containers/factory-base/image/agents/package.json" with { type: "json" };
import { hostWithAgent } from "../../containers/factory-base/test/support/agents.ts";
import type { TestHost } from "../../containers/factory-base/test/support/host.ts";

/** Where `test:agents` has installed the CLI agents. */
const bin = process.env.VIBEHQ_AGENTS_BIN ?? "";

/** The agents that are on npm, each with a model that it knows. */
export const AGENTS = [
  { provider: "codex", model: "gpt-5.4", version: agents.dependencies["@openai/codex"] },
  { provider: "gemini", model: "gemini-2.5-pro", version: agents.dependencies["@google/gemini-cli"] },
  { provider: "claude", model: "claude-sonnet-4-5", version: agents.dependencies["@anthropic-ai/claude-code"] },
  { provider: "copilot", model: "gpt-4.1", version: agents.dependencies["@github/copilot"] },
] as const satisfies { provider: CliProvider; model: string; version: string }[];

/** `AGENT_PROGRAMS` of a host that has all of them. */
export const AGENT_PROGRAMS = AGENTS.map(({ provider }) => `${provider}=${path.join(bin, provider)}`).join(",");

/** A host with the real agents and one workspace, and a model that follows a script. */
export async function agentsAndModel(options: ModelServerOptions): Promise<{ host: TestHost; model: ModelServer }> {
  const model = await startModelServer(options);
  onTestFinished(() => model.stop());
  return { host: await hostWithAgent("true", { env: { AGENT_PROGRAMS } }), model };
}
