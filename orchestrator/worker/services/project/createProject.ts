import {
  CreateProjectSchema,
  fail,
  type Project,
  ProjectIdSchema,
  type Result,
  validationError,
} from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { projectOfRow } from "./projectOfRow.ts";

/** Adds a project. Needs `projects:write`. Errors: CONFLICT where the id is taken. */
export async function createProject(ctx: ServiceContext, input: unknown): Promise<Result<{ project: Project }>> {
  const denied = requireScope(ctx, "projects:write");
  if (denied) return denied;
  const parsed = CreateProjectSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { id = ProjectIdSchema.parse(`PRJ-${ctx.mintId()}`), name, repository, branch, routing } = parsed.data;
  const now = ctx.now().toISOString();
  const row = await ctx.db.projects
    .insertInto("projects")
    .values({
      id,
      name,
      repository,
      branch,
      routing: routing === undefined ? null : JSON.stringify(routing),
      created_by: ctx.actor.id,
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
  return row ? { ok: true, project: projectOfRow(row) } : fail("CONFLICT", `there is a project ${id} already`);
}
