import type { Decision, ProviderDefinition, ProviderName } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { evidenceNow } from "./evidenceNow.ts";
import { providersNow } from "./providerFacts.ts";
import { standingRefusalsOf } from "./routing/rules.ts";

/**
 * Who tries next, after those that have: the first of the decision's chain that was not tried and may take it now. One
 * whose breaker has opened since, that was switched off, or has no place or budget left is passed over. Null: nobody.
 */
export async function nextInChain(
  ctx: ServiceContext,
  decision: Decision,
  tried: readonly ProviderName[],
): Promise<{ provider: ProviderDefinition; model: string } | null> {
  const providers = await providersNow(ctx);
  const evidence = await evidenceNow(ctx, providers);
  for (const { provider: name, model } of decision.chain) {
    const now = providers.find(({ definition }) => definition.name === name);
    if (now === undefined || tried.includes(name)) continue;
    if (standingRefusalsOf(now, evidence.costOf(now.definition, model)).length === 0) {
      return { provider: now.definition, model };
    }
  }
  return null;
}
