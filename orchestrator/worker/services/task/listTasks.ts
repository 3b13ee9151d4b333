import { OrderIdSchema, type Result, type Task, TaskStatusSchema } from "@shared/contracts";
import type { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { KeysetSchema, type Place, pageOf, readList } from "../keyset.ts";
import { taskOfRow } from "./taskOfRow.ts";

export const ListTasksSchema = KeysetSchema.extend({
  order_id: OrderIdSchema.optional(),
  status: TaskStatusSchema.optional(),
});
type ListTasks = z.infer<typeof ListTasksSchema>;

/** The tasks the caller may see, newest first. Needs `tasks:read`. */
export async function listTasks(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ tasks: Task[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "tasks:read");
  if (denied) return denied;
  const list = readList(ListTasksSchema, input);
  if (!list.ok) return list;
  const { query, after } = list;
  const rows = await tasksQuery(ctx, query, after).execute();
  const { items, cursor } = pageOf(rows, query.limit, taskOfRow);
  return { ok: true, tasks: items, cursor };
}

export function tasksQuery(ctx: Pick<ServiceContext, "db" | "actor">, filter: ListTasks, after: Place | null) {
  let query = ctx.db.projects.selectFrom("tasks").selectAll();
  if (filter.order_id !== undefined) query = query.where("order_id", "=", filter.order_id);
  if (filter.status !== undefined) query = query.where("status", "=", filter.status);
  const { workspaceId } = ctx.actor;
  if (workspaceId !== null) {
    query = query.where("order_id", "in", (eb) =>
      eb.selectFrom("orders").select("orders.id").where("orders.workspace_id", "=", workspaceId),
    );
  }
  if (after) query = query.where((eb) => eb(eb.refTuple("created_at", "id"), "<", eb.tuple(after.createdAt, after.id)));
  return query
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(filter.limit + 1);
}
