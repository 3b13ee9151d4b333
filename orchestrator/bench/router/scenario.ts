import type { ProviderName } from "@shared/contracts";

/** Some simulated months: which tasks come, what providers are truly like, and what happens to them. */
export interface Scenario {
  name: string;
  about: string;
  days: number;
  tasksPerDay: number;
  /** How often each comes, relative to the others. */
  types: Record<"generate" | "fix" | "refactor" | "optimize", number>;
  languages: Record<string, number>;
  priorities: Record<"low" | "normal" | "high" | "urgent", number>;
  profiles: Record<"cheap" | "balanced" | "best", number>;
  /** Share of tasks whose branch is on GitHub, and of those whose files fit into a question. */
  onGithub: number;
  fits: number;
  /** Standard deviations of what providers truly are around what the registry expects. */
  spread: { provider: number; type: number; language: number; model: number; price: number };
  /** Share of applied changes that are validated too, and of those that are reverted some days later. */
  validated: number;
  reverted: number;
  happenings: readonly Happening[];
}

/** From `day` on, to before `until` where there is one. */
export type Happening = { provider: ProviderName; day: number; until?: number } & (
  | { what: "outage" }
  /** This share of attempts is answered with 429. */
  | { what: "limited"; share: number }
  /** Its success moves by so much, over so many days. */
  | { what: "drift"; by: number; over: number; type?: keyof Scenario["types"] }
  | { what: "price"; factor: number }
);

export const EVEN = { generate: 1, fix: 1, refactor: 1, optimize: 1 };
export const USUAL = {
  types: { generate: 3, fix: 4, refactor: 2, optimize: 1 },
  languages: { typescript: 5, python: 3, sql: 1, css: 1 },
  priorities: { low: 2, normal: 6, high: 2, urgent: 1 },
  profiles: { cheap: 2, balanced: 5, best: 2 },
  onGithub: 0.5,
  fits: 0.6,
  spread: { provider: 0.12, type: 0.1, language: 0.06, model: 0.06, price: 0.3 },
  validated: 0.7,
  reverted: 0.06,
} as const;
