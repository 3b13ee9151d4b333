import type { CandidateScoreSchema, Decision } from "@shared/contracts";
import type { z } from "zod";
import type { Evidence } from "./Evidence.ts";
import type { ProviderFacts } from "./facts.ts";
import type { SeededRandom } from "./seededRandom.ts";

export type Candidate = z.infer<typeof CandidateScoreSchema>;

/**
 * The unit of a score is the value of one success at normal priority.
 *
 * `value`: what a success is worth, by priority. `explore`: how far a draw from the posterior may lead away from its mean;
 * an urgent task is no place to try things out. `usd`: what a dollar costs, by cost profile.
 */
export const WEIGHTS = {
  value: { low: 0.8, normal: 1, high: 1.25, urgent: 1.5 },
  explore: { low: 0.25, normal: 0.2, high: 0.1, urgent: 0 },
  usd: { cheap: 0.6, balanced: 0.2, best: 0.04 },
  /** Of a candidate whose model is the one preferred. */
  preferredModel: 0.3,
  /** Times the share of the day's units that is gone, squared: the last ones are kept for what needs them. */
  quota: 0.1,
  /** Times the share of its places that is taken. */
  load: 0.03,
} as const;
export type Weights = typeof WEIGHTS;

const round = (value: number): string => String(Math.round(value * 1_000) / 1_000);

/** A candidate's score: what one draw from its posterior is worth here, less what it costs. The parts add up to it. */
export function scoreOf(
  { definition, budget, running }: ProviderFacts,
  model: string,
  inputs: Pick<Decision["inputs"], "type" | "language" | "priority" | "cost_profile" | "preferredModel">,
  evidence: Evidence,
  random: Pick<SeededRandom, "beta">,
): Candidate {
  const { type, language, priority, cost_profile: profile, preferredModel } = inputs;
  const posterior = evidence.posterior(definition, model, type, language);
  const sample = random.beta(posterior.alpha, posterior.beta);
  const value = WEIGHTS.value[priority];
  const parts: Candidate["parts"] = [
    {
      name: "success",
      value: value * posterior.mean,
      why: `${type} in ${language} is expected to succeed at ${round(posterior.mean)}, by ${round(posterior.outcomes)} recent outcomes of its own; a success is worth ${value} at ${priority} priority`,
    },
    {
      name: "exploration",
      value: value * WEIGHTS.explore[priority] * (sample - posterior.mean),
      why: `a draw from what is known came out at ${round(sample)}; ${WEIGHTS.explore[priority]} of the difference counts at ${priority} priority`,
    },
  ];
  const add = (name: string, amount: number, why: string): void => {
    if (amount !== 0) parts.push({ name, value: amount, why });
  };
  const usd = evidence.costOf(definition, model);
  add("cost", -WEIGHTS.usd[profile] * usd, `about $${round(usd)} a run, at the profile ${profile}`);
  if (budget.unit === "units" && budget.limit !== null && budget.limit > 0) {
    const gone = (budget.spent + budget.reserved) / budget.limit;
    add("quota", -WEIGHTS.quota * gone ** 2, `${round(gone)} of today's units are gone`);
  }
  const taken = running / definition.concurrency;
  add("load", -WEIGHTS.load * taken, `${running} of ${definition.concurrency} places are taken`);
  if (preferredModel === model) add("preferredModel", WEIGHTS.preferredModel, `${model} is the preferred model`);
  return {
    provider: definition.name,
    model,
    refused: [],
    sample,
    parts,
    score: parts.reduce((sum, part) => sum + part.value, 0),
  };
}
