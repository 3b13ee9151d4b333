import {
  type Execution,
  type ExecuteTaskInput,
  fail,
  ProviderNameSchema,
  type Result,
  validationError,
} from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { requireWorkAccess } from "./access.ts";
import { executeTask } from "./executeTask.ts";
import { type ExecutionParts, PARTS } from "./execution/parts.ts";
import { ExecutionInputSchema } from "./execution/plan.ts";
import { findExecution } from "./execution/records.ts";

export const RetryExecutionSchema = z.object({ provider: ProviderNameSchema.optional() });

/**
 * Executes a task again as the record says: the same instructions and bounds, by the same provider or another. It is a
 * new execution. Needs `ai:write`. Errors: EXECUTION_NOT_FOUND, FORBIDDEN, CONFLICT (it has not ended), those of
 * executing.
 */
export async function retryExecution(
  ctx: ServiceContext,
  input: { executionId: string; provider?: unknown },
  parts: ExecutionParts = PARTS,
): Promise<Result<{ execution: Execution }>> {
  const denied = requireScope(ctx, "ai:write");
  if (denied) return denied;
  const parsed = RetryExecutionSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const row = await findExecution(ctx, input.executionId);
  if (!row) return fail("EXECUTION_NOT_FOUND", "there is no such execution");
  const refused = await requireWorkAccess(ctx, row);
  if (refused) return refused;
  if (["queued", "running", "waiting"].includes(row.status)) {
    return fail("CONFLICT", `execution ${row.execution_id} is ${row.status}: cancel it first`);
  }
  const stored = ExecutionInputSchema.safeParse(JSON.parse(row.input ?? "null"));
  if (!stored.success) return fail("CONFLICT", "what that execution was made from is not on record");
  const { instructions, approvePlan, maxCostUsd, timeoutMs, chain } = stored.data;
  const { provider } = parsed.data;
  const who: Pick<ExecuteTaskInput, "provider" | "race"> =
    provider !== undefined
      ? { provider }
      : row.race === null
        ? { provider: chain[0]?.provider }
        : { race: chain.map((choice) => choice.provider) };
  return executeTask(
    ctx,
    {
      taskId: row.task_uuid,
      approvePlan,
      timeoutMs,
      ...who,
      ...(instructions === null ? {} : { instructions }),
      ...(maxCostUsd === null ? {} : { maxCostUsd }),
    },
    parts,
  );
}
