import { type Result, type TasksFile, TasksFileSchema, validationError } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { addressed, inWorkspace } from "./workspaceObject.ts";

/**
 * Says what each task of a workspace may touch. Kept beside the log, so a workspace that opens later or is rebuilt has
 * it. Needs `tasks:write`. Errors: WORKSPACE_NOT_FOUND (not open yet: it will be written when it opens), the engine's.
 */
export async function writeTasks(
  ctx: ServiceContext,
  input: { workspaceId: string; tasks: TasksFile },
): Promise<Result<object>> {
  const denied = requireScope(ctx, "tasks:write");
  if (denied) return denied;
  const tasks = TasksFileSchema.safeParse(input.tasks);
  if (!tasks.success) return { ok: false, error: validationError(tasks.error) };
  const named = addressed({ workspaceId: input.workspaceId });
  if (!named.ok) return named;
  const written = await inWorkspace(ctx, named.workspaceId, (stub, id) => stub.writeTasks(id, tasks.data));
  return written.ok ? written.answer : written;
}
