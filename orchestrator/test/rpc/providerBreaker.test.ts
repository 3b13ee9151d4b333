import { type AttemptClass, AttemptClassSchema } from "@shared/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { meaningOf } from "../../worker/durable-objects/provider-state/breaker.ts";
import { NOON, Providers } from "./providerStateHarness.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const iso = (ms: number) => new Date(ms).toISOString();
const bounds = (keyFingerprint: string) => [
  { provider: "claude" as const, concurrency: 50, usdPerDay: null, unitsPerDay: null, keyFingerprint },
];
async function withKey(key = "key-1"): Promise<Providers> {
  const providers = new Providers();
  await providers.call((state) => state.status(bounds(key)));
  return providers;
}

test("a Retry-After is kept to the millisecond, over a kill too", async () => {
  const providers = await withKey();
  await providers.attempt("a", "rate-limited", { retryAfterMs: 90_500 });
  await providers.abort();
  const until = NOON + 90_500;
  expect((await providers.of("claude")).breaker).toEqual({
    state: "open",
    reason: "rate-limited",
    until: iso(until),
    failures: 0,
  });
  providers.at = until - 1;
  expect(await providers.reserve("b")).toMatchObject({ ok: false, code: "PROVIDER_UNAVAILABLE", until: iso(until) });
  providers.at = until;
  expect((await providers.of("claude")).breaker.state).toBe("half-open");
  expect(await providers.reserve("b")).toEqual({ ok: true });
});

test("of two that ask to be left alone the longer is kept", async () => {
  const providers = await withKey();
  await providers.reserve("long");
  await providers.reserve("short");
  await providers.settle("long", "rate-limited", { retryAfterMs: 10 * MINUTE });
  await providers.settle("short", "rate-limited", { retryAfterMs: SECOND });
  expect((await providers.of("claude")).breaker.until).toBe(iso(NOON + 10 * MINUTE));
});

test("without a Retry-After it is left alone for longer each time, up to a quarter of an hour", async () => {
  const providers = await withKey();
  const waits: number[] = [];
  for (let index = 0; index < 8; index += 1) {
    await providers.attempt(`a${index}`, "rate-limited");
    const { until } = (await providers.of("claude")).breaker;
    waits.push(Date.parse(until ?? "") - providers.at);
    providers.at = Date.parse(until ?? "");
  }
  expect(waits.map((wait) => wait / SECOND)).toEqual([30, 60, 120, 240, 480, 900, 900, 900]);
});

test("an exhausted quota is asked again after hours", async () => {
  const providers = await withKey();
  await providers.attempt("a", "quota");
  expect((await providers.of("claude")).breaker).toMatchObject({ reason: "quota", until: iso(NOON + 4 * HOUR) });
});

describe("a refused key", () => {
  test("closes its provider until the key is another one, however long that takes", async () => {
    const providers = await withKey();
    await providers.attempt("a", "auth");
    expect((await providers.of("claude")).breaker).toMatchObject({ state: "open", reason: "auth", until: null });
    providers.at += 1_000 * HOUR;
    expect(await providers.reserve("b")).toMatchObject({ ok: false, until: null });
    await providers.call((state) => state.status(bounds("key-1")));
    await providers.call((state) => state.keyFingerprint("claude", "key-1"));
    expect(await providers.reserve("b")).toMatchObject({ ok: false });
    await providers.call((state) => state.status(bounds("key-2")));
    expect((await providers.of("claude")).breaker.state).toBe("closed");
    expect(await providers.reserve("b")).toEqual({ ok: true });
  });

  test("that was corrected is not held against the new one by runs that still had it", async () => {
    const providers = await withKey();
    await providers.reserve("early");
    await providers.call((state) => state.keyFingerprint("claude", "key-2"));
    await providers.settle("early", "auth");
    expect((await providers.of("claude")).breaker.state).toBe("closed");
  });

  test("that a probe was refused with closes it too", async () => {
    const providers = await withKey();
    await providers.call((state) =>
      state.recordHealth("claude", { state: "failing", class: "auth", message: "401 from the service" }),
    );
    expect(await providers.of("claude")).toMatchObject({
      breaker: { state: "open", reason: "auth" },
      health: { state: "failing", message: "401 from the service", checked_at: iso(NOON) },
    });
  });

  test("stays the reason whatever fails after it", async () => {
    const providers = await withKey();
    await providers.reserve("a");
    await providers.reserve("b");
    await providers.settle("a", "auth");
    await providers.settle("b", "rate-limited", { retryAfterMs: 5 });
    expect((await providers.of("claude")).breaker).toMatchObject({ reason: "auth", until: null });
  });
});

