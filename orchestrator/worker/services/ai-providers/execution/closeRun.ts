import { logOperation } from "../../patch-manager/logOperation.ts";
import { closeAttempt, recordUnbegun } from "./records.ts";
import { costOf } from "./runAttempt.ts";
import { type Attempt, type AttemptEnd, batchIdOf, type Ran, type Work } from "./work.ts";

/** Puts an attempt's end on record and gives back what was held for it: a place, and what it did not cost. Once. */
export async function closeRun(work: Work, attempt: Attempt, ran: Ran, end: AttemptEnd): Promise<void> {
  const { steps, ctx, parts, plan } = work;
  const { executionId } = plan;
  if (!ran.isReserved) {
    const { attempt: number, provider, model } = attempt;
    await steps.do(`attempt ${number}: record`, "durable", async () => {
      await recordUnbegun(ctx, { ...end, executionId, attempt: number, provider, model });
      return true;
    });
    return;
  }
  const costUsd = await steps.do(`attempt ${attempt.attempt}: record`, "durable", async () => {
    const definition = await parts.definitionOf(ctx, attempt.provider);
    const cost = definition === null ? ran.usage.costUsd : costOf(definition, ran.usage);
    await closeAttempt(ctx, {
      executionId,
      attempt: attempt.attempt,
      class: end.class,
      message: end.message,
      error: end.error,
      batchId: end.class === "applied" || end.class === "validation-failed" ? batchIdOf(work, attempt) : null,
      costUsd: cost,
    });
    await logOperation(ctx, {
      operation: "ai_attempt.ended",
      key: batchIdOf(work, attempt),
      level: end.class === "applied" ? "info" : "warn",
      message: `${attempt.provider}: ${end.class}: ${end.message}`,
      orderId: plan.order.id,
      taskId: plan.task.id,
      durationMs: null,
      meta: {
        execution_id: executionId,
        attempt: attempt.attempt,
        provider: attempt.provider,
        model: attempt.model,
        class: end.class,
        cost_usd: cost,
        ...ran.usage,
      },
    });
    await parts.recordOutcome(ctx, {
      executionId,
      attempt: attempt.attempt,
      type: plan.task.type,
      language: plan.language,
      provider: attempt.provider,
      model: attempt.model,
      class: end.class,
      at: ctx.now().toISOString(),
    });
    return cost;
  });
  await steps.do(`attempt ${attempt.attempt}: settle`, "durable", async () => {
    await parts.providerState(ctx.env).settle({
      executionId,
      attempt: attempt.attempt,
      provider: attempt.provider,
      class: end.class,
      retryAfterMs: ran.retryAfterMs,
      usage: ran.usage,
      costUsd,
      message: end.message,
    });
    return true;
  });
}
