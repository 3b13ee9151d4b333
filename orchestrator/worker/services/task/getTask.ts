import { fail, type Order, type Result, type Task, TaskIdSchema } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { findOrder } from "../order/getOrder.ts";
import { taskOfRow } from "./taskOfRow.ts";

/** Needs `tasks:read`. Errors: NOT_FOUND, FORBIDDEN. */
export async function getTask(ctx: ServiceContext, input: { taskId: string }): Promise<Result<{ task: Task }>> {
  const denied = requireScope(ctx, "tasks:read");
  if (denied) return denied;
  const found = await findTask(ctx, input.taskId);
  return found.ok ? { ok: true, task: found.task } : found;
}

/** A task the caller may touch, and its order. Errors: NOT_FOUND, FORBIDDEN. */
export async function findTask(ctx: ServiceContext, taskId: string): Promise<Result<{ task: Task; order: Order }>> {
  const id = TaskIdSchema.safeParse(taskId);
  if (!id.success) return fail("NOT_FOUND", "there is no such task");
  const row = await ctx.db.projects.selectFrom("tasks").selectAll().where("id", "=", id.data).executeTakeFirst();
  if (!row) return fail("NOT_FOUND", "there is no such task");
  const task = taskOfRow(row);
  const found = await findOrder(ctx, task.order_id);
  return found.ok ? { ok: true, task, order: found.order } : found;
}
