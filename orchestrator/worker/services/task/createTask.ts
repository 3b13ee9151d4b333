import {
  CreateTaskSchema,
  fail,
  type Result,
  type Task,
  TaskIdSchema,
  TaskSchema,
  validationError,
} from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { findOrder } from "../order/getOrder.ts";
import { syncWorkspaceTasks } from "./syncWorkspaceTasks.ts";
import { rowOfTask, taskOfRow } from "./taskOfRow.ts";

/**
 * Adds a task to an order and tells the order's workspace. Needs `tasks:write`.
 * Errors: NOT_FOUND (the order), FORBIDDEN, INVALID_TRANSITION (a cancelled order), CONFLICT (the id is taken).
 */
export async function createTask(ctx: ServiceContext, input: unknown): Promise<Result<{ task: Task }>> {
  const denied = requireScope(ctx, "tasks:write");
  if (denied) return denied;
  const parsed = CreateTaskSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const {
    id = TaskIdSchema.parse(`TSK-${ctx.mintId()}`),
    orderId,
    title,
    type,
    allowed,
    maxChangedLines,
  } = parsed.data;
  const found = await findOrder(ctx, orderId);
  if (!found.ok) return found;
  if (found.order.status === "cancelled") return fail("INVALID_TRANSITION", `order ${orderId} is cancelled`);

  const now = ctx.now().toISOString();
  const task = TaskSchema.parse({
    id,
    order_id: orderId,
    title,
    type,
    status: "pending",
    allowed,
    max_changed_lines: maxChangedLines ?? null,
    created_at: now,
    updated_at: now,
  });
  const row = await ctx.db.projects
    .insertInto("tasks")
    .values(rowOfTask(task))
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
  if (!row) return fail("CONFLICT", `there is a task ${id} already`);
  const written = await syncWorkspaceTasks(ctx, found.order.workspace_id);
  return written.ok ? { ok: true, task: taskOfRow(row) } : written;
}
