import { WorkspaceFileSchema, WorkspaceInfoSchema } from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import { getWorkspace } from "../../services/workspace/getWorkspace.ts";
import { openWorkspace, OpenWorkspaceSchema } from "../../services/workspace/openWorkspace.ts";
import { readFile } from "../../services/workspace/readFile.ts";
import { MAX_BATCH_BODY_BYTES } from "../applied.ts";
import { type App, route } from "../route.ts";

const tag = "Workspaces";
const one = {
  name: "WorkspaceAnswer",
  schema: z.object({ ok: z.literal(true), workspace: WorkspaceInfoSchema }),
};

export function workspaceRoutes(app: App): void {
  route(
    app,
    {
      method: "post",
      path: "/api/workspaces",
      scope: "workspaces:write",
      tag,
      summary: "Open a workspace from its source; open already, it is answered as it stands",
      body: { name: "OpenWorkspace", schema: OpenWorkspaceSchema },
      // A source may be the bytes of an archive.
      maxBodyBytes: MAX_BATCH_BODY_BYTES,
      response: one,
    },
    async (c, ctx, { body }) => respond(c, await openWorkspace(ctx, body)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/workspaces/{workspaceId}",
      scope: "workspaces:read",
      tag,
      summary: "A workspace as it stands",
      response: one,
    },
    async (c, ctx, { params }) => respond(c, await getWorkspace(ctx, { workspaceId: params.workspaceId ?? "" })),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/workspaces/{workspaceId}/files/{file...}",
      scope: "workspaces:read",
      tag,
      summary: "A file of a workspace",
      response: { name: "FileAnswer", schema: z.object({ ok: z.literal(true), file: WorkspaceFileSchema }) },
    },
    async (c, ctx, { params }) =>
      respond(c, await readFile(ctx, { workspaceId: params.workspaceId ?? "", file: params.file ?? "" })),
  );
}
