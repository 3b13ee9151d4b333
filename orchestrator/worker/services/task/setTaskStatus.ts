import {
  canMove,
  fail,
  type Result,
  type Task,
  TASK_TRANSITIONS,
  TaskStatusSchema,
  validationError,
} from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { findTask } from "./getTask.ts";
import { syncWorkspaceTasks } from "./syncWorkspaceTasks.ts";
import { taskOfRow } from "./taskOfRow.ts";

export const SetTaskStatusSchema = z.object({
  status: TaskStatusSchema,
  reason: z.string().max(1000).optional(),
});

/**
 * Moves a task along TASK_TRANSITIONS and tells its workspace. Needs `tasks:write`.
 * Errors: NOT_FOUND, FORBIDDEN, INVALID_TRANSITION, also for the later of two movers.
 */
export async function setTaskStatus(
  ctx: ServiceContext,
  input: { taskId: string; status?: unknown; reason?: unknown },
): Promise<Result<{ task: Task }>> {
  const denied = requireScope(ctx, "tasks:write");
  if (denied) return denied;
  const parsed = SetTaskStatusSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { status, reason } = parsed.data;
  const found = await findTask(ctx, input.taskId);
  if (!found.ok) return found;
  const { task, order } = found;
  const refused = fail("INVALID_TRANSITION", `a task that is ${task.status} cannot become ${status}`);
  if (!canMove(TASK_TRANSITIONS, task.status, status)) return refused;
  // Conditional on the status just read, so that of two movers exactly one moves it.
  const row = await ctx.db.projects
    .updateTable("tasks")
    .set({ status, updated_at: ctx.now().toISOString() })
    .where("id", "=", task.id)
    .where("status", "=", task.status)
    .returningAll()
    .executeTakeFirst();
  if (!row) return refused;
  ctx.log.info("a task moved", { taskId: task.id, from: task.status, to: status, reason });
  const written = await syncWorkspaceTasks(ctx, order.workspace_id);
  return written.ok ? { ok: true, task: taskOfRow(row) } : written;
}
