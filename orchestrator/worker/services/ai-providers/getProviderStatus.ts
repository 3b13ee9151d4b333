import { fail, type ProviderStatus, type Result } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { listProviders } from "./listProviders.ts";

/** One provider as it stands now. Needs `ai:read`. Errors: NOT_FOUND. */
export async function getProviderStatus(
  ctx: ServiceContext,
  input: { provider: string },
): Promise<Result<{ status: ProviderStatus }>> {
  const listed = await listProviders(ctx);
  if (!listed.ok) return listed;
  const status = listed.providers.find(({ provider }) => provider.name === input.provider);
  return status ? { ok: true, status } : fail("NOT_FOUND", "there is no such provider");
}
