import { PROVIDERS } from "@shared/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ProviderBounds } from "../../worker/durable-objects/provider-state/rpc.ts";
import { NOON, Providers, reservation } from "./providerStateHarness.ts";

const HOUR = 3_600_000;
const bounds = (more: Partial<ProviderBounds> = {}): ProviderBounds => ({
  provider: "claude",
  concurrency: 2,
  usdPerDay: null,
  unitsPerDay: null,
  keyFingerprint: "key-1",
  ...more,
});

test("places, budgets of days and of orders are as in a model that only adds up", async () => {
  const id = fc.constantFrom("a", "b", "c", "d", "e", "f");
  const provider = fc.constantFrom("claude" as const, "codex" as const);
  const step = fc.oneof(
    fc.record({
      do: fc.constant("reserve" as const),
      id,
      provider,
      order: fc.constantFrom("X", "Y"),
      cost: fc.integer({ min: 0, max: 6 }),
      units: fc.integer({ min: 0, max: 2 }),
    }),
    fc.record({
      do: fc.constant("settle" as const),
      id,
      provider,
      cost: fc.option(fc.integer({ min: 0, max: 6 })),
      // None that moves a breaker.
      ended: fc.constantFrom("applied" as const, "cancelled" as const, "unavailable" as const),
    }),
    fc.record({ do: fc.constant("wait" as const), hours: fc.integer({ min: 1, max: 9 }) }),
    fc.constant({ do: "ring" as const }),
    fc.constant({ do: "kill" as const }),
  );
  const LIMITS = { concurrency: 2, usdPerDay: 10, unitsPerDay: 3 };
  const MAX_ORDER = 12;
  const TTL = 5 * HOUR;

  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const providers = new Providers();
      await providers.call((state) =>
        state.status(["claude" as const, "codex" as const].map((name) => bounds({ provider: name, ...LIMITS }))),
      );
      interface Attempt {
        provider: string;
        order: string | null;
        open: boolean;
        over: boolean;
        cost: number;
        units: number;
        day: string;
        until: number;
      }
      const model = new Map<string, Attempt>();
      const day = () => new Date(providers.at).toISOString().slice(0, 10);
      const live = () => {
        for (const attempt of model.values()) if (attempt.until <= providers.at) attempt.open = false;
        return [...model.values()].filter(({ open, over }) => open || over);
      };
      const sum = (attempts: Attempt[], of: "cost" | "units") => attempts.reduce((total, one) => total + one[of], 0);

      for (const one of steps) {
        switch (one.do) {
          case "wait":
            providers.at += one.hours * HOUR;
            break;
          case "ring":
            await providers.ring();
            break;
          case "kill":
            await providers.abort();
            break;
          case "reserve": {
            const all = live();
            const today = all.filter((other) => other.provider === one.provider && other.day === day());
            const known = model.get(one.id);
            const fits =
              all.filter((other) => other.open && other.provider === one.provider).length < LIMITS.concurrency &&
              sum(today, "cost") + one.cost <= LIMITS.usdPerDay &&
              sum(today, "units") + one.units <= LIMITS.unitsPerDay &&
              sum(
                all.filter((other) => other.order === one.order),
                "cost",
              ) +
                one.cost <=
                MAX_ORDER;
            const expected =
              known && known.provider !== one.provider ? false : known?.open ? true : known?.over ? false : fits;
            const answer = await providers.reserve(one.id, {
              provider: one.provider,
              orderId: one.order,
              costUsd: one.cost,
              units: one.units,
              maxOrderUsd: MAX_ORDER,
              ttlMs: TTL,
            });
            expect(answer.ok).toBe(expected);
            if (expected && !known?.open) {
              const { provider: name, order, cost, units } = one;
              const until = providers.at + TTL;
              model.set(one.id, { provider: name, order, open: true, over: false, cost, units, day: day(), until });
            }
            break;
          }
          case "settle": {
            live();
            await providers.settle(one.id, one.ended, { provider: one.provider, costUsd: one.cost });
            const known = model.get(one.id) ?? {
              provider: one.provider,
              order: null,
              over: false,
              cost: 0,
              units: 0,
              day: day(),
              until: 0,
            };
            if (known.over) break;
            const began = one.ended !== "unavailable";
            model.set(one.id, {
              ...known,
              open: false,
              over: true,
              cost: one.cost ?? (began ? known.cost : 0),
              units: began ? known.units : 0,
            });
            break;
          }
        }
        const all = live();
        for (const name of ["claude", "codex"] as const) {
          const own = all.filter((other) => other.provider === name);
          const today = own.filter((other) => other.day === day());
          const of = (state: "open" | "over") => today.filter((other) => other[state]);
          expect(await providers.of(name)).toMatchObject({
            running: own.filter(({ open }) => open).length,
            spent: { usd: sum(of("over"), "cost"), units: sum(of("over"), "units") },
            reserved: { usd: sum(of("open"), "cost"), units: sum(of("open"), "units") },
          });
        }
      }
    }),
    { numRuns: 60 },
  );
});

