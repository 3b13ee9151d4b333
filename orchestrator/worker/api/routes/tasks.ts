import { CreateTaskSchema, TaskSchema } from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import { createTask } from "../../services/task/createTask.ts";
import { getTask } from "../../services/task/getTask.ts";
import { listTasks, ListTasksSchema } from "../../services/task/listTasks.ts";
import { setTaskStatus, SetTaskStatusSchema } from "../../services/task/setTaskStatus.ts";
import { type App, fieldsOf, route } from "../route.ts";

const ok = z.literal(true);
const tag = "Tasks";
const one = { name: "TaskAnswer", schema: z.object({ ok, task: TaskSchema }) };

export function taskRoutes(app: App): void {
  route(
    app,
    {
      method: "post",
      path: "/api/tasks",
      scope: "tasks:write",
      tag,
      summary: "Add a task to an order",
      body: { name: "CreateTask", schema: CreateTaskSchema },
      status: 201,
      response: one,
    },
    async (c, ctx, { body }) => respond(c, await createTask(ctx, body), 201),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/tasks",
      scope: "tasks:read",
      tag,
      summary: "List tasks, newest first",
      query: ListTasksSchema,
      response: {
        name: "TaskList",
        schema: z.object({ ok, tasks: z.array(TaskSchema), cursor: z.string().nullable() }),
      },
    },
    async (c, ctx, { query }) => respond(c, await listTasks(ctx, query)),
  );
  route(
    app,
    { method: "get", path: "/api/tasks/{taskId}", scope: "tasks:read", tag, summary: "A task", response: one },
    async (c, ctx, { params }) => respond(c, await getTask(ctx, { taskId: params.taskId ?? "" })),
  );
  route(
    app,
    {
      method: "patch",
      path: "/api/tasks/{taskId}",
      scope: "tasks:write",
      tag,
      summary: "Move a task's status",
      body: { name: "SetTaskStatus", schema: SetTaskStatusSchema },
      response: one,
    },
    async (c, ctx, { params, body }) =>
      respond(c, await setTaskStatus(ctx, { ...fieldsOf(body), taskId: params.taskId ?? "" })),
  );
}
