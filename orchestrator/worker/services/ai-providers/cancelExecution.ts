import { type Execution, fail, type Result, validationError } from "@shared/contracts";
import { sql } from "kysely";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { batch } from "../../database/batch.ts";
import { requireWorkAccess } from "./access.ts";
import { wakeWorkflow } from "./execution/instance.ts";
import { type ExecutionParts, PARTS } from "./execution/parts.ts";
import { findExecution } from "./execution/records.ts";
import { stopRuns } from "./execution/stopRuns.ts";
import { executionOfRow } from "./executionOfRow.ts";

export const CancelExecutionSchema = z.object({ reason: z.string().min(1).max(1_000).optional() });

/**
 * Cancels an execution: queued, running or waiting. Its runs are told to end and nothing of it is applied. Where its batch
 * is on its way already, the answer is the execution as it runs: the batch is taken back and the execution is cancelled
 * as soon as that has settled. One that has ended is answered as it ended. Needs `ai:write`. Errors: EXECUTION_NOT_FOUND,
 * FORBIDDEN.
 */
export async function cancelExecution(
  ctx: ServiceContext,
  input: { executionId: string; reason?: unknown },
  parts: ExecutionParts = PARTS,
): Promise<Result<{ execution: Execution }>> {
  const denied = requireScope(ctx, "ai:write");
  if (denied) return denied;
  const parsed = CancelExecutionSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { executionId } = input;
  const row = await findExecution(ctx, executionId);
  if (!row) return fail("EXECUTION_NOT_FOUND", "there is no such execution");
  const refused = await requireWorkAccess(ctx, row);
  if (refused) return refused;

  const at = ctx.now().toISOString();
  const { ops } = ctx.db;
  const live = ["queued", "running", "waiting"] as const;
  // In one batch: what has claimed its batch in between is asked to take it back instead.
  await batch(ctx.env.DB_OPS, [
    ops
      .updateTable("ai_provider_executions")
      .set({ cancel_reason: parsed.data.reason ?? `cancelled by ${ctx.actor.id}` })
      .where("execution_id", "=", executionId)
      .where("status", "in", live)
      .where("cancel_reason", "is", null),
    ops
      .updateTable("ai_provider_executions")
      .set({
        status: "cancelled",
        class: "cancelled",
        finished_at: at,
        duration_ms: sql`CAST(round((julianday(${at}) - julianday(coalesce(started_at, created_at))) * 86400000) AS INTEGER)`,
      })
      .where("execution_id", "=", executionId)
      .where("status", "in", live)
      .where("batch_id", "is", null),
    ops
      .updateTable("ai_provider_assignments")
      .set({ status: "cancelled", updated_at: at })
      .where("execution_id", "=", executionId)
      .where("status", "in", ["pending", "assigned", "running", "waiting"])
      .where(
        sql<boolean>`EXISTS (SELECT 1 FROM ai_provider_executions
          WHERE execution_id = ${executionId} AND status = 'cancelled')`,
      ),
  ]);
  const after = await findExecution(ctx, executionId);
  if (!after) return fail("EXECUTION_NOT_FOUND", "there is no such execution");
  // Asked again, what an earlier call did not reach is told again.
  if (after.status === "cancelled") {
    await parts.cancelHilRequests(ctx, { executionId });
    await stopRuns(ctx, parts, executionId);
    if (row.status === "waiting") await wakeWorkflow(ctx, executionId, { cancelled: true });
  }
  return { ok: true, execution: executionOfRow(after) };
}
