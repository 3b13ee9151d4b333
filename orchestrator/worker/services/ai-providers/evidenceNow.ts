import type { ServiceContext } from "../../context.ts";
import { readOutcomes } from "./outcomes.ts";
import { Evidence } from "./routing/Evidence.ts";
import type { ProviderFacts } from "./routing/facts.ts";

/** What the outcomes of the last months say of these providers. */
export async function evidenceNow(
  ctx: Pick<ServiceContext, "env" | "now">,
  providers: readonly ProviderFacts[],
): Promise<Evidence> {
  return new Evidence(
    await readOutcomes(ctx),
    providers.map(({ definition }) => definition),
    ctx.now().getTime() / 86_400_000,
  );
}
