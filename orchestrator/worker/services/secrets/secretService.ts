import { CLI_PROVIDERS, type ProviderName } from "@shared/contracts";

/** The binding that holds each provider's key. Workers AI is a binding itself and has none. */
const BINDING_OF = {
  jules: "JULES_API_KEY",
  codex: "CODEX_API_KEY",
  gemini: "GEMINI_API_KEY",
  claude: "CLAUDE_API_KEY",
  cursor: "CURSOR_API_KEY",
  copilot: "GITHUB_TOKEN",
  "ai-gateway": "AI_GATEWAY_TOKEN",
  "workers-ai": null,
} as const satisfies Record<ProviderName, string | null>;

/** Bindings a deployment may leave out: a provider without its key is not given work. */
const OPTIONAL = [
  "JULES_API_KEY",
  "CODEX_API_KEY",
  "GEMINI_API_KEY",
  "CLAUDE_API_KEY",
  "CURSOR_API_KEY",
  "GITHUB_TOKEN",
  "AI_GATEWAY_TOKEN",
  "JULES_WEBHOOK_SECRET",
  // Shared with Workers elsewhere whose health is checked.
  "HEALTH_SECRET",
  "GITHUB_WEBHOOK_SECRET",
] as const;

type SecretsEnv = Pick<Env, "ENGINE_TOKEN" | "BOOTSTRAP_TOKEN" | "SESSION_SECRET"> &
  Partial<Record<(typeof OPTIONAL)[number], string>>;

/** A provider's key; null where the deployment has none, and of Workers AI, which needs none. */
export function secretOf(env: SecretsEnv, provider: ProviderName): string | null {
  const binding = BINDING_OF[provider];
  return binding === null ? null : env[binding] || null;
}

/** Whether a provider cannot be spoken to for want of its key. */
export const lacksSecret = (env: SecretsEnv, provider: ProviderName): boolean =>
  BINDING_OF[provider] !== null && secretOf(env, provider) === null;

/**
 * The keys of CLI agents: all that a host of theirs is ever given, and so all that an agent could find there and tell. The
 * deployment's own secrets are not handed to where agents run, not even to be redacted.
 */
export const agentKeys = (env: SecretsEnv): string[] =>
  CLI_PROVIDERS.map((provider) => secretOf(env, provider)).filter((key) => key !== null);

/** Every secret of the environment, by value: what must stand in no log line, row, event or answer. */
export const allSecrets = (env: SecretsEnv): string[] =>
  [env.ENGINE_TOKEN, env.BOOTSTRAP_TOKEN, env.SESSION_SECRET, ...OPTIONAL.map((name) => env[name])].filter(
    (secret): secret is string => secret !== undefined && secret !== "",
  );
