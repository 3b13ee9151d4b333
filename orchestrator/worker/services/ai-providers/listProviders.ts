import type { ProviderStatus, Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { evidenceNow } from "./evidenceNow.ts";
import { providersNow, statusOf } from "./providerFacts.ts";

/** Every provider as it stands now. Needs `ai:read`. */
export async function listProviders(ctx: ServiceContext): Promise<Result<{ providers: ProviderStatus[] }>> {
  const denied = requireScope(ctx, "ai:read");
  if (denied) return denied;
  const providers = await providersNow(ctx);
  const evidence = await evidenceNow(ctx, providers);
  return { ok: true, providers: providers.map((provider) => statusOf(provider, evidence)) };
}
