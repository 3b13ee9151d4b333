import { CreateProjectSchema, ProjectSchema, StatedRoutingSchema } from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import { KeysetSchema } from "../../services/keyset.ts";
import { createProject } from "../../services/project/createProject.ts";
import { getProject } from "../../services/project/getProject.ts";
import { listProjects } from "../../services/project/listProjects.ts";
import { setProjectRouting } from "../../services/project/setProjectRouting.ts";
import { type App, route } from "../route.ts";

const ok = z.literal(true);
const tag = "Projects";
const one = { name: "ProjectAnswer", schema: z.object({ ok, project: ProjectSchema }) };

export function projectRoutes(app: App): void {
  route(
    app,
    {
      method: "post",
      path: "/api/projects",
      scope: "projects:write",
      tag,
      summary: "Add a project",
      body: { name: "CreateProject", schema: CreateProjectSchema },
      status: 201,
      response: one,
    },
    async (c, ctx, { body }) => respond(c, await createProject(ctx, body), 201),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/projects",
      scope: "projects:read",
      tag,
      summary: "List projects, newest first",
      query: KeysetSchema,
      response: {
        name: "ProjectList",
        schema: z.object({ ok, projects: z.array(ProjectSchema), cursor: z.string().nullable() }),
      },
    },
    async (c, ctx, { query }) => respond(c, await listProjects(ctx, query)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/projects/{projectId}",
      scope: "projects:read",
      tag,
      summary: "A project",
      response: one,
    },
    async (c, ctx, { params }) => respond(c, await getProject(ctx, { projectId: params.projectId ?? "" })),
  );
  route(
    app,
    {
      method: "put",
      path: "/api/projects/{projectId}/routing",
      scope: "projects:write",
      tag,
      summary: "Say how the tasks of a project's orders are routed to providers",
      body: { name: "Routing", schema: StatedRoutingSchema },
      response: one,
    },
    async (c, ctx, { params, body }) =>
      respond(c, await setProjectRouting(ctx, { projectId: params.projectId ?? "", routing: body })),
  );
}
