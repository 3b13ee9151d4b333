import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createClient, type Client } from "@shared/client";
import type { ProviderName } from "@shared/contracts";
import { z } from "zod";
import { readDevVars, writeDevVars } from "../devVars.ts";
import { migrateLocal } from "../migrations.ts";
import { listWorkers, ROOT } from "../repository.ts";
import type { Child } from "../start/children.ts";
import { startEngine } from "../start/engine.ts";
import { freePort } from "../start/ports.ts";
import { claimStore } from "../start/store.ts";
import { startWorkers } from "../start/workers.ts";
import { AGENT_PROGRAMS } from "./agents.ts";

/** The key of each provider: where it stands, and a value that is found again wherever it went. */
export const KEYS = {
  codex: aKey("CODEX_API_KEY"),
  gemini: aKey("GEMINI_API_KEY"),
  claude: aKey("CLAUDE_API_KEY"),
  copilot: aKey("GITHUB_TOKEN"),
  jules: aKey("JULES_API_KEY"),
  "ai-gateway": aKey("AI_GATEWAY_TOKEN"),
} as const satisfies Partial<Record<ProviderName, { binding: string; value: string }>>;

function aKey(binding: string) {
  return { binding, value: `canary-${randomBytes(24).toString("hex")}` };
}

export interface Stack {
  url: string;
  token: string;
  client: Client;
  /** Everything it keeps: databases, objects, workspaces, worktrees, logs. */
  data: string;
  /** A directory below which sources of workspaces may stand. */
  sources: string;
  /** What the API has answered, whatever was asked of it by `client`. */
  answers: readonly string[];
  /** Ends all of it; what it keeps stays. */
  end(): Promise<void>;
  remove(): void;
}

/**
 * Everything that `npm start` starts, on a store of its own, with the real CLI agents and a key for each provider in its
 * environment. `github` are the variables of core-github-api, with its token among them.
 */
export async function startStack(github: Record<string, string>): Promise<Stack> {
  const data = mkdtempSync(path.join(tmpdir(), "vibehq-agents-"));
  const sources = mkdtempSync(path.join(tmpdir(), "vibehq-sources-"));
  const children: Child[] = [];
  const spawned = async (child: Child): Promise<void> => void children.push(child);
  const release = claimStore(data);
  const answers: string[] = [];
  const end = async (): Promise<void> => {
    for (const child of children.splice(0).toReversed()) await child.end();
    release();
  };
  const remove = (): void => {
    for (const directory of [data, sources]) rmSync(directory, { recursive: true, force: true });
  };
  try {
    writeDevVars();
    await migrateLocal(data);
    const secrets = readDevVars(path.join(ROOT, "orchestrator/.dev.vars"));
    Object.assign(process.env, { AGENT_PROGRAMS });
    for (const { binding, value } of Object.values(KEYS)) process.env[binding] = value;
    const engine = await startEngine({ data, token: secrets.ENGINE_TOKEN ?? "", sourceRoots: [sources], spawned });
    const { url } = await startWorkers({
      data,
      port: await freePort(0),
      vars: { ENGINE_URL: engine.url, INSTANCE: "agents" },
      configs: { "core-github-api": githubConfig(sources, github) },
      spawned,
    });
    const token = secrets.BOOTSTRAP_TOKEN ?? "";
    const client = createClient({
      url,
      token,
      fetch: async (...call) => {
        const response = await fetch(...call);
        answers.push(await response.clone().text());
        return response;
      },
    });
    return { url, token, client, data, sources, answers, end, remove };
  } catch (error) {
    await end();
    throw error;
  }
}

const VarsSchema = z.record(z.string(), z.string());

/** The Worker's own configuration with other variables, and its token beside it, outside of the store. */
function githubConfig(directory: string, { GITHUB_TOKEN = "", ...vars }: Record<string, string>): string {
  const worker = listWorkers().find(({ name }) => name === "core-github-api");
  if (!worker) throw new Error("there is no core-github-api");
  const folder = path.join(directory, "core-github-api");
  mkdirSync(folder);
  writeFileSync(path.join(folder, ".dev.vars"), `GITHUB_TOKEN="${GITHUB_TOKEN}"\n`);
  const { $schema: _schema, ...config } = worker.config;
  const file = path.join(folder, "wrangler.jsonc");
  const main = path.join(worker.directory, config.main ?? "");
  writeFileSync(file, JSON.stringify({ ...config, main, vars: { ...VarsSchema.parse(config.vars), ...vars } }));
  return file;
}
