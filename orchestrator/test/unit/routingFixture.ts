import { type Breaker, type ProviderName, TaskIdSchema } from "@shared/contracts";
import { DEFINITIONS } from "../../worker/services/ai-providers/definitions.ts";
import { Evidence, type OutcomeCell } from "../../worker/services/ai-providers/routing/Evidence.ts";
import type { ProviderFacts, TaskFacts } from "../../worker/services/ai-providers/routing/facts.ts";

export const TODAY = 20_000;
export const CLOSED: Breaker = { state: "closed", reason: null, until: null, failures: 0 };

/** A provider that nothing stands against, but for what is said. */
export const provider = (name: ProviderName, more: Partial<ProviderFacts> = {}): ProviderFacts => ({
  definition: DEFINITIONS[name],
  keyPresent: true,
  breaker: CLOSED,
  probing: false,
  running: 0,
  budget: { unit: DEFINITIONS[name].cost.kind === "quota" ? "units" : "usd", limit: null, spent: 0, reserved: 0 },
  ...more,
});
export const everyProvider = (): ProviderFacts[] => Object.values(DEFINITIONS).map(({ name }) => provider(name));

/** A task that every provider may have, but for what is said. */
export const task = (inputs: Partial<TaskFacts["inputs"]> = {}, more: Partial<TaskFacts> = {}): TaskFacts => ({
  taskId: TaskIdSchema.parse("T-1"),
  inputs: {
    type: "fix",
    language: "typescript",
    priority: "normal",
    cost_profile: "balanced",
    preferredModel: null,
    preferred: null,
    repository: "acme/shop",
    branch: "main",
    branchOnGithub: true,
    ...inputs,
  },
  branchMissing: null,
  workspace: { files: 10 },
  fit: { files: 2, bytes: 4_000 },
  orderBudget: null,
  ...more,
});

export const evidence = (cells: OutcomeCell[] = [], day = TODAY): Evidence =>
  new Evidence(cells, Object.values(DEFINITIONS), day);

/** So many attempts on one day, and how many of them were a success. */
export const outcomes = (
  name: ProviderName,
  attempts: number,
  successes: number,
  more: Partial<OutcomeCell> = {},
): OutcomeCell => ({
  provider: name,
  model: DEFINITIONS[name].default_model,
  type: "fix",
  language: "typescript",
  day: TODAY,
  weight: attempts,
  reward: successes,
  costs: 0,
  costUsd: 0,
  ...more,
});
