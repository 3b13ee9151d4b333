import type { AttemptClass, ProviderName, TaskType } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";

export interface Outcome {
  executionId: string;
  attempt: number;
  type: TaskType;
  language: string;
  provider: ProviderName;
  model: string;
  class: AttemptClass;
  /** ISO 8601. */
  at: string;
  /** USD; absent: as the attempt's own row says. */
  costUsd?: number | null;
}

/**
 * Tells the router how an attempt ended. What its patches come to later (validated, reverted) it learns from their events.
 * Told twice, it is one outcome; of two different endings the first stays. Throws where DB_OPS does not answer.
 */
export async function recordOutcome(ctx: Pick<ServiceContext, "env">, outcome: Outcome): Promise<void> {
  const { executionId, attempt, type, language, provider, model, class: ended, at, costUsd = null } = outcome;
  await ctx.env.DB_OPS.prepare(RECORD)
    .bind(executionId, attempt, type, language, provider, model, ended, `${executionId}.${attempt}`, costUsd, at)
    .run();
}

const RECORD = `
  INSERT INTO ai_router_outcomes
    (execution_id, attempt, task_type, language, provider_name, model, class, batch_id, cost_usd, at)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, coalesce(?9, (
    SELECT cost_usd FROM ai_provider_attempts WHERE execution_id = ?1 AND attempt = ?2
  )), ?10)
  ON CONFLICT DO NOTHING`;
