import { type Decision, PROVIDERS, type ProviderName, type Result } from "@shared/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide } from "../../worker/services/ai-providers/routing/decide.ts";
import type { ProviderFacts, TaskFacts } from "../../worker/services/ai-providers/routing/facts.ts";
import { WEIGHTS } from "../../worker/services/ai-providers/routing/score.ts";
import { CLOSED, evidence, everyProvider, outcomes, provider, task } from "./routingFixture.ts";

const at = "2026-01-01T00:00:00.000Z";
const decided = (result: Result<{ decision: Decision }>): Decision => {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result.decision;
};
const choose = (facts: TaskFacts, providers = everyProvider(), known = evidence(), seed = "s") =>
  decide({ task: facts, providers, evidence: known, seed, at });

const cellArbitrary = fc
  .record({
    name: fc.constantFrom(...PROVIDERS),
    type: fc.constantFrom("generate" as const, "fix" as const, "refactor" as const, "optimize" as const),
    attempts: fc.integer({ min: 1, max: 50 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    age: fc.integer({ min: 0, max: 100 }),
  })
  .map(({ name, type, attempts, share, age }) =>
    outcomes(name, attempts, attempts * share, { type, day: 20_000 - age, costs: attempts, costUsd: attempts * share }),
  );
const inputsArbitrary = fc.record({
  type: fc.constantFrom("generate" as const, "fix" as const, "refactor" as const, "optimize" as const),
  priority: fc.constantFrom("low" as const, "normal" as const, "high" as const, "urgent" as const),
  cost_profile: fc.constantFrom("cheap" as const, "balanced" as const, "best" as const),
  preferredModel: fc.constantFrom(null, "gpt-5-codex", "auto"),
  preferred: fc.constantFrom(null, ...PROVIDERS),
});

test("the same inputs and seed give the same decision, whose explanation adds up to it", () => {
  fc.assert(
    fc.property(fc.array(cellArbitrary, { maxLength: 30 }), inputsArbitrary, fc.string(), (cells, inputs, seed) => {
      const make = () => decided(choose(task(inputs), everyProvider(), evidence(cells), seed));
      const decision = make();
      expect(make()).toEqual(decision);
      // As it is stored and read again, too.
      const stored: Decision = JSON.parse(JSON.stringify(decision));
      for (const { score, parts } of stored.candidates) {
        expect(parts.reduce((sum, part) => sum + part.value, 0)).toBe(score);
        for (const { why } of parts) expect(why).not.toBe("");
      }
      const best = Math.max(...stored.candidates.map(({ score }) => score ?? -Infinity));
      const chosen = stored.candidates.find(
        ({ provider: name, model }) => name === stored.provider && model === stored.model,
      );
      if (inputs.preferred === null) expect(chosen?.score).toBe(best);
      else expect(stored).toMatchObject({ provider: inputs.preferred, by: "override" });
      // The chain is every other provider once, best first.
      const names = [stored.provider, ...stored.chain.map((link) => link.provider)];
      expect(new Set(names)).toEqual(new Set(PROVIDERS));
      expect(names).toHaveLength(PROVIDERS.length);
    }),
    { numRuns: 60 },
  );
});

test("other seeds lead elsewhere while little is known, and nowhere else once much is", () => {
  const seeds = Array.from({ length: 200 }, (_, index) => `seed ${index}`);
  const chosenBy = (cells: Parameters<typeof evidence>[0]) =>
    new Set(seeds.map((seed) => decided(choose(task(), everyProvider(), evidence(cells), seed)).provider));
  expect(chosenBy([]).size).toBeGreaterThan(2);
  const known = PROVIDERS.map((name) => outcomes(name, 400, name === "gemini" ? 390 : 120));
  expect(chosenBy(known)).toEqual(new Set(["gemini"]));
});

test("an urgent task is no place to try things out", () => {
  const chosen = Array.from(
    { length: 50 },
    (_, index) => decided(choose(task({ priority: "urgent" }), everyProvider(), evidence(), `seed ${index}`)).provider,
  );
  expect(new Set(chosen).size).toBe(1);
});

test("what a run costs matters by the order's profile", () => {
  const dear = [outcomes("claude", 200, 170, { costs: 200, costUsd: 400 })];
  const cheap = [outcomes("codex", 200, 150, { costs: 200, costUsd: 20 })];
  const both = [provider("claude"), provider("codex")];
  const by = (cost_profile: "cheap" | "best") =>
    decided(choose(task({ cost_profile, priority: "urgent" }), both, evidence([...dear, ...cheap]))).provider;
  expect(by("best")).toBe("claude");
  expect(by("cheap")).toBe("codex");
});

test("the preferred model is preferred, and no more than that", () => {
  const wanted = task({ preferredModel: "auto", priority: "urgent" });
  expect(decided(choose(wanted)).provider).toBe("cursor");
  const poor = [outcomes("cursor", 100, 5), outcomes("claude", 100, 90)];
  expect(decided(choose(wanted, everyProvider(), evidence(poor))).provider).toBe("claude");
  expect(WEIGHTS.preferredModel).toBeGreaterThan(0);
});

describe("each hard rule keeps its provider out, whatever its score and whoever asks", () => {
  const having = (name: ProviderName, more: Partial<ProviderFacts>) => ({ name, facts: provider(name, more) });
  const missing = { branchMissing: "this task's project names no repository" };
  test.each<[string, { name: ProviderName; facts: ProviderFacts }, Partial<TaskFacts>, string, string]>([
    ["no branch on GitHub", having("jules", {}), missing, "github-branch", "PROVIDER_NOT_SUITABLE"],
    [
      "no workspace",
      having("claude", {}),
      { workspace: { missing: "the task's is not open" } },
      "workspace",
      "PROVIDER_NOT_SUITABLE",
    ],
    [
      "nothing in the workspace",
      having("codex", {}),
      { workspace: { files: 0 } },
      "workspace",
      "PROVIDER_NOT_SUITABLE",
    ],
    [
      "too much to show",
      having("workers-ai", {}),
      { fit: { tooMuch: "they are over 200000 bytes" } },
      "files-fit",
      "PROVIDER_NOT_SUITABLE",
    ],
    ["no key", having("gemini", { keyPresent: false }), {}, "key", "PROVIDER_NOT_SUITABLE"],
    [
      "switched off",
      having("gemini", { definition: { ...provider("gemini").definition, enabled: false } }),
      {},
      "enabled",
      "PROVIDER_NOT_SUITABLE",
    ],
    [
      "its breaker open",
      having("gemini", { breaker: { ...CLOSED, state: "open", reason: "quota", until: at } }),
      {},
      "breaker",
      "PROVIDER_UNAVAILABLE",
    ],
    [
      "one being tried out",
      having("gemini", { breaker: { ...CLOSED, state: "half-open", reason: "failures", until: at }, probing: true }),
      {},
      "breaker",
      "PROVIDER_UNAVAILABLE",
    ],
    ["all places taken", having("gemini", { running: 4 }), {}, "concurrency", "PROVIDER_UNAVAILABLE"],
    [
      "no money left today",
      having("claude", { budget: { unit: "usd", limit: 10, spent: 9, reserved: 0.8 } }),
      {},
      "budget",
      "BUDGET_EXCEEDED",
    ],
    [
      "no units left today",
      having("copilot", { budget: { unit: "units", limit: 50, spent: 49, reserved: 1 } }),
      {},
      "budget",
      "BUDGET_EXCEEDED",
    ],
    [
      "no money left of the order's",
      having("claude", {}),
      { orderBudget: { limit: 1, spent: 0.9, reserved: 0 } },
      "order-budget",
      "BUDGET_EXCEEDED",
    ],
  ])("%s", (_, { name, facts }, more, rule, code) => {
    const splendid = evidence([outcomes(name, 1_000, 1_000)]);
    // Somebody else may always have it: Jules where a workspace is missing, and the other way round.
    const others = [provider("jules"), provider("cursor")].filter(({ definition }) => definition.name !== name);
    const decision = decided(choose(task({}, more), [facts, ...others], splendid));
    expect(decision.provider).not.toBe(name);
    expect(decision.chain.map((link) => link.provider)).not.toContain(name);
    const candidate = decision.candidates.find((one) => one.provider === name);
    expect(candidate).toMatchObject({ score: null, parts: [], sample: null });
    expect(candidate?.refused.map((refused) => refused.rule)).toContain(rule);

    const asked = choose(task({ preferred: name }, more), [facts, ...others], splendid);
    expect(asked).toMatchObject({ ok: false, error: { code } });
    const alone = choose(task({}, more), [facts], splendid);
    expect(alone).toMatchObject({
      ok: false,
      error: { code, message: expect.stringContaining("no provider can take") },
    });
  });

  test("a half-open breaker lets one through", () => {
    const facts = provider("gemini", { breaker: { ...CLOSED, state: "half-open", reason: "failures", until: at } });
    expect(decided(choose(task(), [facts])).provider).toBe("gemini");
  });

  test("a task without a branch on GitHub is never Jules', though it has no key either", () => {
    const answer = choose(task({ preferred: "jules" }, missing), [provider("jules", { keyPresent: false })]);
    expect(answer).toMatchObject({
      ok: false,
      error: {
        code: "PROVIDER_NOT_SUITABLE",
        message: expect.stringMatching(/Jules .* branch on GitHub, and .* names no repository/),
      },
    });
  });
});
