import type { Breaker, Decision, ProviderDefinition, ProviderStatus } from "@shared/contracts";

/** What is true of a provider when a task is to be given to it. */
export interface ProviderFacts {
  definition: ProviderDefinition;
  keyPresent: boolean;
  /** As it stands now: an open one whose time is over is half-open. */
  breaker: Breaker;
  /** The one that a half-open breaker lets through is under way. */
  probing: boolean;
  running: number;
  budget: ProviderStatus["budget"];
}

/** What is true of a task. */
export interface TaskFacts {
  taskId: Decision["task_uuid"];
  inputs: Decision["inputs"];
  /** Why there is no branch on GitHub to work on; null where there is one. */
  branchMissing: string | null;
  /** Its workspace as the engine holds it; a reason where there is none to work in. */
  workspace: { files: number } | { missing: string };
  /** The files it may edit, as a model would be shown them; a reason where they do not fit. */
  fit: { files: number; bytes: number } | { tooMuch: string };
  /** What its order may cost, and has; null: without bounds. */
  orderBudget: { limit: number; spent: number; reserved: number } | null;
}