describe("an attempt counts once", () => {
  test("of ten that race for two places two get one, and the same two when they ask again", async () => {
    const providers = new Providers();
    await providers.call((state) => state.status([bounds()]));
    const ask = () => Promise.all(Array.from({ length: 10 }, (_, index) => providers.reserve(`race-${index}`)));
    const first = (await ask()).map(({ ok }) => ok);
    expect(first.filter(Boolean)).toHaveLength(2);
    expect((await ask()).map(({ ok }) => ok)).toEqual(first);
    expect(await providers.of("claude")).toMatchObject({ running: 2, reserved: { usd: 2 } });
  });

  test("settled by ten at once, by a redelivery and after a kill, it is billed once and trips nothing twice", async () => {
    const providers = new Providers();
    await providers.reserve("once");
    await Promise.all(Array.from({ length: 10 }, () => providers.settle("once", "agent-error", { costUsd: 0.25 })));
    await providers.abort();
    await providers.settle("once", "agent-error", { costUsd: 9 });
    expect(await providers.of("claude")).toMatchObject({
      running: 0,
      spent: { usd: 0.25 },
      reserved: { usd: 0 },
      breaker: { state: "closed", failures: 1 },
    });
    expect(await providers.reserve("once")).toMatchObject({ ok: false, code: "PROVIDER_UNAVAILABLE" });
  });

  test("what its reservation held beyond its cost is given back", async () => {
    const providers = new Providers();
    await providers.call((state) => state.status([bounds({ usdPerDay: 3 })]));
    await providers.reserve("dear", { costUsd: 3 });
    expect(await providers.reserve("next", { costUsd: 2.5 })).toMatchObject({
      ok: false,
      code: "BUDGET_EXCEEDED",
      until: "2126-03-02T00:00:00.000Z",
    });
    await providers.settle("dear", "applied", { costUsd: 0.5 });
    expect(await providers.reserve("next", { costUsd: 2.5 })).toEqual({ ok: true });
  });

  test("of unknown cost, it is billed what was reserved; one that never began, nothing", async () => {
    const providers = new Providers();
    await providers.reserve("ran", { costUsd: 2 });
    await providers.settle("ran", "host-lost", { costUsd: null });
    await providers.reserve("did not", { costUsd: 2 });
    await providers.settle("did not", "unavailable", { costUsd: null });
    expect((await providers.of("claude")).spent.usd).toBe(2);
  });

  test("an order's budget is one over all providers and days", async () => {
    const providers = new Providers();
    const ask = (name: string, more: Parameters<Providers["reserve"]>[1]) =>
      providers.reserve(name, { orderId: "ORD-9", maxOrderUsd: 3, costUsd: 1, ...more });
    await ask("one", { provider: "claude" });
    await providers.settle("one", "applied", { costUsd: 1.5 });
    providers.at += 48 * HOUR;
    expect(await ask("two", { provider: "codex" })).toEqual({ ok: true });
    expect(await ask("three", { provider: "gemini" })).toMatchObject({ ok: false, code: "BUDGET_EXCEEDED" });
    expect(await ask("another's", { orderId: "ORD-8" })).toEqual({ ok: true });
    expect(await providers.call((state) => state.orderSpend("ORD-9"))).toEqual({ spent: 1.5, reserved: 1 });
  });

  test("a provider without a price counts units", async () => {
    const providers = new Providers();
    await providers.call((state) => state.status([bounds({ provider: "copilot", concurrency: 9, unitsPerDay: 2 })]));
    const ask = (name: string) => providers.reserve(name, { provider: "copilot", costUsd: 0, units: 1 });
    expect([await ask("a"), await ask("b")]).toEqual([{ ok: true }, { ok: true }]);
    expect(await ask("c")).toMatchObject({ ok: false, code: "BUDGET_EXCEEDED" });
    providers.at = Date.parse("2126-03-02T00:00:00.000Z");
    expect(await ask("c")).toEqual({ ok: true });
  });
});

describe("a reservation whose execution is gone", () => {
  test("is given back by the alarm, which is set before the answer and survives a kill", async () => {
    const providers = new Providers();
    await providers.reserve("gone", { ttlMs: HOUR });
    await providers.abort();
    expect(await providers.inside((_, state) => state.storage.getAlarm())).toBe(NOON + HOUR);
    providers.at += HOUR;
    await providers.ring();
    expect(await providers.of("claude")).toMatchObject({ running: 0, reserved: { usd: 0 }, spent: { usd: 0 } });
    expect(await providers.inside((_, state) => state.storage.getAlarm())).toBeNull();
    // It was only slow: what it cost counts after all, once.
    await providers.settle("gone", "applied", { costUsd: 0.75 });
    await providers.settle("gone", "applied", { costUsd: 0.75 });
    expect((await providers.of("claude")).spent.usd).toBe(0.75);
  });

  test("does not keep a half-open breaker waiting", async () => {
    const providers = new Providers();
    await providers.attempt("limited", "rate-limited", { retryAfterMs: 1_000 });
    providers.at += 1_000;
    expect(await providers.reserve("probe", { ttlMs: HOUR })).toEqual({ ok: true });
    expect(await providers.reserve("other")).toMatchObject({ ok: false });
    providers.at += HOUR;
    expect(await providers.reserve("other")).toEqual({ ok: true });
  });
});

test("every provider has its standing before anything was asked of it", async () => {
  const standings = await new Providers().call((state) => state.status());
  expect(standings.map(({ provider }) => provider)).toEqual([...PROVIDERS]);
  expect(standings.every(({ breaker, health }) => breaker.state === "closed" && health.state === "unknown")).toBe(true);
});

test("an attempt belongs to the provider it was reserved for", async () => {
  const providers = new Providers();
  await providers.reserve("mine");
  const other = await providers.call((state) => state.reserve(reservation("mine", { provider: "codex" })));
  expect(other).toMatchObject({ ok: false, why: expect.stringContaining("claude") });
});
