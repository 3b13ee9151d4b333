import { WAKE_EVENT } from "../ai-providers/execution/steps.ts";
import type { ServiceContext } from "../../context.ts";
import type { HilRow } from "./hilRow.ts";

/** What the run is told. It may be told twice, and of a request it no longer waits for: `requestId` says which it is. */
export interface HilAnswered {
  requestId: string;
  status: "answered" | "expired";
  answer: string | null;
  answeredBy: string | null;
}

/** The Workflow instances of executions, by execution id. */
interface ExecutionWorkflows {
  INSTANCE: string;
  AGENT_EXECUTION?: {
    get(id: string): Promise<{ sendEvent(event: { type: string; payload: HilAnswered }): Promise<void> }>;
  };
}

const OVER: readonly string[] = ["completed", "failed", "cancelled", "timed_out"];

/**
 * Wakes the run that waits for a decided request, and notes that it was told. A run that is over has nobody to tell.
 * Returns false, and says so in the log, where it could not be told: `expireHilRequests` tells it again.
 */
export async function tellExecution(ctx: ServiceContext, row: HilRow): Promise<boolean> {
  const { id, execution_id: executionId, status, answer, answered_by: answeredBy } = row;
  if (status !== "answered" && status !== "expired") return true;
  try {
    if (executionId !== null && !(await isOver(ctx, executionId))) {
      const env: ExecutionWorkflows = ctx.env;
      if (!env.AGENT_EXECUTION) throw new Error("there is no Workflow of executions");
      const instance = await env.AGENT_EXECUTION.get(executionId);
      await instance.sendEvent({ type: WAKE_EVENT, payload: { requestId: id, status, answer, answeredBy } });
    }
    await ctx.db.ops
      .updateTable("hil_requests")
      .set({ told_at: ctx.now().toISOString() })
      .where("id", "=", id)
      .where("told_at", "is", null)
      .execute();
    return true;
  } catch (error) {
    ctx.log.warn("a run was not told of its answer; it is told again", { id, executionId, error });
    return false;
  }
}

async function isOver(ctx: ServiceContext, executionId: string): Promise<boolean> {
  const row = await ctx.db.ops
    .selectFrom("ai_provider_executions")
    .select("status")
    .where("execution_id", "=", executionId)
    .executeTakeFirst();
  return row === undefined || OVER.includes(row.status);
}
