import type { AttemptClass, Head, ProviderDefinition, Usage, VibeError } from "@shared/contracts";
import type { ServiceContext } from "../../../context.ts";
import type { ProviderRun } from "../driver.ts";
import type { ExecutionParts } from "./parts.ts";
import type { Choice, Plan } from "./plan.ts";
import type { Steps } from "./steps.ts";

/** What every part of one execution's work is given. */
export interface Work {
  steps: Steps;
  ctx: ServiceContext;
  parts: ExecutionParts;
  plan: Plan;
  /** Where the workspace stood when the execution began. */
  head: Head;
}

/** One provider's try. */
export interface Attempt extends Choice {
  attempt: number;
  prompt: string;
  /** Of one of several at once: told when another was first, and it is to end. */
  overtaken: Overtaken | null;
}

export interface Overtaken {
  isSet: boolean;
  promise: Promise<void>;
}

/** How a provider's work ended, before its change is applied. Small: its change stands in the attempt's row. */
export interface Ran {
  class: AttemptClass;
  message: string;
  error: VibeError | null;
  retryAfterMs: number | null;
  usage: Usage;
  hasChange: boolean;
  /** Of one that could not start: when asking again may help. */
  until: string | null;
  /** Whether a place and budget are held for it. */
  isReserved: boolean;
}

/** How an attempt ended. */
export interface AttemptEnd {
  class: AttemptClass;
  message: string;
  error: VibeError | null;
  /** What its author is told, to do better; null where that is no use. */
  remediation: string | null;
  until: string | null;
}

export const batchIdOf = ({ plan }: Work, { attempt }: Attempt): string => `${plan.executionId}.${attempt}`;

/** The run as its driver is given it. The key is looked up for each call. */
export const runOf = (
  { plan, head }: Pick<Work, "plan" | "head">,
  { attempt, model, prompt }: Pick<Attempt, "attempt" | "model" | "prompt">,
  provider: ProviderDefinition,
  apiKey: string,
): ProviderRun => ({
  executionId: plan.executionId,
  attempt,
  runId: `${plan.executionId}.${attempt}`,
  task: plan.task,
  order: plan.order,
  workspaceId: plan.workspaceId,
  provider,
  model,
  prompt,
  timeoutMs: plan.timeoutMs,
  maxCostUsd: plan.maxCostUsd,
  head,
  repository: plan.repository,
  branch: plan.branch,
  approvePlan: plan.approvePlan,
  apiKey,
});
