import { type Project, type Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { KeysetSchema, type Place, pageOf, readList } from "../keyset.ts";
import { projectOfRow } from "./projectOfRow.ts";

/** The projects, newest first. Needs `projects:read`. */
export async function listProjects(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ projects: Project[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "projects:read");
  if (denied) return denied;
  const list = readList(KeysetSchema, input);
  if (!list.ok) return list;
  const { query, after } = list;
  const rows = await projectsQuery(ctx.db, after, query.limit + 1).execute();
  const { items, cursor } = pageOf(rows, query.limit, projectOfRow);
  return { ok: true, projects: items, cursor };
}

export function projectsQuery(db: ServiceContext["db"], after: Place | null, limit: number) {
  const query = db.projects.selectFrom("projects").selectAll().orderBy("created_at", "desc").orderBy("id", "desc");
  return (
    after ? query.where((eb) => eb(eb.refTuple("created_at", "id"), "<", eb.tuple(after.createdAt, after.id))) : query
  ).limit(limit);
}
