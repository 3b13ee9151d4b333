import type { ProviderDefinition, TaskType } from "@shared/contracts";

/** Attempts of one day at tasks of one kind, by one model of one provider. */
export interface OutcomeCell {
  provider: string;
  model: string;
  type: TaskType;
  language: string;
  /** Days since 1970, UTC; parts of a day are allowed. */
  day: number;
  /** Sum of the attempts' weights, and of weight times reward. */
  weight: number;
  reward: number;
  /** Of attempts whose cost is known: how many, and their sum. */
  costs: number;
  costUsd: number;
}

export interface EvidenceParameters {
  /** After so many days an outcome counts half. */
  halfLifeDays: number;
  /** How many outcomes each level is pulled back to the one above it by: provider, model, type of task, language. */
  shrinkProvider: number;
  shrinkModel: number;
  shrinkType: number;
  shrinkLanguage: number;
  /** What the levels above a cell may weigh in it, in outcomes. */
  maxPriorStrength: number;
}

/** Changing one at a time matters little on the tuning scenarios of `pnpm bench:router`. */
export const EVIDENCE: EvidenceParameters = {
  halfLifeDays: 21,
  shrinkProvider: 20,
  shrinkModel: 10,
  shrinkType: 8,
  shrinkLanguage: 10,
  maxPriorStrength: 12,
};

/** Beta(alpha, beta) of the share of success. */
export interface Posterior {
  alpha: number;
  beta: number;
  mean: number;
  /** Outcomes it stands on, by weight, decayed: of this very cell. */
  outcomes: number;
}

interface Sum {
  weight: number;
  reward: number;
  /** What the registry expected of the same attempts. */
  expected: number;
}

/**
 * What outcomes say of each provider, by (type of task, language) and model, at one moment.
 *
 * A cell (provider, model, type, language) has a Beta posterior. Its prior is worked out level by level, each pulled back
 * to the one above by the outcomes it lacks: the registry's expectation for the type, corrected by how the provider did
 * against what was expected of it anywhere, then the model, then that model at this type of task, and in this language. So
 * a cell that is thin borrows from its neighbours, and one that is not speaks for itself. Outcomes fade by half every
 * `halfLifeDays`, so what a provider was months ago gives way to what it is.
 */
export class Evidence {
  readonly #parameters: EvidenceParameters;
  readonly #sums = new Map<string, Sum>();
  readonly #costs = new Map<string, { costs: number; costUsd: number }>();

  constructor(
    cells: Iterable<OutcomeCell>,
    definitions: readonly ProviderDefinition[],
    nowDay: number,
    parameters: EvidenceParameters = EVIDENCE,
  ) {
    this.#parameters = parameters;
    const byName = new Map<string, ProviderDefinition>(definitions.map((definition) => [definition.name, definition]));
    const leaves = new Map<string, Leaf>();
    for (const { provider, model, type, language, day, weight, reward, costs, costUsd } of cells) {
      // What is said to be of the future is of now.
      const fade = 2 ** (-Math.max(0, nowDay - day) / parameters.halfLifeDays);
      const key = `${provider}\n${model}\n${type}\n${language}`;
      let leaf = leaves.get(key);
      if (leaf === undefined) {
        leaf = { provider, model, type, language, weight: 0, reward: 0, costs: 0, costUsd: 0 };
        leaves.set(key, leaf);
      }
      leaf.weight += weight * fade;
      leaf.reward += reward * fade;
      leaf.costs += costs * fade;
      leaf.costUsd += costUsd * fade;
    }
    for (const leaf of leaves.values()) {
      const definition = byName.get(leaf.provider);
      if (definition !== undefined) this.#add(leaf, leaf.weight * definition.capabilities[leaf.type]);
    }
  }

  posterior(definition: ProviderDefinition, model: string, type: TaskType, language: string): Posterior {
    const { shrinkProvider, shrinkModel, shrinkType, shrinkLanguage, maxPriorStrength } = this.#parameters;
    const { name } = definition;
    /** By how much attempts did better than expected plus what the levels above said, pulled towards 0. */
    const surplus = (key: string[], above: number, shrink: number): number => {
      const { weight, reward, expected } = this.#sum(key);
      return (reward - expected - weight * above) / (weight + shrink);
    };
    const ofProvider = surplus([name], 0, shrinkProvider);
    const ofModel = ofProvider + surplus([name, model], ofProvider, shrinkModel);
    const ofType = surplus([name, model, "type", type], ofModel, shrinkType);
    const ofLanguage = surplus([name, model, "language", language], ofModel, shrinkLanguage);
    const expected = clamp(definition.capabilities[type] + ofModel + ofType + ofLanguage);

    const ofTypeSum = this.#sum([name, model, "type", type]);
    const strength = Math.min(maxPriorStrength, definition.priorStrength + ofTypeSum.weight);
    const { weight, reward } = this.#sum([name, model, type, language]);
    const alpha = expected * strength + reward;
    const beta = (1 - expected) * strength + Math.max(0, weight - reward);
    return { alpha, beta, mean: alpha / (alpha + beta), outcomes: weight };
  }

  /** One type of task in all languages: what the provider's page shows. */
  posteriorOfType(definition: ProviderDefinition, model: string, type: TaskType): Posterior {
    const { name, priorStrength, capabilities } = definition;
    const { weight, reward } = this.#sum([name, model, "type", type]);
    const alpha = capabilities[type] * priorStrength + reward;
    const beta = (1 - capabilities[type]) * priorStrength + Math.max(0, weight - reward);
    return { alpha, beta, mean: alpha / (alpha + beta), outcomes: weight };
  }

  /** What an attempt costs, in USD: as measured, pulled towards the definition's word by two attempts. 0 of quota. */
  costOf(definition: ProviderDefinition, model: string): number {
    const typical = definition.cost.kind === "tokens" ? definition.cost.typicalUsd : 0;
    const { costs, costUsd } = this.#costs.get(`${definition.name}\n${model}`) ?? { costs: 0, costUsd: 0 };
    return (costUsd + 2 * typical) / (costs + 2);
  }

  /** An outcome speaks for its cell and for every level above it. */
  #add({ provider, model, type, language, weight, reward, costs, costUsd }: Leaf, expected: number): void {
    for (const key of [
      [provider],
      [provider, model],
      [provider, model, "type", type],
      [provider, model, "language", language],
      [provider, model, type, language],
    ]) {
      const sum = this.#sum(key);
      this.#sums.set(key.join("\n"), {
        weight: sum.weight + weight,
        reward: sum.reward + reward,
        expected: sum.expected + expected,
      });
    }
    const key = `${provider}\n${model}`;
    const cost = this.#costs.get(key) ?? { costs: 0, costUsd: 0 };
    this.#costs.set(key, { costs: cost.costs + costs, costUsd: cost.costUsd + costUsd });
  }

  #sum(key: readonly string[]): Sum {
    return this.#sums.get(key.join("\n")) ?? NOTHING;
  }
}

type Leaf = Omit<OutcomeCell, "day">;
const NOTHING: Sum = { weight: 0, reward: 0, expected: 0 };

const clamp = (share: number): number => Math.min(0.98, Math.max(0.02, share));
