import { fail, type Project, type Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { projectOfRow } from "./projectOfRow.ts";

/** Needs `projects:read`. Errors: NOT_FOUND. */
export async function getProject(
  ctx: ServiceContext,
  input: { projectId: string },
): Promise<Result<{ project: Project }>> {
  const denied = requireScope(ctx, "projects:read");
  if (denied) return denied;
  const row = await ctx.db.projects
    .selectFrom("projects")
    .selectAll()
    .where("id", "=", input.projectId)
    .executeTakeFirst();
  return row ? { ok: true, project: projectOfRow(row) } : fail("NOT_FOUND", "there is no such project");
}
