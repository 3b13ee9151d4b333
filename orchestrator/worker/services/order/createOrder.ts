import {
  type CreateOrder,
  CreateOrderSchema,
  fail,
  type Failed,
  type Order,
  OrderIdSchema,
  OrderSchema,
  type Result,
  type Task,
  validationError,
  workspaceIdOf,
} from "@shared/contracts";
import { requireScope, requireWorkspace, type ServiceContext } from "../../context.ts";
import { batch } from "../../database/batch.ts";
import { setOrderAlias } from "../workspace/setOrderAlias.ts";
import { openWorkspace } from "../workspace/openWorkspace.ts";
import { rowOfTask, taskOfRow } from "../task/taskOfRow.ts";
import { syncWorkspaceTasks } from "../task/syncWorkspaceTasks.ts";
import { findOrder, tasksOfOrderQuery } from "./getOrder.ts";
import { rowOfOrder } from "./orderOfRow.ts";

/**
 * Takes an order: opens its workspace where a source is given, stores the order with its tasks, and writes into the
 * workspace what each task may touch. Asking again with the same id and the same order changes nothing and finishes
 * what an earlier attempt left undone. Needs `orders:write`, with a source also `workspaces:write`.
 * Errors: CONFLICT (the id, or a task's, is another order's), NOT_FOUND (the project), those of opening a workspace.
 */
export async function createOrder(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ order: Order; tasks: Task[]; created: boolean }>> {
  const denied = requireScope(ctx, "orders:write");
  if (denied) return denied;
  const parsed = CreateOrderSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const planned = plan(ctx, parsed.data);
  if (!planned.ok) return planned;
  const { order, tasks } = planned;
  const confined = requireWorkspace(ctx, order.workspace_id);
  if (confined) return confined;

  const before = await findSame(ctx, order, tasks);
  if (before && !before.ok) return before;
  if (!before && order.project_id !== null && !(await hasProject(ctx, order.project_id))) {
    return fail("NOT_FOUND", "there is no such project");
  }

  // Opened first: it is idempotent, and an order whose tree cannot be had is not taken.
  const { source } = parsed.data;
  if (source) {
    const opened = await openWorkspace(ctx, { workspaceId: order.workspace_id, source });
    if (!opened.ok) return opened;
  }
  const stored = before ?? (await store(ctx, order, tasks));
  if (!stored.ok) return stored;

  return (await connectWorkspace(ctx, stored)) ?? stored;
}

function plan(ctx: ServiceContext, request: CreateOrder): Result<{ order: Order; tasks: Task[] }> {
  const id = request.id ?? OrderIdSchema.parse(`ORD-${ctx.mintId()}`);
  const workspaceId = request.workspaceId ?? workspaceIdOf({ orderId: id });
  if (workspaceId === null) return fail("WORKSPACE_UNRESOLVED", "id: this order's workspace would have no valid id");
  const now = ctx.now().toISOString();
  const order = OrderSchema.parse({
    id,
    project_id: request.projectId,
    title: request.title,
    description: request.description,
    factory: request.factory,
    status: "received",
    workspace_id: workspaceId,
    ...(request.routing === undefined ? {} : { routing: request.routing }),
    created_by: ctx.actor.id,
    created_at: now,
    updated_at: now,
  });
  const tasks = request.tasks.map((task, index) =>
    taskOfRow({
      // Ids that a second attempt computes again.
      id: task.id ?? `${id}.${index + 1}`,
      order_id: id,
      title: task.title,
      type: task.type,
      status: "pending",
      allowed: JSON.stringify(task.allowed),
      max_changed_lines: task.maxChangedLines ?? null,
      created_at: now,
      updated_at: now,
    }),
  );
  const twice = tasks.find((task, index) => tasks.findIndex((other) => other.id === task.id) !== index);
  if (twice) return fail("VALIDATION_FAILED", `tasks: the id ${twice.id} stands twice`);
  return { ok: true, order, tasks };
}

type Stored = { ok: true; order: Order; tasks: Task[]; created: boolean };

/** The order already stored under this id: as a success if it is the same one, as CONFLICT if not; null if none is. */
async function findSame(ctx: ServiceContext, order: Order, tasks: readonly Task[]): Promise<Stored | Failed | null> {
  const found = await findOrder(ctx, order.id);
  if (!found.ok) return found.error.code === "NOT_FOUND" ? null : found;
  const rows = await tasksOfOrderQuery(ctx.db, order.id).execute();
  const storedTasks = rows.map(taskOfRow);
  const { title, description, factory, project_id, workspace_id } = found.order;
  const isSame =
    JSON.stringify([title, description, factory, project_id, workspace_id]) ===
      JSON.stringify([order.title, order.description, order.factory, order.project_id, order.workspace_id]) &&
    // Tasks may have been added since.
    tasks.every((task) => storedTasks.some((stored) => stated(stored) === stated(task)));
  if (!isSame) return fail("CONFLICT", `there is another order ${order.id} already`);
  return { ok: true, order: found.order, tasks: storedTasks, created: false };
}

const stated = ({ id, title, type, allowed, max_changed_lines }: Task): string =>
  JSON.stringify([id, title, type, allowed, max_changed_lines]);

async function store(ctx: ServiceContext, order: Order, tasks: readonly Task[]): Promise<Stored | Failed> {
  const projects = ctx.db.projects;
  try {
    await batch(ctx.env.DB_PROJECTS, [
      projects.insertInto("orders").values(rowOfOrder(order)),
      ...tasks.map((task) => projects.insertInto("tasks").values(rowOfTask(task))),
    ]);
  } catch (error) {
    const message = error instanceof Error ? error.message : "";
    if (message.includes("FOREIGN KEY constraint failed")) return fail("NOT_FOUND", "there is no such project");
    if (!message.includes("UNIQUE constraint failed")) throw error;
    // Another attempt was first, or a task's id is another order's.
    return (await findSame(ctx, order, tasks)) ?? fail("CONFLICT", "a task's id is another order's");
  }
  return { ok: true, order, tasks: [...tasks], created: true };
}

/** Leads the order's patches to its workspace and tells the workspace the order's tasks. Null: done. */
async function connectWorkspace(ctx: ServiceContext, { order, tasks }: Stored): Promise<Failed | null> {
  const alias = await setOrderAlias(ctx, { orderId: order.id, workspaceId: order.workspace_id });
  const written = alias.ok && tasks.length > 0 ? await syncWorkspaceTasks(ctx, order.workspace_id) : alias;
  if (written.ok) return null;
  const { code, message } = written.error;
  return fail(code, `the order ${order.id} is stored, its workspace not ready (${message}): send it again as it is`, {
    nothingWritten: false,
    retryable: true,
  });
}

async function hasProject(ctx: ServiceContext, id: string): Promise<boolean> {
  const row = await ctx.db.projects.selectFrom("projects").select("id").where("id", "=", id).executeTakeFirst();
  return row !== undefined;
}
