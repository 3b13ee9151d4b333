import { type Decision, fail, type Result } from "@shared/contracts";
import type { Evidence } from "./Evidence.ts";
import type { ProviderFacts, TaskFacts } from "./facts.ts";
import { type Refusal, refusalsOf } from "./rules.ts";
import { type Candidate, scoreOf } from "./score.ts";
import { seededRandom } from "./seededRandom.ts";

export interface DecisionInput {
  task: TaskFacts;
  providers: readonly ProviderFacts[];
  evidence: Evidence;
  /** Whatever is random in the decision comes from it: the same input with the same seed is the same decision. */
  seed: string;
  /** ISO 8601. */
  at: string;
}

/** Every candidate's model: the provider's own first. */
const modelsOf = ({ default_model, models }: ProviderFacts["definition"]): string[] => [
  ...new Set([default_model, ...models]),
];

/** Each model of each provider, refused by the rules it breaks or scored, in the order of `providers`. */
export function candidatesOf(input: Omit<DecisionInput, "at">): Candidate[] {
  return rulings(input).map(({ candidate }) => candidate);
}

interface Ruling {
  candidate: Candidate;
  refusals: Refusal[];
}

function rulings({ task, providers, evidence, seed }: Omit<DecisionInput, "at">): Ruling[] {
  return providers.flatMap((facts) =>
    modelsOf(facts.definition).map((model): Ruling => {
      const { name } = facts.definition;
      const refusals = refusalsOf(task, facts, evidence.costOf(facts.definition, model));
      if (refusals.length > 0) {
        const refused = refusals.map(({ rule, why }) => ({ rule, why }));
        return { candidate: { provider: name, model, refused, sample: null, parts: [], score: null }, refusals };
      }
      // A generator of its own: what else is a candidate moves no other's draw.
      const random = seededRandom(`${seed}\n${name}\n${model}`);
      return { candidate: scoreOf(facts, model, task.inputs, evidence, random), refusals: [] };
    }),
  );
}

/** Better first; of equals, by name, so that nothing depends on an order that means nothing. */
export const byScore = (a: Candidate, b: Candidate): number =>
  (b.score ?? -Infinity) - (a.score ?? -Infinity) ||
  (a.provider < b.provider ? -1 : Number(a.provider > b.provider)) ||
  (a.model < b.model ? -1 : 1);

/**
 * Gives a task to a provider: the one that was asked for, if it breaks no hard rule, else the one with the best score.
 * The chain holds every other provider that breaks none, best first, each with its best model.
 * Errors, of the one asked for, or where none is left: PROVIDER_NOT_SUITABLE (what it works on is not there, or
 * this deployment has it switched off or no key for it: waiting mends nothing), BUDGET_EXCEEDED, PROVIDER_UNAVAILABLE
 * (closed by its breaker, all places taken).
 */
export function decide(input: DecisionInput): Result<{ decision: Decision }> {
  const { task, seed, at } = input;
  const { preferred } = task.inputs;
  const ruled = rulings(input);
  const asked = preferred === null ? ruled : ruled.filter(({ candidate }) => candidate.provider === preferred);
  const ranked = ruled
    .map(({ candidate }) => candidate)
    .filter(({ score }) => score !== null)
    .toSorted(byScore);
  const chosen = ranked.find(({ provider }) => preferred === null || provider === preferred);
  if (chosen === undefined) return refuse(asked, preferred);
  const chain = ranked.filter(
    ({ provider }, index) =>
      provider !== chosen.provider && ranked.findIndex((other) => other.provider === provider) === index,
  );
  return {
    ok: true,
    decision: {
      task_uuid: task.taskId,
      provider: chosen.provider,
      model: chosen.model,
      chain: chain.map(({ provider, model }) => ({ provider, model })),
      by: preferred === null ? "score" : "override",
      seed,
      inputs: task.inputs,
      candidates: ruled.map(({ candidate }) => candidate),
      decided_at: at,
    },
  };
}

function refuse(ruled: readonly Ruling[], preferred: string | null): Result<never> {
  if (preferred !== null) {
    const first = ruled[0]?.refusals[0];
    return first
      ? fail(first.code, first.why)
      : fail("PROVIDER_NOT_SUITABLE", `there is no provider ${preferred} here`);
  }
  const firsts = ruled.flatMap(({ refusals }) => refusals.slice(0, 1));
  // What passes by itself is the better news.
  const code = (["PROVIDER_UNAVAILABLE", "BUDGET_EXCEEDED", "PROVIDER_NOT_SUITABLE"] as const).find((one) =>
    firsts.some((refused) => refused.code === one),
  );
  const whys = [...new Set(firsts.map(({ why }) => why))].join("; ");
  return fail(code ?? "PROVIDER_NOT_SUITABLE", `no provider can take this task: ${whys}`);
}
