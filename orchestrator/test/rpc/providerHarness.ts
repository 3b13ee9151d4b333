import {
  HeadSchema,
  type PatchOperationInput,
  type ProviderDefinition,
  ProviderDefinitionSchema,
  TaskSchema,
} from "@shared/contracts";
import {
  JULES_CONTROL_PATH,
  JulesRequestSchema,
  type JulesCommand,
  type JulesScript,
} from "@shared/testing/julesControl";
import {
  MODEL_CONTROL_PATH,
  type ModelCommand,
  ModelRequestSchema,
  type ScriptStep,
} from "@shared/testing/modelControl";
import { inject } from "vitest";
import { z } from "zod";
import type { ProviderRun } from "../../worker/services/ai-providers/driver.ts";
import { apply, mint } from "./workspaceHarness.ts";

const servers = inject("providers");

/** Steers the model server: what requests with a key are answered. */
export const model = {
  url: `${servers.model}/v1`,
  script: async (steps: ScriptStep[] | ((key: string) => ScriptStep[])): Promise<string> => {
    const key = mint("model-key");
    const given = typeof steps === "function" ? steps(key) : steps;
    await tell(servers.model + MODEL_CONTROL_PATH, { action: "script", key, steps: given } satisfies ModelCommand);
    return key;
  },
  requests: async (key: string) =>
    z
      .object({ requests: z.array(ModelRequestSchema) })
      .parse(await tell(servers.model + MODEL_CONTROL_PATH, { action: "requests", key } satisfies ModelCommand))
      .requests,
  release: (key: string) => tell(servers.model + MODEL_CONTROL_PATH, { action: "release", key } satisfies ModelCommand),
};

/** Steers the Jules server: an account of one's own. */
export const jules = {
  url: servers.jules,
  account: async (script: JulesScript | ((key: string) => JulesScript) = {}): Promise<string> => {
    const key = mint("jules-key");
    const given = typeof script === "function" ? script(key) : script;
    await tell(JULES, { action: "account", key, script: given } satisfies JulesCommand);
    return key;
  },
  requests: async (key: string) =>
    z.object({ requests: z.array(JulesRequestSchema) }).parse(await tell(JULES, { action: "requests", key })).requests,
  sessions: async (key: string) =>
    z
      .object({
        sessions: z.array(
          z.looseObject({
            name: z.string(),
            title: z.string(),
            prompt: z.string(),
            requirePlanApproval: z.boolean(),
            messages: z.array(z.string()),
          }),
        ),
      })
      .parse(await tell(JULES, { action: "sessions", key })).sessions,
};
const JULES = new URL(JULES_CONTROL_PATH, servers.jules).href;

async function tell(url: string, command: unknown): Promise<unknown> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(command) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

/** A definition with round prices: a dollar for a million tokens in, ten for a million out. */
export const aProvider = (name: "jules" | "ai-gateway" | "workers-ai", fields: Partial<ProviderDefinition> = {}) =>
  ProviderDefinitionSchema.parse({
    name,
    type: name === "jules" ? "jules" : "model",
    title: name,
    needs: name === "jules" ? "github-branch" : "files",
    capabilities: { generate: 0.5, fix: 0.5, refactor: 0.5, optimize: 0.5 },
    priorStrength: 1,
    secret: "KEY",
    models: ["test-model"],
    default_model: "test-model",
    api_endpoint: name === "jules" ? jules.url : model.url,
    cost:
      name === "jules"
        ? { kind: "quota", unitsPerDay: 15 }
        : { kind: "tokens", inputUsdPerMillion: 1, outputUsdPerMillion: 10, typicalUsd: 0.01 },
    concurrency: 4,
    enabled: true,
    ...fields,
  });

export function aRun(fields: Partial<ProviderRun> & Pick<ProviderRun, "provider" | "apiKey">): ProviderRun {
  const executionId = fields.executionId ?? mint("exec");
  return {
    executionId,
    attempt: 1,
    runId: `${executionId}.1`,
    task: aTask(),
    order: null,
    workspaceId: "default",
    model: "test-model",
    prompt: "Say goodbye in src/index.ts.",
    timeoutMs: 60_000,
    maxCostUsd: null,
    head: HeadSchema.parse({ seq: 0, hash: "0".repeat(64) }),
    repository: "acme/shop",
    branch: "main",
    approvePlan: false,
    ...fields,
  };
}

const AT = "2026-11-01T10:00:00.000Z";
export const aTask = (allowed = [{ files: "src/**" }]) =>
  TaskSchema.parse({
    id: mint("task"),
    order_id: "ORD-1",
    title: "Say goodbye",
    type: "fix",
    status: "pending",
    allowed,
    max_changed_lines: null,
    created_at: AT,
    updated_at: AT,
  });
/** Applies what a change came to. */
export const applyImported = (workspaceId: string, provider: string, patches: PatchOperationInput[]) =>
  apply({ workspaceId, batchId: mint("b"), requester: provider, patches });

export const block = (file: string, search: string, replace: string): string =>
  `${file}\n<<<<<<< SEARCH\n${search}=======\n${replace}>>>>>>> REPLACE\n`;