test("empty diffs count by themselves: three in a row rest it for half an hour", async () => {
  const providers = await withKey();
  await providers.attempt("a", "empty-diff");
  await providers.attempt("b", "empty-diff");
  await providers.attempt("c", "provider-error");
  await providers.attempt("d", "provider-error");
  expect((await providers.of("claude")).breaker).toMatchObject({ state: "closed", failures: 2 });
  await providers.attempt("e", "empty-diff");
  expect((await providers.of("claude")).breaker).toMatchObject({
    reason: "empty-diff",
    until: iso(NOON + 30 * MINUTE),
  });
});

test("three other failures in a row open it, for twice as long each time it is tried again in vain", async () => {
  const providers = await withKey();
  for (const name of ["a", "b"]) await providers.attempt(name, "timeout");
  expect((await providers.of("claude")).breaker.state).toBe("closed");
  await providers.attempt("c", "agent-error");
  expect((await providers.of("claude")).breaker).toMatchObject({ reason: "failures", until: iso(NOON + 30 * SECOND) });
  providers.at += 30 * SECOND;
  await providers.attempt("d", "provider-error");
  expect((await providers.of("claude")).breaker.until).toBe(iso(providers.at + MINUTE));
});

test("half-open, it lets one through; a change closes it and forgets what was", async () => {
  const providers = await withKey();
  for (const name of ["a", "b", "c"]) await providers.attempt(name, "agent-error");
  providers.at += 30 * SECOND;
  const asked = await Promise.all(["p", "q", "r"].map((name) => providers.reserve(name)));
  expect(asked.filter(({ ok }) => ok)).toHaveLength(1);
  const probe = ["p", "q", "r"][asked.findIndex(({ ok }) => ok)] ?? "";
  await providers.settle(probe, "gate-refused");
  expect(await providers.of("claude")).toMatchObject({
    breaker: { state: "closed", reason: null, until: null, failures: 0 },
    health: { state: "ok" },
  });
});

test("a run that began before it opened does not close it by ending well", async () => {
  const providers = await withKey();
  await providers.reserve("early");
  await providers.attempt("late", "rate-limited", { retryAfterMs: HOUR });
  await providers.settle("early", "applied");
  expect((await providers.of("claude")).breaker.state).toBe("open");
});

test("one that says nothing of its provider leaves the breaker as it is and frees its trial", async () => {
  const providers = await withKey();
  await providers.attempt("a", "rate-limited", { retryAfterMs: SECOND });
  providers.at += SECOND;
  await providers.reserve("trial");
  await providers.settle("trial", "cancelled");
  expect((await providers.of("claude")).breaker.state).toBe("half-open");
  expect(await providers.reserve("again")).toEqual({ ok: true });
});

test("whatever ends how and when: nobody is let through before a cool-down is over, and never two on trial", async () => {
  const ended = fc.constantFrom<AttemptClass>(...AttemptClassSchema.options);
  const step = fc.record({
    waitMs: fc.constantFrom(0, 1, SECOND, 31 * SECOND, HOUR, 5 * HOUR),
    ended: fc.option(ended, { freq: 4 }),
    retryAfterMs: fc.option(fc.constantFrom(0, 5 * SECOND, 2 * HOUR)),
    kill: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const providers = await withKey();
      let closedUntil = 0;
      let refusedKey = false;
      const running: string[] = [];
      for (const [index, one] of steps.entries()) {
        providers.at += one.waitMs;
        if (one.kill) await providers.abort();
        const { breaker } = await providers.of("claude");
        const before = running.length;
        const name = `run-${index}`;
        const reserved = await providers.reserve(name, { ttlMs: 10_000 * HOUR });
        if (reserved.ok) running.push(name);
        expect(reserved.ok && (refusedKey || providers.at < closedUntil)).toBe(false);
        if (breaker.state === "half-open" && reserved.ok) {
          expect(await providers.reserve(`${name}-second`)).toMatchObject({ ok: false });
        }
        if (breaker.state === "closed") expect(running.length).toBe(before + 1);
        // The oldest ends; those that are never ended stay under way.
        if (one.ended === null) continue;
        const key = running.shift();
        if (key === undefined) continue;
        await providers.settle(key, one.ended, { retryAfterMs: one.retryAfterMs });
        const meaning = meaningOf(one.ended);
        if (meaning === "auth") refusedKey = true;
        if ((meaning === "rate-limited" || meaning === "quota") && !refusedKey) {
          closedUntil = Math.max(closedUntil, providers.at + (one.retryAfterMs ?? 30 * SECOND));
        }
      }
    }),
    { numRuns: 60 },
  );
});
