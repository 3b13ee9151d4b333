import type { ProviderName, ProviderType } from "@shared/contracts";
import { type Clock, realClock, within } from "@shared/worker-kit";
import type { ServiceContext } from "../../context.ts";
import { type Health, providerState, type ProviderStanding } from "../../durable-objects/provider-state/rpc.ts";
import { raiseAlert } from "../alerts/raiseAlert.ts";
import { resolveAlert } from "../alerts/resolveAlert.ts";
import type { ProviderDriver } from "./driver.ts";
import { DRIVERS } from "./drivers.ts";
import { askProvider } from "./probeProvider.ts";
import { type Registered, registry } from "./registry.ts";

/** How long one question may take; a driver's own limit is shorter. */
const PROBE_MS = 30_000;
/** One that failed is asked once more, a little later: one blip is no alert. */
const TRIES = 2;
const BETWEEN_MS = 2_000;
/** Why a provider is left alone for a while without anybody having to do anything. */
const MENDS_ITSELF: ReadonlySet<string> = new Set(["rate-limited", "empty-diff"]);

type WatchedDrivers = Record<ProviderType, Pick<ProviderDriver, "probe" | "probeIsFree">>;

/** Why a provider is of no use, and under which cause that is told. */
interface Trouble {
  cause: string;
  title: string;
  text: string;
  class: string | null;
}

/** The alert of a provider. */
export const providerCause = (name: ProviderName): string => `provider:${name}`;
/** That agents have no host is one thing, whichever of them is asked. */
export const HOST_CAUSE = "provider:engine-host";

/**
 * Asks each provider that is switched on and has its key whether it would work, one after the other, and keeps what it
 * says. One whose probe is not free is never asked: of it speaks its breaker, which its runs move. Trouble is told once, as
 * `provider.unavailable`, and is over when the provider works again, is switched off, or loses its key. Throws, once all
 * were asked, where one could not be looked at.
 */
export async function watchProviders(
  ctx: ServiceContext,
  drivers: WatchedDrivers = DRIVERS,
  clock: Pick<Clock, "sleep"> = realClock,
): Promise<Record<"ok" | "failing" | "unasked" | "off", ProviderName[]>> {
  const found: Record<"ok" | "failing" | "unasked" | "off", ProviderName[]> = {
    ok: [],
    failing: [],
    unasked: [],
    off: [],
  };
  const registered = await registry(ctx);
  const failures: unknown[] = [];
  const troubles: Trouble[] = [];
  const quiet: string[] = [];
  for (const provider of registered) {
    const { name } = provider.definition;
    try {
      const looked = await lookAt(ctx, provider, drivers, clock);
      found[looked.found].push(name);
      if (looked.trouble) troubles.push(looked.trouble);
      if (looked.trouble?.cause !== providerCause(name) && !looked.undecided) quiet.push(providerCause(name));
    } catch (error) {
      ctx.log.error("a provider could not be looked at", { provider: name, error });
      failures.push(error);
    }
  }
  if (!troubles.some(({ cause }) => cause === HOST_CAUSE)) quiet.push(HOST_CAUSE);
  for (const trouble of new Map(troubles.map((each) => [each.cause, each])).values()) {
    const raised = await raiseAlert(ctx, {
      kind: "provider.unavailable",
      severity: "warning",
      title: trouble.title,
      text: trouble.text,
      dedupeKey: trouble.cause,
      worker: "vibehq-orchestrator",
      data: { class: trouble.class },
    });
    if (!raised.ok) failures.push(new Error(`an alert was not raised: ${raised.error.code}`));
  }
  for (const cause of quiet) {
    const resolved = await resolveAlert(ctx, { dedupeKey: cause });
    if (!resolved.ok) failures.push(new Error(`an alert was not closed: ${resolved.error.code}`));
  }
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} steps of the providers' watch failed`);
  return found;
}

async function lookAt(
  ctx: ServiceContext,
  provider: Registered,
  drivers: WatchedDrivers,
  clock: Pick<Clock, "sleep">,
): Promise<{ found: "ok" | "failing" | "unasked" | "off"; trouble: Trouble | null; undecided?: boolean }> {
  const { definition, keyPresent, bounds } = provider;
  if (!definition.enabled || !keyPresent) return { found: "off", trouble: null };
  const state = providerState(ctx.env);
  // What is known from here on is known of the key that it has now.
  const standing = ofProvider(await state.status([bounds]), definition.name);
  if (!drivers[definition.type].probeIsFree) return { found: "unasked", ...byBreaker(provider, standing) };

  const health = await asked(ctx, provider, drivers, clock);
  await state.recordHealth(definition.name, health);
  if (health.state !== "failing") {
    const { trouble, undecided } = byBreaker(provider, standing);
    return { found: trouble === null ? "ok" : "failing", trouble, undecided };
  }
  if (health.class !== null && MENDS_ITSELF.has(health.class)) return { found: "ok", trouble: null, undecided: true };
  return { found: "failing", trouble: troubleOf(provider, health.class, health.message ?? "its probe failed") };
}

async function asked(
  ctx: ServiceContext,
  provider: Registered,
  drivers: WatchedDrivers,
  clock: Pick<Clock, "sleep">,
): Promise<Health> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await within(clock, PROBE_MS, () => askProvider(ctx, provider, drivers));
    const health: Health = outcome.late
      ? { state: "failing", class: "provider-error", message: `it did not answer within ${PROBE_MS / 1_000} s` }
      : outcome.value;
    // A refused key, an empty account and a full house are no blips: asked again they say the same.
    const speaks = health.class === "auth" || health.class === "quota" || health.class === "rate-limited";
    if (health.state !== "failing" || speaks || attempt === TRIES) return health;
    await clock.sleep(BETWEEN_MS);
  }
}

/** What its runs say of it. While it is about to be tried again nothing is decided. */
function byBreaker(
  provider: Registered,
  { breaker }: ProviderStanding,
): { trouble: Trouble | null; undecided: boolean } {
  if (breaker.state === "closed" || breaker.reason === null) return { trouble: null, undecided: false };
  if (breaker.state === "half-open" || MENDS_ITSELF.has(breaker.reason)) return { trouble: null, undecided: true };
  const until = breaker.until === null ? "until its key changes" : `until ${breaker.until}`;
  return {
    trouble: troubleOf(provider, breaker.reason, `its runs end so: ${breaker.reason}; it is left alone ${until}`),
    undecided: false,
  };
}

function troubleOf({ definition }: Registered, said: string | null, text: string): Trouble {
  return said === "host-lost"
    ? { cause: HOST_CAUSE, title: "Agents have no host", text, class: said }
    : { cause: providerCause(definition.name), title: `${definition.title} is unavailable`, text, class: said };
}

function ofProvider(standings: readonly ProviderStanding[], name: ProviderName): ProviderStanding {
  const standing = standings.find(({ provider }) => provider === name);
  if (!standing) throw new Error(`nothing is known of the provider ${name}`);
  return standing;
}
