import { fail, type ProviderStatus, type ProviderType, type Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { type Health, providerState } from "../../durable-objects/provider-state/rpc.ts";
import { secretOf } from "../secrets/secretService.ts";
import type { ProviderDriver } from "./driver.ts";
import { getProviderStatus } from "./getProviderStatus.ts";
import { providerNamed, type Registered, registeredProvider } from "./registry.ts";

/** The driver of each kind of provider that this build has. */
export type Drivers = Partial<Record<ProviderType, Pick<ProviderDriver, "probe">>>;

/**
 * Asks a provider's service whether it would work: its key, its endpoint, its program. What it answers is its health from
 * now on; a refused key closes it until the key changes. Needs `ai:write`. Errors: NOT_FOUND.
 */
export async function probeProvider(
  ctx: ServiceContext,
  input: { provider: string },
  drivers: Drivers,
): Promise<Result<{ status: ProviderStatus }>> {
  const denied = requireScope(ctx, "ai:write");
  if (denied) return denied;
  const name = providerNamed(input.provider);
  if (name === null) return fail("NOT_FOUND", "there is no such provider");
  const registered = await registeredProvider(ctx, name);
  const state = providerState(ctx.env);
  // First, so that what the probe says is said of the key that it used.
  await state.status([registered.bounds]);
  await state.recordHealth(name, await askProvider(ctx, registered, drivers));
  return getProviderStatus(ctx, { provider: name });
}

/** What the provider's service says of itself, now. Nothing is kept. Never throws. */
export async function askProvider(
  ctx: ServiceContext,
  { definition, keyPresent }: Registered,
  drivers: Drivers,
): Promise<Health> {
  const driver = drivers[definition.type];
  if (driver === undefined) return { state: "unknown", class: null, message: "this build has no driver for it" };
  if (!keyPresent) return { state: "failing", class: null, message: `${definition.secret} is not set` };
  try {
    return await driver.probe(ctx, definition, secretOf(ctx.env, definition.name) ?? "");
  } catch (error) {
    // A driver throws where it could not reach its provider.
    ctx.log.warn("a provider could not be probed", { provider: definition.name, error });
    return { state: "failing", class: "provider-error", message: "it could not be reached" };
  }
}
