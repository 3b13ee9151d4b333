import { HeadSchema, ProviderNameSchema } from "@shared/contracts";
import { z } from "zod";
import type { ServiceContext } from "../../../context.ts";
import { lacksSecret, secretOf } from "../../secrets/secretService.ts";
import type { ExecutionParts } from "./parts.ts";
import { planOf } from "./plan.ts";
import { findExecution } from "./records.ts";
import { runOf } from "./work.ts";

const AskedSchema = z.object({ prompt: z.string(), head: HeadSchema });

/**
 * Tells the runs of an execution's open attempts to end. Best effort: the execution's own work ends them as well, and
 * what cannot be reached ends by its own bounds.
 */
export async function stopRuns(ctx: ServiceContext, parts: ExecutionParts, executionId: string): Promise<void> {
  const row = await findExecution(ctx, executionId);
  const planned = row ? await planOf(ctx, row) : null;
  if (!planned?.ok) return;
  const attempts = await ctx.db.ops
    .selectFrom("ai_provider_attempts")
    .select(["attempt", "provider_name", "model", "external_id", "input"])
    .where("execution_id", "=", executionId)
    .where("status", "=", "running")
    .execute();
  for (const { attempt, provider_name, model, external_id, input } of attempts) {
    try {
      const provider = await parts.definitionOf(ctx, ProviderNameSchema.parse(provider_name));
      const driver = provider && parts.driverOf(provider);
      if (!provider || !driver || lacksSecret(ctx.env, provider.name)) continue;
      const { prompt, head } = AskedSchema.parse(JSON.parse(input ?? "null"));
      const run = runOf(
        { plan: planned.plan, head },
        { attempt, model: model ?? provider.default_model, prompt },
        provider,
        secretOf(ctx.env, provider.name) ?? "",
      );
      await driver.cancel(ctx, run, external_id);
    } catch (error) {
      ctx.log.warn("a run could not be told to end", { executionId, attempt, error });
    }
  }
}
