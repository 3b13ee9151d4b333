import fc from "fast-check";
import { expect, test } from "vitest";
import { betaBelow, betaQuantile } from "../../worker/services/ai-providers/routing/betaDistribution.ts";
import { seededRandom } from "../../worker/services/ai-providers/routing/seededRandom.ts";

test("the same seed gives the same numbers, another seed others", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (seed, other) => {
      const draw = (text: string) => {
        const random = seededRandom(text);
        return [random.next(), random.normal(), random.beta(2, 3), random.beta(0.3, 7)];
      };
      expect(draw(seed)).toEqual(draw(seed));
      if (seed !== other) expect(draw(seed)).not.toEqual(draw(other));
    }),
  );
});

test.each([
  [1, 1],
  [0.4, 0.6],
  [8, 2],
  [30, 70],
])("draws from Beta(%d, %d) have its mean, its spread and its quantiles", (alpha, beta) => {
  const random = seededRandom("a test's");
  const draws = Array.from({ length: 20_000 }, () => random.beta(alpha, beta));
  const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
  const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
  expect(mean).toBeCloseTo(alpha / (alpha + beta), 2);
  expect(variance).toBeCloseTo((alpha * beta) / ((alpha + beta) ** 2 * (alpha + beta + 1)), 2);
  const low = betaQuantile(0.05, alpha, beta);
  expect(draws.filter((draw) => draw < low).length / draws.length).toBeCloseTo(0.05, 2);
  for (const draw of draws) expect(draw >= 0 && draw <= 1).toBe(true);
});

test("the beta distribution is as published", () => {
  // I_x(1, b) = 1 - (1 - x)^b, I_x(a, 1) = x^a, and I_0.5(2, 3) = 11/16.
  expect(betaBelow(0.3, 1, 4)).toBeCloseTo(1 - 0.7 ** 4, 9);
  expect(betaBelow(0.3, 2.5, 1)).toBeCloseTo(0.3 ** 2.5, 9);
  expect(betaBelow(0.5, 2, 3)).toBeCloseTo(11 / 16, 9);
  expect(betaQuantile(11 / 16, 2, 3)).toBeCloseTo(0.5, 5);
});
