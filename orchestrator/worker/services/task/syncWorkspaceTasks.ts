import type { Result, ScopedTask, TasksFile } from "@shared/contracts";
import { type ServiceContext, systemActor } from "../../context.ts";
import { writeTasks } from "../workspace/writeTasks.ts";
import { taskOfRow } from "./taskOfRow.ts";

/** What a workspace's `.mission_control/tasks.json` says: every task of every order that works in it. */
async function tasksFileOf(ctx: Pick<ServiceContext, "db">, workspaceId: string): Promise<TasksFile> {
  const rows = await workspaceTasksQuery(ctx.db, workspaceId).execute();
  const orders = new Set(rows.map((row) => row.order_id));
  const [only = null] = orders.size === 1 ? orders : [];
  return {
    version: 1,
    orderId: only,
    tasks: rows.map((row): ScopedTask => {
      const { id, type, status, allowed, max_changed_lines } = taskOfRow(row);
      return {
        id,
        type,
        status,
        allowed,
        ...(max_changed_lines === null ? {} : { maxChangedLines: max_changed_lines }),
      };
    }),
  };
}

/**
 * Writes a workspace's tasks into it, as they stand now. A workspace that is not open yet has nowhere to write to and
 * gets them when it opens: that is no failure. Errors: those of the engine.
 */
export async function syncWorkspaceTasks(ctx: ServiceContext, workspaceId: string): Promise<Result<object>> {
  const tasks = await tasksFileOf(ctx, workspaceId);
  // The caller's right was to the order or task; that its workspace must hear of it is this side's doing.
  const written = await writeTasks({ ...ctx, actor: systemActor("tasks") }, { workspaceId, tasks });
  return written.ok || written.error.code === "WORKSPACE_NOT_FOUND" ? { ok: true } : written;
}

export const workspaceTasksQuery = (db: ServiceContext["db"], workspaceId: string) =>
  db.projects
    .selectFrom("orders")
    .innerJoin("tasks", "tasks.order_id", "orders.id")
    .selectAll("tasks")
    .where("orders.workspace_id", "=", workspaceId)
    .orderBy("tasks.created_at")
    .orderBy("tasks.id");
