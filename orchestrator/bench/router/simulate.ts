import { type Decision, type ProviderName, TaskIdSchema } from "@shared/contracts";
import {
  breakerOf,
  type BreakerRecord,
  CLOSED,
  observe,
  admit,
} from "../../worker/durable-objects/provider-state/breaker.ts";
import { DEFINITIONS } from "../../worker/services/ai-providers/definitions.ts";
import { candidatesOf, decide } from "../../worker/services/ai-providers/routing/decide.ts";
import { Evidence, EVIDENCE, type OutcomeCell } from "../../worker/services/ai-providers/routing/Evidence.ts";
import type { ProviderFacts, TaskFacts } from "../../worker/services/ai-providers/routing/facts.ts";
import { rewardOf } from "../../worker/services/ai-providers/routing/reward.ts";
import { seededRandom } from "../../worker/services/ai-providers/routing/seededRandom.ts";
import type { Scenario } from "./scenario.ts";
import { type Ended, type SimulatedTask, World } from "./World.ts";

const DAY_MS = 86_400_000;
/** The first of January 2026. */
const START_DAY = 20_454;
/** Outcomes older than this are not read, as in production. */
const WINDOW_DAYS = 120;
/** How often what was learnt is read anew: runs take their time, so an outcome is not known at the next task. */
const READS_PER_DAY = 8;
/** What a service that answers 429 asks for. */
const RETRY_AFTER_MS = 10 * 60_000;

export const POLICIES = ["router", "registry only", "fixed order", "random", "best single", "oracle"] as const;
export type PolicyName = (typeof POLICIES)[number];

type Choice = { provider: ProviderName; model: string } | null;

/** What one policy has lived through: its breakers, its day's units, its outcomes. Each policy has its own. */
class Course {
  readonly #breakers = new Map<ProviderName, BreakerRecord>();
  readonly #units = new Map<string, number>();
  readonly #cells = new Map<string, OutcomeCell>();
  #reverts: { at: number; cell: OutcomeCell; reward: number }[] = [];
  #evidence: Evidence | null = null;
  #readAt = -1;

  providers(day: number): ProviderFacts[] {
    const now = day * DAY_MS;
    return Object.values(DEFINITIONS).map((definition) => {
      const record = this.#breakers.get(definition.name) ?? CLOSED;
      const isQuota = definition.cost.kind === "quota";
      return {
        definition,
        keyPresent: true,
        breaker: breakerOf(record, now),
        probing: record.probe !== null,
        running: 0,
        budget: {
          unit: isQuota ? "units" : "usd",
          limit: definition.cost.kind === "quota" ? definition.cost.unitsPerDay : null,
          spent: this.#units.get(`${definition.name} ${Math.floor(day)}`) ?? 0,
          reserved: 0,
        },
      };
    });
  }

