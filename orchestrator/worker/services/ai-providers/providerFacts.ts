import type { ProviderStatus, TaskType } from "@shared/contracts";
import { TaskTypeSchema } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { providerState, type ProviderStanding } from "../../durable-objects/provider-state/rpc.ts";
import { type Registered, registry } from "./registry.ts";
import { betaQuantile } from "./routing/betaDistribution.ts";
import type { Evidence } from "./routing/Evidence.ts";
import type { ProviderFacts } from "./routing/facts.ts";
import { standingRefusalsOf } from "./routing/rules.ts";

/** A provider as it stands now, and how it was last seen to be. */
export type ProviderNow = ProviderFacts & { health: ProviderStatus["health"] };

/** Every provider as it stands now. What the deployment says of them, keys too, holds for reservations from here on. */
export async function providersNow(ctx: Pick<ServiceContext, "db" | "env">): Promise<ProviderNow[]> {
  const registered = await registry(ctx);
  const standings = await providerState(ctx.env).status(registered.map(({ bounds }) => bounds));
  return registered.flatMap((provider) => {
    const standing = standings.find((one) => one.provider === provider.definition.name);
    return standing ? [nowOf(provider, standing)] : [];
  });
}

function nowOf({ definition, keyPresent, bounds }: Registered, standing: ProviderStanding): ProviderNow {
  const { breaker, probing, running, spent, reserved, health } = standing;
  const isQuota = definition.cost.kind === "quota";
  return {
    definition,
    keyPresent,
    breaker,
    probing,
    running,
    health,
    budget: {
      unit: isQuota ? "units" : "usd",
      limit: isQuota ? bounds.unitsPerDay : bounds.usdPerDay,
      spent: isQuota ? spent.units : spent.usd,
      reserved: isQuota ? reserved.units : reserved.usd,
    },
  };
}

/** What people are shown of a provider. */
export function statusOf(provider: ProviderNow, evidence: Evidence): ProviderStatus {
  const { definition, keyPresent, breaker, running, budget, health } = provider;
  const refusals = standingRefusalsOf(provider, evidence.costOf(definition, definition.default_model));
  const estimateOf = (type: TaskType) => {
    const { alpha, beta, mean, outcomes } = evidence.posteriorOfType(definition, definition.default_model, type);
    return { mean, low: betaQuantile(0.05, alpha, beta), high: betaQuantile(0.95, alpha, beta), outcomes };
  };
  return {
    provider: definition,
    available: refusals.length === 0,
    reasons: refusals.map(({ why }) => why),
    keyPresent,
    breaker,
    running,
    budget,
    health,
    success: Object.fromEntries(TaskTypeSchema.options.map((type) => [type, estimateOf(type)])),
  };
}
