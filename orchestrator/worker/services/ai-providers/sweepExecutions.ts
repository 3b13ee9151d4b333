import { NO_USAGE, ProviderNameSchema, vibeError } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { startWorkflow } from "./execution/instance.ts";
import { type ExecutionParts, PARTS } from "./execution/parts.ts";
import { revertPatches } from "../patch/revertPatches.ts";
import { closeAttempt, findExecution, finishExecution } from "./execution/records.ts";
import { stopRuns } from "./execution/stopRuns.ts";

/** How old an execution is before it is looked at: its message may be on its way. */
const MIN_AGE_MS = 300_000;
const PAGE = 200;

export interface Swept {
  /** Those whose message was lost: started. */
  started: number;
  /** Those whose Workflow broke off for good: ended, with the reason. */
  failed: number;
}

/**
 * Finds executions that nobody works on: queued ones whose message was lost are started, and those whose Workflow ended
 * without putting an end on record are put on record as failed. What is at work is left alone, and so is, until the next
 * time, what cannot be ended yet. Needs `ai:write`.
 */
export async function sweepExecutions(ctx: ServiceContext, parts: ExecutionParts = PARTS): Promise<Swept> {
  if (requireScope(ctx, "ai:write")) throw new Error("the schedule's caller may not sweep executions");
  const swept: Swept = { started: 0, failed: 0 };
  const before = new Date(ctx.now().getTime() - MIN_AGE_MS).toISOString();
  for (const { execution_id: executionId } of await unfinishedQuery(ctx.db, before).execute()) {
    try {
      const done = await sweep(ctx, parts, executionId);
      if (done !== null) swept[done] += 1;
    } catch (error) {
      // Left for the next time; whoever comes after it is not.
      ctx.log.error("an execution that nobody works on could not be put on record", { executionId, error });
    }
  }
  return swept;
}

async function sweep(ctx: ServiceContext, parts: ExecutionParts, executionId: string): Promise<keyof Swept | null> {
  const status = await statusOf(ctx, executionId);
  if (status === null) {
    await startWorkflow(ctx, executionId);
    return "started";
  }
  if (status !== "errored" && status !== "terminated") return null;
  await fail(ctx, parts, executionId, status);
  return "failed";
}

export const unfinishedQuery = (db: ServiceContext["db"], before: string) =>
  db.ops
    .selectFrom("ai_provider_executions")
    .select("execution_id")
    .where("status", "in", ["queued", "running", "waiting"])
    .where("created_at", "<", before)
    .limit(PAGE);

/** Null where there is no instance. */
async function statusOf(ctx: ServiceContext, executionId: string): Promise<string | null> {
  try {
    return (await (await ctx.env.AGENT_EXECUTION.get(executionId)).status()).status;
  } catch (error) {
    if (error instanceof Error && /not_found|not found|never started/i.test(error.message)) return null;
    throw error;
  }
}

async function fail(ctx: ServiceContext, parts: ExecutionParts, executionId: string, how: string): Promise<void> {
  await stopRuns(ctx, parts, executionId);
  const error = vibeError("INTERNAL", `its work broke off and was not taken up again: its Workflow is ${how}`, {
    nothingWritten: null,
  });
  await takeBack(ctx, executionId);
  const open = await ctx.db.ops
    .selectFrom("ai_provider_attempts")
    .select(["attempt", "provider_name"])
    .where("execution_id", "=", executionId)
    .where("status", "=", "running")
    .execute();
  for (const { attempt, provider_name } of open) {
    await closeAttempt(ctx, {
      executionId,
      attempt,
      class: "host-lost",
      message: error.message,
      error,
      batchId: null,
      costUsd: null,
    });
    await parts.providerState(ctx.env).settle({
      executionId,
      attempt,
      provider: ProviderNameSchema.parse(provider_name),
      class: "host-lost",
      retryAfterMs: null,
      usage: NO_USAGE,
      costUsd: null,
    });
  }
  await finishExecution(ctx, { executionId, status: "failed", class: "host-lost", error, applied: null });
}

/** What may have been applied does not stand: nobody checked it. */
async function takeBack(ctx: ServiceContext, executionId: string): Promise<void> {
  const row = await findExecution(ctx, executionId);
  if (!row?.batch_id) return;
  const reverted = await revertPatches(ctx, {
    workspaceId: row.workspace_id,
    target: { by: "batch", id: row.batch_id },
    batchId: `${row.batch_id}.revert`,
    requester: row.provider_name,
    reason: "its execution broke off",
  });
  if (reverted.ok) return;
  const { code, nothingWritten, retryable } = reverted.error;
  // In doubt, or refused for a reason that passes: it may stand, and is not put on record as gone.
  if (nothingWritten === null || retryable) throw new Error(`${row.batch_id}: ${code}`);
}
