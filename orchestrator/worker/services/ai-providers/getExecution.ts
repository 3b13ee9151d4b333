import { type ExecutionDetail, fail, type Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { requireWorkAccess } from "./access.ts";
import { ATTEMPT_COLUMNS, attemptOfRow, decisionOf, executionOfRow, inputOf } from "./executionOfRow.ts";

/** An execution whole: its attempts, its change, and what its provider was chosen by. Needs `ai:read`. Errors: EXECUTION_NOT_FOUND, FORBIDDEN. */
export async function getExecution(
  ctx: ServiceContext,
  input: { executionId: string },
): Promise<Result<{ execution: ExecutionDetail }>> {
  const denied = requireScope(ctx, "ai:read");
  if (denied) return denied;
  const { ops } = ctx.db;
  const { executionId } = input;
  const [row, attempts, assignment] = await Promise.all([
    ops.selectFrom("ai_provider_executions").selectAll().where("execution_id", "=", executionId).executeTakeFirst(),
    ops
      .selectFrom("ai_provider_attempts")
      .select(ATTEMPT_COLUMNS)
      .where("execution_id", "=", executionId)
      .orderBy("attempt")
      .execute(),
    ops
      .selectFrom("ai_provider_assignments")
      .select("decision")
      .where("execution_id", "=", executionId)
      .orderBy("id", "desc")
      .executeTakeFirst(),
  ]);
  if (!row) return fail("EXECUTION_NOT_FOUND", "there is no such execution");
  const refused = await requireWorkAccess(ctx, row);
  if (refused) return refused;
  return {
    ok: true,
    execution: {
      ...executionOfRow(row),
      attempt_list: attempts.map(attemptOfRow),
      input: inputOf(row.input),
      output: row.output,
      patch_data: row.patch_data,
      decision: decisionOf(assignment?.decision ?? null),
      hil_request_id: row.hil_request_id,
    },
  };
}