  evidence(day: number): Evidence {
    const read = Math.floor(day * READS_PER_DAY);
    if (this.#evidence === null || read !== this.#readAt) {
      this.#readAt = read;
      for (const { cell, reward } of this.#reverts.filter(({ at }) => at <= day)) cell.reward -= reward;
      this.#reverts = this.#reverts.filter(({ at }) => at > day);
      for (const [key, cell] of this.#cells) if (cell.day < START_DAY + day - WINDOW_DAYS) this.#cells.delete(key);
      this.#evidence = new Evidence(this.#cells.values(), Object.values(DEFINITIONS), START_DAY + day, EVIDENCE);
    }
    return this.#evidence;
  }

  /** An attempt from its reservation to its end. */
  live(task: SimulatedTask, { provider, model }: NonNullable<Choice>, ended: Ended): void {
    const { day, inputs } = task;
    const now = day * DAY_MS;
    const admitted = admit(this.#breakers.get(provider) ?? CLOSED, task.id, now);
    if ("why" in admitted) throw new Error(`${provider} is ${admitted.why}`);
    const told = {
      key: task.id,
      class: ended.class,
      retryAfterMs: ended.class === "rate-limited" ? RETRY_AFTER_MS : null,
    };
    this.#breakers.set(provider, observe(admitted.record, told, now));
    const units = `${provider} ${Math.floor(day)}`;
    this.#units.set(units, (this.#units.get(units) ?? 0) + 1);

    const standing = { patches: 1, validated: Number(ended.validated), applied: Number(!ended.validated) };
    const { reward, weight } = rewardOf(ended.class, standing);
    const cell = this.#cell(provider, model, Math.floor(day), inputs);
    cell.weight += weight;
    cell.reward += weight * reward;
    if (ended.costUsd !== null && weight > 0) {
      cell.costs += 1;
      cell.costUsd += ended.costUsd;
    }
    if (ended.revertedAfterDays !== null) {
      this.#reverts.push({ at: day + ended.revertedAfterDays, cell, reward: weight * reward });
    }
  }

  #cell(provider: ProviderName, model: string, day: number, inputs: Decision["inputs"]): OutcomeCell {
    const { type, language } = inputs;
    const key = `${provider}\n${model}\n${type}\n${language}\n${day}`;
    let cell = this.#cells.get(key);
    if (cell === undefined) {
      cell = {
        provider,
        model,
        type,
        language,
        day: START_DAY + day + 0.5,
        weight: 0,
        reward: 0,
        costs: 0,
        costUsd: 0,
      };
      this.#cells.set(key, cell);
    }
    return cell;
  }
}

const factsOf = ({ id, inputs, fits }: SimulatedTask): TaskFacts => ({
  taskId: TaskIdSchema.parse(id),
  inputs,
  branchMissing: inputs.branchOnGithub ? null : "there is none",
  workspace: { files: 100 },
  fit: fits ? { files: 3, bytes: 10_000 } : { tooMuch: "there are too many" },
  orderBudget: null,
});

/** How each policy chooses. All keep the same hard rules, breakers and quotas; only the oracle knows the world. */
function chooserOf(policy: PolicyName, world: World, seed: string, single: Choice) {
  const registryOnly = new Evidence([], Object.values(DEFINITIONS), START_DAY);
  return (task: SimulatedTask, course: Course): Choice => {
    const providers = course.providers(task.day);
    const facts = factsOf(task);
    const taskSeed = `${seed}\n${task.id}`;
    if (policy === "router") {
      const evidence = course.evidence(task.day);
      const at = new Date((START_DAY + task.day) * DAY_MS).toISOString();
      const decided = decide({ task: facts, providers, evidence, seed: taskSeed, at });
      return decided.ok ? decided.decision : null;
    }
    if (policy === "registry only") {
      // The same score, of one who never learns and so has nothing to try out.
      const urgent = { ...facts, inputs: { ...facts.inputs, priority: "urgent" as const } };
      const decided = decide({ task: urgent, providers, evidence: registryOnly, seed: taskSeed, at: "" });
      return decided.ok ? decided.decision : null;
    }
    const open = candidatesOf({ task: facts, providers, evidence: registryOnly, seed: taskSeed }).filter(
      ({ refused }) => refused.length === 0,
    );
    switch (policy) {
      case "fixed order":
        return open[0] ?? null;
      case "random":
        return open[Math.floor(seededRandom(taskSeed).next() * open.length)] ?? null;
      case "best single":
        return (
          open.find(({ provider, model }) => provider === single?.provider && model === single.model) ?? open[0] ?? null
        );
      case "oracle": {
        const worth = ({ provider, model }: NonNullable<Choice>) => world.utility(provider, model, task);
        return open.toSorted((a, b) => worth(b) - worth(a))[0] ?? null;
      }
    }
  };
}

/** The sum of what a policy's choices are worth on average. */
function run(policy: PolicyName, world: World, seed: string, single: Choice = null): number {
  const course = new Course();
  const choose = chooserOf(policy, world, seed, single);
  let sum = 0;
  for (const task of world.tasks) {
    const choice = choose(task, course);
    if (choice === null) continue;
    sum += world.utility(choice.provider, choice.model, task);
    course.live(task, choice, world.attempt(choice.provider, choice.model, task));
  }
  return sum;
}

/** Whom one would have put first for good, had one known everything beforehand. */
function bestSingle(world: World): Choice {
  const all = Object.values(DEFINITIONS).flatMap(({ name, models }) =>
    models.map((model) => ({
      provider: name,
      model,
      sum: world.tasks.reduce((sum, task) => sum + world.utility(name, model, task), 0),
    })),
  );
  return all.toSorted((a, b) => b.sum - a.sum)[0] ?? null;
}

export type Regrets = Record<Exclude<PolicyName, "oracle">, number>;

/** What each policy loses against the oracle, a task, on average over the seeds; in values of a success. */
export function regretsOf(scenario: Scenario, seeds: readonly string[]): Regrets {
  const sums: Regrets = { router: 0, "registry only": 0, "fixed order": 0, random: 0, "best single": 0 };
  for (const seed of seeds) {
    const world = new World(scenario, seed);
    const best = run("oracle", world, seed);
    const lost = (policy: PolicyName, single: Choice = null) =>
      (best - run(policy, world, seed, single)) / world.tasks.length / seeds.length;
    sums.router += lost("router");
    sums["registry only"] += lost("registry only");
    sums["fixed order"] += lost("fixed order");
    sums.random += lost("random");
    sums["best single"] += lost("best single", bestSingle(world));
  }
  return sums;
}
