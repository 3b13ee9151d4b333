import { type ProviderName, ProviderNameSchema, ProviderStatusSchema } from "@shared/contracts";
import { z } from "zod";
import { DEFINITIONS } from "../../services/ai-providers/definitions.ts";
import {
  admit,
  breakerOf,
  type BreakerRecord,
  BreakerRecordSchema,
  CLOSED,
  keyChanged,
  meaningOf,
  observe,
} from "./breaker.ts";
import type { Health, ProviderBounds, ProviderStanding, Reservation, Reserved, Settlement } from "./rpc.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Longer than any run may take. */
const DEFAULT_TTL_MS = 3 * HOUR_MS;
/** An attempt that is over is forgotten after so long: then it is neither an order's cost nor known when told again. */
const KEPT_MS = 400 * DAY_MS;

const BoundsSchema = z.object({
  concurrency: z.number(),
  usdPerDay: z.number().nullable(),
  unitsPerDay: z.number().nullable(),
});
const HealthSchema = ProviderStatusSchema.shape.health;
interface Provider {
  breaker: BreakerRecord;
  bounds: z.infer<typeof BoundsSchema>;
  fingerprint: string | null;
  health: z.infer<typeof HealthSchema>;
}
type AttemptRow = {
  provider: string;
  state: "open" | "settled" | "expired";
  cost_usd: number;
  units: number;
  key_fingerprint: string | null;
};

const keyOf = ({ executionId, attempt }: { executionId: string; attempt: number }): string =>
  `${executionId}.${attempt}`;
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const refused = (code: Extract<Reserved, { ok: false }>["code"], why: string, until: number | null): Reserved => ({
  ok: false,
  code,
  why,
  until: until === null ? null : new Date(until).toISOString(),
});

/** Sums of dollars are compared to a ten-millionth, which is less than a token costs. */
const exceeds = (sum: number, limit: number): boolean => sum > limit + 1e-7;

/** The tables of ProviderState. Every method leaves them as they must be; its caller makes it a transaction. */
export class ProviderLedger {
  readonly #sql: SqlStorage;
  readonly #now: () => number;

  constructor(sql: SqlStorage, now: () => number) {
    this.#sql = sql;
    this.#now = now;
  }

