import { describe, expect, test } from "vitest";
import { DEFINITIONS } from "../../worker/services/ai-providers/definitions.ts";
import { EVIDENCE } from "../../worker/services/ai-providers/routing/Evidence.ts";
import { languageOf } from "../../worker/services/ai-providers/routing/language.ts";
import { rewardOf } from "../../worker/services/ai-providers/routing/reward.ts";
import { evidence, outcomes, TODAY } from "./routingFixture.ts";

const claude = DEFINITIONS.claude;
const model = claude.default_model;
const fixing = (known: ReturnType<typeof evidence>, language = "typescript", type: "fix" | "optimize" = "fix") =>
  known.posterior(claude, model, type, language);

test("before anything is known, the registry is believed, as much as it says", () => {
  const { alpha, beta, mean, outcomes: seen } = fixing(evidence());
  expect(mean).toBeCloseTo(claude.capabilities.fix, 12);
  expect(alpha + beta).toBeCloseTo(claude.priorStrength, 12);
  expect(seen).toBe(0);
});

test("with many outcomes, they are believed", () => {
  expect(fixing(evidence([outcomes("claude", 1_000, 100)])).mean).toBeCloseTo(0.1, 1);
});

test("outcomes fade by half every half-life, and what faded gives way to what is new", () => {
  const old = outcomes("claude", 100, 100, { day: TODAY - EVIDENCE.halfLifeDays });
  expect(fixing(evidence([old])).outcomes).toBeCloseTo(50, 9);
  const changed = evidence([{ ...old, day: TODAY - 6 * EVIDENCE.halfLifeDays }, outcomes("claude", 40, 4)]);
  expect(fixing(changed).mean).toBeLessThan(0.25);
});

test("what is said to be of the future counts as of now", () => {
  expect(fixing(evidence([outcomes("claude", 10, 10, { day: TODAY + 50 })])).outcomes).toBe(10);
});

describe("a thin cell borrows from its neighbours", () => {
  const poor = evidence([outcomes("claude", 200, 20)]);
  test("another language from the same type of task", () => {
    expect(fixing(poor, "rust").mean).toBeLessThan(claude.capabilities.fix - 0.3);
    expect(fixing(poor, "rust").outcomes).toBe(0);
  });
  test("another type of task from the provider, less", () => {
    const other = fixing(poor, "rust", "optimize").mean;
    expect(other).toBeLessThan(claude.capabilities.optimize - 0.2);
  });
  test("another model from the provider", () => {
    const [, second = ""] = claude.models;
    expect(poor.posterior(claude, second, "fix", "typescript").mean).toBeLessThan(claude.capabilities.fix - 0.2);
  });
  test("and nobody from another provider", () => {
    const { codex } = DEFINITIONS;
    expect(poor.posterior(codex, codex.default_model, "fix", "typescript").mean).toBeCloseTo(
      codex.capabilities.fix,
      12,
    );
  });
});

test("a share stays a share whatever is known", () => {
  for (const share of [0, 1]) {
    const { alpha, beta } = fixing(evidence([outcomes("claude", 1e6, 1e6 * share)]), "go", "optimize");
    expect(alpha).toBeGreaterThan(0);
    expect(beta).toBeGreaterThan(0);
  }
});

test("a run's cost is what was measured, once there is enough of it", () => {
  expect(evidence().costOf(claude, model)).toBeCloseTo(0.45, 12);
  const measured = evidence([outcomes("claude", 100, 50, { costs: 100, costUsd: 200 })]);
  expect(measured.costOf(claude, model)).toBeCloseTo(2, 1);
  expect(evidence().costOf(DEFINITIONS.jules, "jules")).toBe(0);
});

test("an attempt is worth what its patches came to", () => {
  expect(rewardOf("applied", { patches: 2, validated: 2, applied: 0 })).toEqual({ reward: 1, weight: 1 });
  expect(rewardOf("applied", { patches: 2, validated: 0, applied: 2 })).toEqual({ reward: 0.7, weight: 1 });
  expect(rewardOf("applied", { patches: 2, validated: 0, applied: 0 })).toEqual({ reward: 0, weight: 1 });
  expect(rewardOf("applied", { patches: 4, validated: 1, applied: 0 })).toEqual({ reward: 0.25, weight: 1 });
  expect(rewardOf("applied", null)).toEqual({ reward: 0.7, weight: 1 });
  expect(rewardOf("empty-diff", null)).toEqual({ reward: 0, weight: 1 });
  expect(rewardOf("validation-failed", { patches: 1, validated: 1, applied: 0 })).toEqual({ reward: 0, weight: 1 });
  expect(rewardOf("lost-race", null).weight).toBe(0);
  expect(rewardOf("rate-limited", null).weight).toBe(0);
});

test.each<[string, string[], string[], string]>([
  ["its globs", ["src/**/*.ts", "test/*.tsx", "README.md"], [], "typescript"],
  ["a glob of several endings", ["**/*.{py,pyi}"], ["a.ts"], "python"],
  ["the files its globs match", ["src/**"], ["src/a.go", "src/b.go", "src/c.rs"], "go"],
  ["code before prose, however much prose", ["src/**"], ["a.md", "b.md", "c.json", "d.rs"], "rust"],
  ["prose where there is nothing else", ["docs/**"], ["docs/a.md"], "markdown"],
  ["the first by name of equals", ["a.rs", "b.go"], [], "go"],
  ["nothing", ["**"], [], "any"],
])("a task's language is told by %s", (_, globs, files, language) => {
  expect(languageOf(globs, files)).toBe(language);
});
