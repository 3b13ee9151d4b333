import type { AttemptClass, Decision, ProviderName } from "@shared/contracts";
import { DEFINITIONS } from "../../worker/services/ai-providers/definitions.ts";
import { REWARD } from "../../worker/services/ai-providers/routing/reward.ts";
import { WEIGHTS } from "../../worker/services/ai-providers/routing/score.ts";
import { seededRandom } from "../../worker/services/ai-providers/routing/seededRandom.ts";
import type { Scenario } from "./scenario.ts";

export interface SimulatedTask {
  id: string;
  /** Days since the beginning, with their parts. */
  day: number;
  inputs: Decision["inputs"];
  fits: boolean;
}

/** What an attempt comes to. A change that is reverted is so some days later. */
export interface Ended {
  class: AttemptClass;
  validated: boolean;
  revertedAfterDays: number | null;
  costUsd: number | null;
}

const clamp = (share: number): number => Math.min(0.97, Math.max(0.02, share));

/** What providers truly are at any moment of a scenario: known to the oracle alone. */
export class World {
  readonly tasks: readonly SimulatedTask[];
  readonly #scenario: Scenario;
  readonly #seed: string;
  readonly #effects = new Map<string, number>();

  constructor(scenario: Scenario, seed: string) {
    this.#scenario = scenario;
    this.#seed = `${scenario.name} ${seed}`;
    this.tasks = this.#tasks();
  }

  /** What an attempt is worth on average, in the unit of a score: the value of its success less what it costs. */
  utility(provider: ProviderName, model: string, task: SimulatedTask): number {
    const { priority, cost_profile: profile } = task.inputs;
    const { validated, reverted } = this.#scenario;
    const worth = (validated * REWARD.validated + (1 - validated) * REWARD.applied) * (1 - reverted);
    const gain =
      WEIGHTS.value[priority] * this.#success(provider, model, task) * worth -
      WEIGHTS.usd[profile] * this.#cost(provider, model, task.day);
    return gain * (1 - this.#refusing(provider, task.day));
  }

  /** One attempt. The same attempt at the same task ends the same, whoever asks. */
  attempt(provider: ProviderName, model: string, task: SimulatedTask): Ended {
    const random = seededRandom(`${this.#seed}\n${task.id}\n${provider}\n${model}`);
    const nothing = { validated: false, revertedAfterDays: null };
    if (random.next() < this.#refusing(provider, task.day)) {
      const isOut = this.#at("outage", provider, task.day).length > 0;
      return { ...nothing, class: isOut ? "provider-error" : "rate-limited", costUsd: 0 };
    }
    const costUsd = this.#cost(provider, model, task.day) * (0.5 + random.next());
    if (random.next() >= this.#success(provider, model, task)) {
      const ways = ["empty-diff", "gate-refused", "validation-failed", "validation-failed", "agent-error"] as const;
      return { ...nothing, class: ways[Math.floor(random.next() * ways.length)] ?? "agent-error", costUsd };
    }
    const { validated, reverted } = this.#scenario;
    return {
      class: "applied",
      validated: random.next() < validated,
      revertedAfterDays: random.next() < reverted ? 1 + 6 * random.next() : null,
      costUsd,
    };
  }

  #success(provider: ProviderName, model: string, { day, inputs: { type, language } }: SimulatedTask): number {
    const { spread } = this.#scenario;
    const drift = this.#at("drift", provider, day)
      .filter((one) => one.type === undefined || one.type === type)
      .reduce((sum, one) => sum + one.by * Math.min(1, (day - one.day) / one.over), 0);
    return clamp(
      DEFINITIONS[provider].capabilities[type] +
        drift +
        spread.provider * this.#effect(provider) +
        spread.type * this.#effect(provider, type) +
        spread.language * this.#effect(provider, language) +
        spread.model * this.#effect(provider, model),
    );
  }

  #cost(provider: ProviderName, model: string, day: number): number {
    const { cost } = DEFINITIONS[provider];
    if (cost.kind === "quota") return 0;
    const factor = this.#at("price", provider, day).reduce((product, one) => product * one.factor, 1);
    return cost.typicalUsd * factor * Math.exp(this.#scenario.spread.price * this.#effect(provider, model, "price"));
  }

  /** The share of attempts that its service takes none of. */
  #refusing(provider: ProviderName, day: number): number {
    if (this.#at("outage", provider, day).length > 0) return 1;
    return Math.max(0, ...this.#at("limited", provider, day).map(({ share }) => share));
  }

  #at<W extends Scenario["happenings"][number]["what"]>(what: W, provider: ProviderName, day: number) {
    return this.#scenario.happenings.filter(
      (one): one is Extract<Scenario["happenings"][number], { what: W }> =>
        one.what === what && one.provider === provider && day >= one.day && day < (one.until ?? Infinity),
    );
  }

  /** A standard normal number that belongs to these names. */
  #effect(...names: string[]): number {
    const key = names.join("\n");
    const known = this.#effects.get(key) ?? seededRandom(`${this.#seed}\neffect\n${key}`).normal();
    this.#effects.set(key, known);
    return known;
  }

  #tasks(): SimulatedTask[] {
    const { days, tasksPerDay, types, languages, priorities, profiles, onGithub, fits } = this.#scenario;
    const random = seededRandom(`${this.#seed}\ntasks`);
    const pick = <K extends string>(weights: Record<K, number>): K => {
      const names = Object.keys(weights).filter((name): name is K => name in weights);
      let left = random.next() * names.reduce((sum, name) => sum + weights[name], 0);
      const found = names.find((name) => (left -= weights[name]) <= 0) ?? names[0];
      if (found === undefined) throw new Error("nothing to pick from");
      return found;
    };
    return Array.from({ length: days * tasksPerDay }, (_, index): SimulatedTask => {
      const branchOnGithub = random.next() < onGithub;
      return {
        id: `task-${index}`,
        day: index / tasksPerDay,
        inputs: {
          type: pick(types),
          language: pick(languages),
          priority: pick(priorities),
          cost_profile: pick(profiles),
          preferredModel: null,
          preferred: null,
          repository: branchOnGithub ? "acme/shop" : null,
          branch: branchOnGithub ? "main" : null,
          branchOnGithub,
        },
        fits: random.next() < fits,
      };
    });
  }
}