  reserve(asked: Reservation): Reserved {
    this.expire();
    const now = this.#now();
    const key = keyOf(asked);
    const { provider: name, orderId, costUsd, units, maxOrderUsd, ttlMs = DEFAULT_TTL_MS } = asked;
    const known = this.#attempt(key);
    if (known && known.provider !== name) {
      return refused("PROVIDER_UNAVAILABLE", `this attempt is one of ${known.provider}`, null);
    }
    if (known?.state === "open") return { ok: true };
    if (known?.state === "settled") return refused("PROVIDER_UNAVAILABLE", "this attempt is over", null);

    const provider = this.#provider(name);
    const admitted = admit(provider.breaker, key, now);
    if ("why" in admitted) return refused("PROVIDER_UNAVAILABLE", admitted.why, provider.breaker.until);
    const { concurrency, usdPerDay, unitsPerDay } = provider.bounds;
    if (this.#running(name) >= concurrency) {
      return refused("PROVIDER_UNAVAILABLE", `all ${concurrency} places are taken`, null);
    }
    const day = dayOf(now);
    const today = this.#sums("provider = ? AND day = ?", name, day);
    const tomorrow = Date.parse(day) + DAY_MS;
    if (usdPerDay !== null && exceeds(today.usd.open + today.usd.over + costUsd, usdPerDay)) {
      return refused("BUDGET_EXCEEDED", `today's $${usdPerDay} would be exceeded`, tomorrow);
    }
    if (unitsPerDay !== null && today.units.open + today.units.over + units > unitsPerDay) {
      return refused("BUDGET_EXCEEDED", `today's ${unitsPerDay} units would be exceeded`, tomorrow);
    }
    if (orderId !== null && maxOrderUsd !== null) {
      const { spent, reserved } = this.orderSpend(orderId);
      if (exceeds(spent + reserved + costUsd, maxOrderUsd)) {
        return refused("BUDGET_EXCEEDED", `the order's $${maxOrderUsd} would be exceeded`, null);
      }
    }

    this.#sql.exec(
      `INSERT OR REPLACE INTO attempts (key, provider, order_id, state, cost_usd, units, day, key_fingerprint, expires_at)
       VALUES (?, ?, ?, 'open', ?, ?, ?, ?, ?)`,
      key,
      name,
      orderId,
      costUsd,
      units,
      day,
      provider.fingerprint,
      now + ttlMs,
    );
    this.#store(name, { ...provider, breaker: admitted.record });
    return { ok: true };
  }

  settle(ended: Settlement): void {
    const now = this.#now();
    const key = keyOf(ended);
    const known = this.#attempt(key);
    if (known?.state === "settled") return;
    const began = ended.class !== "unavailable" && ended.class !== "budget" && ended.class !== "not-installed";
    const cost = ended.costUsd ?? (began ? (known?.cost_usd ?? 0) : 0);
    const units = began ? (known?.units ?? 0) : 0;
    if (known) {
      this.#sql.exec("UPDATE attempts SET state = 'settled', cost_usd = ?, units = ? WHERE key = ?", cost, units, key);
    } else {
      // Told of what was never reserved: it happened all the same.
      this.#sql.exec(
        `INSERT INTO attempts (key, provider, order_id, state, cost_usd, units, day, key_fingerprint, expires_at)
         VALUES (?, ?, NULL, 'settled', ?, ?, ?, NULL, ?)`,
        key,
        ended.provider,
        cost,
        units,
        dayOf(now),
        now,
      );
    }
    this.#observe(ended, known?.key_fingerprint ?? null, now);
  }

  recordHealth(name: ProviderName, { state, message, class: said, retryAfterMs = null }: Health): void {
    const now = this.#now();
    const provider = this.#provider(name);
    // A probe speaks of the key and the service. It is no run, so it neither counts as a failure nor closes anything.
    const speaks = said === "auth" || said === "quota" || said === "rate-limited";
    const breaker = speaks ? observe(provider.breaker, { key: "", class: said, retryAfterMs }, now) : provider.breaker;
    this.#store(name, { ...provider, breaker, health: { state, checked_at: new Date(now).toISOString(), message } });
  }

  keyFingerprint(name: ProviderName, fingerprint: string): void {
    const provider = this.#provider(name);
    if (provider.fingerprint === fingerprint) return;
    this.#store(name, { ...provider, fingerprint, breaker: keyChanged(provider.breaker) });
  }

  bound({ provider: name, concurrency, usdPerDay, unitsPerDay, keyFingerprint }: ProviderBounds): void {
    if (keyFingerprint !== null) this.keyFingerprint(name, keyFingerprint);
    const provider = this.#provider(name);
    const bounds = { concurrency, usdPerDay, unitsPerDay };
    if (JSON.stringify(bounds) !== JSON.stringify(provider.bounds)) this.#store(name, { ...provider, bounds });
  }

  standings(): ProviderStanding[] {
    this.expire();
    const now = this.#now();
    return ProviderNameSchema.options.map((name) => {
      const { breaker, health } = this.#provider(name);
      const { usd, units } = this.#sums("provider = ? AND day = ?", name, dayOf(now));
      return {
        provider: name,
        breaker: breakerOf(breaker, now),
        probing: breaker.probe !== null,
        running: this.#running(name),
        spent: { usd: usd.over, units: units.over },
        reserved: { usd: usd.open, units: units.open },
        health,
      };
    });
  }

  orderSpend(orderId: string): { spent: number; reserved: number } {
    const { usd } = this.#sums("order_id = ?", orderId);
    return { spent: usd.over, reserved: usd.open };
  }

  /** Gives back what attempts hold that were not settled in time, and forgets what is long over. */
  expire(): void {
    const now = this.#now();
    const gone = this.#sql
      .exec<{ key: string; provider: string }>(
        "SELECT key, provider FROM attempts WHERE state = 'open' AND expires_at <= ?",
        now,
      )
      .toArray();
    for (const { key, provider: text } of gone) {
      this.#sql.exec("UPDATE attempts SET state = 'expired' WHERE key = ?", key);
      const name = ProviderNameSchema.parse(text);
      const provider = this.#provider(name);
      // What became of it is not known, so the breaker lets another through.
      if (provider.breaker.probe === key)
        this.#store(name, { ...provider, breaker: { ...provider.breaker, probe: null } });
    }
    this.#sql.exec("DELETE FROM attempts WHERE day < ? AND state <> 'open'", dayOf(now - KEPT_MS));
  }

  nextExpiry(): number | null {
    const { next } = this.#sql
      .exec<{ next: number | null }>("SELECT min(expires_at) AS next FROM attempts WHERE state = 'open'")
      .one();
    return next;
  }

  #observe(ended: Settlement, fingerprint: string | null, now: number): void {
    const provider = this.#provider(ended.provider);
    const meaning = meaningOf(ended.class);
    // A key that has been changed since was refused: that says nothing of the one there is now.
    const isOldKey = meaning === "auth" && fingerprint !== null && fingerprint !== provider.fingerprint;
    const told = {
      key: keyOf(ended),
      class: isOldKey ? ("cancelled" as const) : ended.class,
      retryAfterMs: ended.retryAfterMs,
    };
    const breaker = observe(provider.breaker, told, now);
    const health =
      meaning === "nothing" || isOldKey
        ? provider.health
        : {
            state: meaning === "works" ? ("ok" as const) : ("failing" as const),
            checked_at: new Date(now).toISOString(),
            message: meaning === "works" ? null : (ended.message ?? ended.class),
          };
    this.#store(ended.provider, { ...provider, breaker, health });
  }

  #attempt(key: string): AttemptRow | undefined {
    return this.#sql
      .exec<AttemptRow>("SELECT provider, state, cost_usd, units, key_fingerprint FROM attempts WHERE key = ?", key)
      .toArray()[0];
  }

  #running(name: ProviderName): number {
    return this.#sql
      .exec<{ running: number }>("SELECT count(*) AS running FROM attempts WHERE state = 'open' AND provider = ?", name)
      .one().running;
  }

  /** What is reserved (`open`) and spent (`over`) in the rows a condition names. What expired holds nothing. */
  #sums(condition: string, ...bindings: string[]) {
    const rows = this.#sql
      .exec<{ state: string; usd: number; units: number }>(
        `SELECT state, sum(cost_usd) AS usd, sum(units) AS units FROM attempts WHERE ${condition} GROUP BY state`,
        ...bindings,
      )
      .toArray();
    const of = (state: string) => rows.find((row) => row.state === state) ?? { usd: 0, units: 0 };
    const [open, over] = [of("open"), of("settled")];
    return { usd: { open: open.usd, over: over.usd }, units: { open: open.units, over: over.units } };
  }

  #provider(name: ProviderName): Provider {
    const [row] = this.#sql
      .exec<{ breaker: string; bounds: string; key_fingerprint: string | null; health: string }>(
        "SELECT breaker, bounds, key_fingerprint, health FROM providers WHERE provider = ?",
        name,
      )
      .toArray();
    if (row) {
      return {
        breaker: BreakerRecordSchema.parse(JSON.parse(row.breaker)),
        bounds: BoundsSchema.parse(JSON.parse(row.bounds)),
        fingerprint: row.key_fingerprint,
        health: HealthSchema.parse(JSON.parse(row.health)),
      };
    }
    const { concurrency, cost } = DEFINITIONS[name];
    return {
      breaker: CLOSED,
      bounds: { concurrency, usdPerDay: null, unitsPerDay: cost.kind === "quota" ? cost.unitsPerDay : null },
      fingerprint: null,
      health: { state: "unknown", checked_at: null, message: null },
    };
  }

  #store(name: ProviderName, { breaker, bounds, fingerprint, health }: Provider): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO providers (provider, breaker, bounds, key_fingerprint, health) VALUES (?, ?, ?, ?, ?)",
      name,
      JSON.stringify(breaker),
      JSON.stringify(bounds),
      fingerprint,
      JSON.stringify(health),
    );
  }
}
