import { AttemptClassSchema, type Usage, VibeErrorSchema } from "@shared/contracts";
import { remediationOf } from "../../patch-manager/patchProcessor.ts";
import type { Attempt, AttemptEnd, Ran, Work } from "./work.ts";

export interface Recalled {
  ran: Ran;
  end: AttemptEnd;
}

/**
 * How an attempt ended that is on record as ended; null of one that is not. An execution whose steps were forgotten (its
 * Workflow was restarted from the beginning) takes its finished attempts from the record instead of making them again.
 */
export const recallAttempt = ({ steps, ctx, plan }: Work, { attempt }: Attempt): Promise<Recalled | null> =>
  steps.do(`attempt ${attempt}: recall`, "durable", async () => {
    const row = await ctx.db.ops
      .selectFrom("ai_provider_attempts")
      .select(["class", "message", "error", "input", "input_tokens", "output_tokens", "cached_tokens", "cost_usd"])
      .where("execution_id", "=", plan.executionId)
      .where("attempt", "=", attempt)
      .where("status", "=", "ended")
      .executeTakeFirst();
    if (!row) return null;
    const how = AttemptClassSchema.parse(row.class);
    const error = row.error === null ? null : VibeErrorSchema.parse(JSON.parse(row.error));
    const message = row.message ?? "";
    const usage: Usage = {
      inputTokens: row.input_tokens,
      outputTokens: row.output_tokens,
      cachedTokens: row.cached_tokens,
      costUsd: row.cost_usd,
    };
    const isRefusal =
      how === "import-refused" || how === "gate-refused" || how === "patch-refused" || how === "validation-failed";
    return {
      // One that could not begin was put on record without what it would have been asked.
      ran: {
        class: how,
        message,
        error,
        retryAfterMs: null,
        usage,
        hasChange: false,
        until: null,
        isReserved: row.input !== null,
      },
      end: {
        class: how,
        message,
        error,
        remediation: isRefusal && error ? remediationOf(how, error) : null,
        until: null,
      },
    };
  });
