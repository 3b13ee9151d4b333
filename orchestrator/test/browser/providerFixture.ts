import type { ProviderStatus } from "@shared/contracts";

const MINUTE = 60_000;
const at = (minutes: number): string => new Date(Date.now() + minutes * MINUTE).toISOString();
type Estimates = ProviderStatus["success"];
const estimate = (mean: number, spread: number, outcomes: number) => ({
  mean,
  low: Math.max(0, mean - spread),
  high: Math.min(1, mean + spread),
  outcomes,
});
const measured = (...shares: [number, number, number][]): Estimates =>
  Object.fromEntries(
    (["generate", "fix", "refactor", "optimize"] as const).map((type, index) => {
      const [mean, spread, outcomes] = shares[index] ?? [0.5, 0.4, 0];
      return [type, estimate(mean, spread, outcomes)];
    }),
  );

function provider(
  definition: Pick<ProviderStatus["provider"], "name" | "title" | "default_model"> &
    Partial<ProviderStatus["provider"]>,
  status: Partial<Omit<ProviderStatus, "provider">> = {},
): ProviderStatus {
  return {
    provider: {
      type: "cli",
      needs: "workspace",
      capabilities: { generate: 0.7, fix: 0.7, refactor: 0.7, optimize: 0.6 },
      priorStrength: 8,
      secret: `${definition.name.toUpperCase().replaceAll("-", "_")}_API_KEY`,
      models: [definition.default_model, `${definition.default_model}-mini`],
      api_endpoint: null,
      cost: { kind: "tokens", inputUsdPerMillion: 3, outputUsdPerMillion: 15, typicalUsd: 0.3 },
      concurrency: 4,
      enabled: true,
      ...definition,
    },
    available: true,
    reasons: [],
    keyPresent: true,
    breaker: { state: "closed", reason: null, until: null, failures: 0 },
    running: 0,
    budget: { unit: "usd", limit: 20, spent: 0, reserved: 0 },
    health: { state: "ok", checked_at: at(-4), message: null },
    success: measured(),
    ...status,
  };
}

/** Providers in every state there is, which a store without keys does not have. */
export const PROVIDER_STATUSES: readonly ProviderStatus[] = [
  provider(
    { name: "codex", title: "Codex", default_model: "gpt-5.2-codex" },
    {
      running: 2,
      budget: { unit: "usd", limit: 20, spent: 6.42, reserved: 0.9 },
      success: measured([0.74, 0.09, 61], [0.79, 0.08, 84], [0.66, 0.12, 33], [0.58, 0.18, 12]),
    },
  ),
  provider(
    { name: "claude", title: "Claude Code", default_model: "claude-sonnet-4-6" },
    {
      running: 1,
      budget: { unit: "usd", limit: 30, spent: 21.07, reserved: 1.2 },
      success: measured([0.82, 0.07, 77], [0.81, 0.1, 40], [0.77, 0.09, 52], [0.7, 0.15, 18]),
    },
  ),
  provider(
    { name: "gemini", title: "Gemini CLI", default_model: "gemini-3-pro" },
    {
      available: false,
      reasons: ["its breaker is open: rate limited, for 4 more minutes"],
      breaker: { state: "open", reason: "rate-limited", until: at(4), failures: 3 },
      budget: { unit: "usd", limit: 15, spent: 2.13, reserved: 0 },
      health: { state: "failing", checked_at: at(-1), message: "429: the service asked to be left alone for 5 min" },
      success: measured([0.63, 0.14, 28], [0.69, 0.16, 17], [0.55, 0.2, 9], [0.5, 0.35, 0]),
    },
  ),
  provider(
    {
      name: "jules",
      title: "Jules",
      type: "jules",
      needs: "github-branch",
      default_model: "jules",
      models: ["jules"],
      cost: { kind: "quota", unitsPerDay: 15 },
      concurrency: 3,
    },
    {
      running: 1,
      budget: { unit: "units", limit: 15, spent: 4, reserved: 1 },
      success: measured([0.71, 0.2, 9], [0.6, 0.24, 5], [0.65, 0.28, 4], [0.5, 0.38, 0]),
    },
  ),
  provider(
    {
      name: "copilot",
      title: "GitHub Copilot",
      default_model: "gpt-5.2",
      secret: "GITHUB_TOKEN",
      cost: { kind: "quota", unitsPerDay: 50 },
    },
    {
      available: false,
      reasons: ["its breaker is half open and its one try is under way"],
      breaker: { state: "half-open", reason: "quota", until: at(-2), failures: 1 },
      budget: { unit: "units", limit: 50, spent: 50, reserved: 0 },
      health: { state: "ok", checked_at: at(-70), message: null },
      success: measured([0.6, 0.15, 20], [0.62, 0.15, 21], [0.5, 0.3, 2], [0.5, 0.38, 0]),
    },
  ),
  provider(
    { name: "cursor", title: "Cursor", default_model: "composer-2" },
    {
      available: false,
      reasons: ["CURSOR_API_KEY is not set"],
      keyPresent: false,
      health: { state: "unknown", checked_at: null, message: null },
    },
  ),
  provider(
    {
      name: "workers-ai",
      title: "Workers AI",
      type: "model",
      needs: "files",
      default_model: "@cf/qwen/qwen3-coder-480b-a35b-instruct",
      enabled: false,
    },
    {
      available: false,
      reasons: ["it is switched off"],
      budget: { unit: "usd", limit: null, spent: 0.84, reserved: 0 },
      success: measured([0.44, 0.22, 8], [0.38, 0.25, 6], [0.5, 0.38, 0], [0.5, 0.38, 0]),
    },
  ),
  provider(
    {
      name: "ai-gateway",
      title: "AI Gateway",
      type: "model",
      needs: "files",
      default_model: "anthropic/claude-haiku-4-6",
      secret: "AI_GATEWAY_TOKEN",
      api_endpoint: "https://gateway.example.com/v1",
    },
    {
      available: false,
      reasons: ["its key was refused; it opens when the key changes"],
      breaker: { state: "open", reason: "auth", until: null, failures: 1 },
      budget: { unit: "usd", limit: 5, spent: 5.02, reserved: 0 },
      health: { state: "failing", checked_at: at(-12), message: "401: the key is not known" },
      success: measured([0.52, 0.2, 11], [0.48, 0.3, 3], [0.5, 0.38, 0], [0.5, 0.38, 0]),
    },
  ),
];
