import type { ProviderDefinition, ProviderName, ProviderType, TaskType } from "@shared/contracts";

type Needs = ProviderDefinition["needs"];
type Cost = ProviderDefinition["cost"];
interface Own {
  title: string;
  /** Expected share of success at generate, fix, refactor, optimize, before anything is known. */
  expected: [generate: number, fix: number, refactor: number, optimize: number];
  secret: string;
  models: [string, ...string[]];
  cost: Cost;
  concurrency: number;
  /** How many outcomes the expectation weighs as much as. */
  strength?: number;
}

const define = (name: ProviderName, type: ProviderType, needs: Needs, own: Own): ProviderDefinition => {
  const [generate, fix, refactor, optimize] = own.expected;
  const capabilities: Record<TaskType, number> = { generate, fix, refactor, optimize };
  return {
    name,
    type,
    title: own.title,
    needs,
    capabilities,
    priorStrength: own.strength ?? 4,
    secret: own.secret,
    models: own.models,
    default_model: own.models[0],
    api_endpoint: null,
    cost: own.cost,
    concurrency: own.concurrency,
    enabled: true,
  };
};

const tokens = (inputUsdPerMillion: number, outputUsdPerMillion: number, typicalUsd: number): Cost => ({
  kind: "tokens",
  inputUsdPerMillion,
  outputUsdPerMillion,
  typicalUsd,
});
const cli = (name: ProviderName, own: Own) => define(name, "cli", "workspace", own);
const model = (name: ProviderName, own: Own) => define(name, "model", "files", own);

/**
 * The providers there are. What stands here is a beginning: a deployment overrides it (`ai_provider_configs`), and what
 * is expected of a provider gives way to what is measured. Prices are list prices of the default model.
 */
export const DEFINITIONS: Readonly<Record<ProviderName, ProviderDefinition>> = {
  claude: cli("claude", {
    title: "Claude Code",
    expected: [0.72, 0.74, 0.72, 0.62],
    secret: "CLAUDE_API_KEY",
    models: ["claude-sonnet-4-5", "claude-opus-4-5", "claude-haiku-4-5"],
    cost: tokens(3, 15, 0.45),
    concurrency: 4,
  }),
  codex: cli("codex", {
    title: "Codex",
    expected: [0.7, 0.72, 0.66, 0.62],
    secret: "CODEX_API_KEY",
    models: ["gpt-5-codex", "gpt-5-mini"],
    cost: tokens(1.25, 10, 0.3),
    concurrency: 4,
  }),
  gemini: cli("gemini", {
    title: "Gemini CLI",
    expected: [0.62, 0.62, 0.58, 0.55],
    secret: "GEMINI_API_KEY",
    models: ["gemini-2.5-pro", "gemini-2.5-flash"],
    cost: tokens(1.25, 10, 0.2),
    concurrency: 4,
  }),
  jules: define("jules", "jules", "github-branch", {
    title: "Jules",
    expected: [0.62, 0.66, 0.6, 0.5],
    secret: "JULES_API_KEY",
    models: ["jules"],
    cost: { kind: "quota", unitsPerDay: 15 },
    concurrency: 3,
  }),
  copilot: cli("copilot", {
    title: "GitHub Copilot",
    expected: [0.62, 0.62, 0.58, 0.52],
    secret: "GITHUB_TOKEN",
    models: ["claude-sonnet-4.5", "gpt-5"],
    cost: { kind: "quota", unitsPerDay: 50 },
    concurrency: 2,
  }),
  cursor: cli("cursor", {
    title: "Cursor",
    expected: [0.62, 0.62, 0.6, 0.52],
    secret: "CURSOR_API_KEY",
    models: ["auto"],
    cost: { kind: "quota", unitsPerDay: 50 },
    concurrency: 2,
  }),
  "ai-gateway": model("ai-gateway", {
    title: "AI Gateway",
    expected: [0.52, 0.52, 0.46, 0.42],
    secret: "AI_GATEWAY_TOKEN",
    models: ["openai/gpt-5-mini", "anthropic/claude-haiku-4-5"],
    cost: tokens(0.25, 2, 0.04),
    concurrency: 8,
  }),
  "workers-ai": model("workers-ai", {
    title: "Workers AI",
    expected: [0.42, 0.42, 0.36, 0.32],
    // A binding of the Worker, not a text.
    secret: "AI",
    models: ["@cf/openai/gpt-oss-120b", "@cf/qwen/qwen2.5-coder-32b-instruct"],
    cost: tokens(0.35, 0.75, 0.01),
    concurrency: 8,
  }),
};
