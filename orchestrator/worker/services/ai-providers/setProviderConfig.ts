import { fail, ProviderConfigSchema, type ProviderStatus, type Result, validationError } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { getProviderStatus } from "./getProviderStatus.ts";
import { providerNamed } from "./registry.ts";

/**
 * Says what the deployment has otherwise than a provider's definition, in place of what was said before. Needs `admin`:
 * the provider's key is sent to its endpoint. Errors: NOT_FOUND.
 */
export async function setProviderConfig(
  ctx: ServiceContext,
  input: { provider: string; config: unknown },
): Promise<Result<{ status: ProviderStatus }>> {
  const denied = requireScope(ctx, "admin");
  if (denied) return denied;
  const parsed = ProviderConfigSchema.safeParse(input.config);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const name = providerNamed(input.provider);
  if (name === null) return fail("NOT_FOUND", "there is no such provider");
  const { enabled, default_model, api_endpoint, rate_limits, cost_per_token } = parsed.data;
  const row = {
    enabled: Number(enabled),
    default_model,
    api_endpoint,
    rate_limits: rate_limits === null ? null : JSON.stringify(rate_limits),
    cost_per_token,
    updated_at: ctx.now().toISOString(),
  };
  await ctx.db.ops
    .insertInto("ai_provider_configs")
    .values({ provider_name: name, ...row })
    .onConflict((conflict) => conflict.column("provider_name").doUpdateSet(row))
    .execute();
  ctx.log.info("a provider's configuration was changed", { provider: name, enabled, api_endpoint });
  // Reading the status hands the new bounds to whoever reserves.
  return getProviderStatus(ctx, { provider: name });
}
