import type { AttemptClass, Breaker, ProviderName, ProviderStatus, RunClass, Usage } from "@shared/contracts";
import { z } from "zod";

export interface Reservation {
  executionId: string;
  attempt: number;
  provider: ProviderName;
  orderId: string | null;
  /** What it may cost; 0 of a provider that counts units. */
  costUsd: number;
  /** Of quota. */
  units: number;
  /** What the order may cost in all; null: without bounds. */
  maxOrderUsd: number | null;
  /** After so long without being settled it counts as gone. Default: 3 hours, more than any run may take. */
  ttlMs?: number;
}

export type Reserved =
  | { ok: true }
  | {
      ok: false;
      code: "PROVIDER_UNAVAILABLE" | "BUDGET_EXCEEDED";
      why: string;
      /** ISO 8601: when asking again may help; null: not known. */
      until: string | null;
    };

export interface Settlement {
  executionId: string;
  attempt: number;
  provider: ProviderName;
  class: AttemptClass;
  retryAfterMs: number | null;
  usage: Usage | null;
  /** Null: not known. Then what was reserved counts as spent, unless the attempt never began. */
  costUsd: number | null;
  /** For people: what the provider's health shows. */
  message?: string;
}

/** What the deployment says of a provider: pushed by whoever has just read it. */
export interface ProviderBounds {
  provider: ProviderName;
  concurrency: number;
  /** Null: without bounds. */
  usdPerDay: number | null;
  unitsPerDay: number | null;
  /** Of its key, so that a changed one is known; null: it has none. */
  keyFingerprint: string | null;
}

export interface Health {
  state: ProviderStatus["health"]["state"];
  message: string | null;
  class: RunClass | null;
  /** Of a `rate-limited` or `quota`. */
  retryAfterMs?: number | null;
}

export interface ProviderStanding {
  provider: ProviderName;
  breaker: Breaker;
  /** The one that a half-open breaker let through is under way. */
  probing: boolean;
  running: number;
  /** Today, UTC. */
  spent: { usd: number; units: number };
  reserved: { usd: number; units: number };
  health: ProviderStatus["health"];
}

export interface ProviderStateRpc {
  /**
   * Takes a place and budget for an attempt, or says why not. The same attempt again has what it has; one that has been
   * settled is over and is refused.
   */
  reserve(reservation: Reservation): Promise<Reserved>;
  /** Frees the place, books what it cost once, and moves the breaker once. */
  settle(settlement: Settlement): Promise<void>;
  /** `bounds`: what now holds, and holds from now on. */
  status(bounds?: readonly ProviderBounds[]): Promise<ProviderStanding[]>;
  recordHealth(provider: ProviderName, health: Health): Promise<void>;
  /** A changed key closes a breaker that the old one opened. */
  keyFingerprint(provider: ProviderName, fingerprint: string): Promise<void>;
  /** USD of an order's attempts, of all days. */
  orderSpend(orderId: string): Promise<{ spent: number; reserved: number }>;
}

const StubSchema = z.custom<ProviderStateRpc>((stub) => stub instanceof Object);

/** The one object that knows every provider's breaker, places and budget. */
export const providerState = (env: Pick<Env, "PROVIDER_STATE">): ProviderStateRpc =>
  StubSchema.parse(env.PROVIDER_STATE.getByName("providers"));
