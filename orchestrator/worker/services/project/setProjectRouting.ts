import { fail, type Project, type Result, StatedRoutingSchema, validationError } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { projectOfRow } from "./projectOfRow.ts";

/**
 * Says how the tasks of a project's orders are routed from now on, where the orders do not say, in place of what was said
 * before. Needs `projects:write`. Errors: NOT_FOUND.
 */
export async function setProjectRouting(
  ctx: ServiceContext,
  input: { projectId: string; routing: unknown },
): Promise<Result<{ project: Project }>> {
  const denied = requireScope(ctx, "projects:write");
  if (denied) return denied;
  const parsed = StatedRoutingSchema.safeParse(input.routing);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const row = await ctx.db.projects
    .updateTable("projects")
    .set({ routing: JSON.stringify(parsed.data), updated_at: ctx.now().toISOString() })
    .where("id", "=", input.projectId)
    .returningAll()
    .executeTakeFirst();
  return row ? { ok: true, project: projectOfRow(row) } : fail("NOT_FOUND", "there is no such project");
}
