import {
  type ProviderConfig,
  ProviderConfigSchema,
  type ProviderDefinition,
  type ProviderName,
  ProviderNameSchema,
} from "@shared/contracts";
import type { Selectable } from "kysely";
import type { ServiceContext } from "../../context.ts";
import type { OpsDatabase } from "../../database/schema.ts";
import type { ProviderBounds } from "../../durable-objects/provider-state/rpc.ts";
import { secretOf } from "../secrets/secretService.ts";
import { DEFINITIONS } from "./definitions.ts";

/** A provider as this deployment has it. */
export interface Registered {
  definition: ProviderDefinition;
  keyPresent: boolean;
  bounds: ProviderBounds;
}

/** Every provider, in the order in which they are asked where nothing else decides. */
export async function registry(ctx: Pick<ServiceContext, "db" | "env">): Promise<Registered[]> {
  const rows = await ctx.db.ops.selectFrom("ai_provider_configs").selectAll().execute();
  return Promise.all(
    Object.values(DEFINITIONS).map(async (defined) => {
      const row = rows.find(({ provider_name }) => provider_name === defined.name);
      return registered(ctx, defined, row ? configOfRow(row) : null);
    }),
  );
}

/** One provider as this deployment has it. */
export async function registeredProvider(
  ctx: Pick<ServiceContext, "db" | "env">,
  name: ProviderName,
): Promise<Registered> {
  const row = await ctx.db.ops
    .selectFrom("ai_provider_configs")
    .selectAll()
    .where("provider_name", "=", name)
    .executeTakeFirst();
  return registered(ctx, DEFINITIONS[name], row ? configOfRow(row) : null);
}

/** A provider's definition as this deployment has it; null where it is switched off. */
export async function definitionOf(
  ctx: Pick<ServiceContext, "db" | "env">,
  name: ProviderName,
): Promise<ProviderDefinition | null> {
  const { definition } = await registeredProvider(ctx, name);
  return definition.enabled ? definition : null;
}

async function registered(
  ctx: Pick<ServiceContext, "env">,
  defined: ProviderDefinition,
  config: ProviderConfig | null,
): Promise<Registered> {
  const definition = overridden(defined, config);
  const { name, concurrency, cost } = definition;
  const key = secretOf(ctx.env, name);
  return {
    definition,
    keyPresent: key !== null || bindingPresent(ctx.env, definition),
    bounds: {
      provider: name,
      concurrency,
      usdPerDay: cost.kind === "tokens" ? (config?.rate_limits?.usdPerDay ?? null) : null,
      unitsPerDay: cost.kind === "quota" ? cost.unitsPerDay : null,
      keyFingerprint: key === null ? null : await fingerprintOf(key),
    },
  };
}

/** Workers AI is a binding, which is there or not. */
const bindingPresent = (env: Env, { name, secret }: ProviderDefinition): boolean =>
  name === "workers-ai" && typeof Reflect.get(env, secret) === "object";

/** Enough of a key's SHA-256 to tell that it has changed. */
async function fingerprintOf(key: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
  return Array.from(new Uint8Array(digest).subarray(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Tokens of a run that nothing is known of, in and out together. */
const TYPICAL_TOKENS = 100_000;

/** A definition with what the deployment says instead. */
export function overridden(defined: ProviderDefinition, config: ProviderConfig | null): ProviderDefinition {
  if (config === null) return defined;
  const { enabled, default_model, api_endpoint, rate_limits, cost_per_token } = config;
  return {
    ...defined,
    enabled,
    default_model: default_model ?? defined.default_model,
    models: [...new Set([default_model ?? defined.default_model, ...defined.models])],
    api_endpoint: api_endpoint ?? defined.api_endpoint,
    concurrency: rate_limits?.concurrency ?? defined.concurrency,
    cost: costOf(defined.cost, cost_per_token, rate_limits?.unitsPerDay),
  };
}

function costOf(
  defined: ProviderDefinition["cost"],
  perToken: number | null,
  unitsPerDay: number | undefined,
): ProviderDefinition["cost"] {
  if (perToken !== null) {
    const usdPerMillion = perToken * 1_000_000;
    return {
      kind: "tokens",
      inputUsdPerMillion: usdPerMillion,
      outputUsdPerMillion: usdPerMillion,
      // A run takes as many tokens as before, at another price.
      typicalUsd:
        defined.kind === "tokens" && defined.inputUsdPerMillion > 0
          ? (defined.typicalUsd * usdPerMillion) / defined.inputUsdPerMillion
          : perToken * TYPICAL_TOKENS,
    };
  }
  return defined.kind === "quota" ? { kind: "quota", unitsPerDay: unitsPerDay ?? defined.unitsPerDay } : defined;
}

const configOfRow = (row: Selectable<OpsDatabase["ai_provider_configs"]>): ProviderConfig =>
  ProviderConfigSchema.parse({
    enabled: row.enabled === 1,
    default_model: row.default_model,
    api_endpoint: row.api_endpoint,
    rate_limits: row.rate_limits === null ? null : JSON.parse(row.rate_limits),
    cost_per_token: row.cost_per_token,
  });

/** The provider of this name; null where there is none. */
export const providerNamed = (name: string): ProviderName | null => ProviderNameSchema.safeParse(name).data ?? null;
