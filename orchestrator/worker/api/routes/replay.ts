import { ReplayFileSchema, ReplaySchema, ReplayTreeSchema } from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import { getReplayFile } from "../../services/replay/getReplayFile.ts";
import { getReplayTree, ReplayTreeQuerySchema } from "../../services/replay/getReplayTree.ts";
import { listReplay, ListReplaySchema } from "../../services/replay/listReplay.ts";
import { type App, route } from "../route.ts";

const ok = z.literal(true);
const tag = "Replay";

export function replayRoutes(app: App): void {
  route(
    app,
    {
      method: "get",
      path: "/api/orders/{orderId}/replay",
      scope: "workspaces:read",
      tag,
      summary: "An order's batches, with the tree each left",
      query: ListReplaySchema,
      response: { name: "ReplayAnswer", schema: ReplaySchema.extend({ ok }) },
    },
    async (c, ctx, { params, query }) => respond(c, await listReplay(ctx, { ...query, orderId: params.orderId ?? "" })),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/orders/{orderId}/replay/{seq}/tree",
      scope: "workspaces:read",
      tag,
      summary: "The files of the order's workspace as they were after a batch, checked by the tree's hash",
      query: ReplayTreeQuerySchema,
      response: { name: "ReplayTreeAnswer", schema: ReplayTreeSchema.extend({ ok }) },
    },
    async (c, ctx, { params, query }) =>
      respond(c, await getReplayTree(ctx, { ...query, orderId: params.orderId ?? "", seq: params.seq ?? "" })),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/orders/{orderId}/replay/{seq}/files/{file...}",
      scope: "workspaces:read",
      tag,
      summary: "A file as it was after a batch",
      response: { name: "ReplayFileAnswer", schema: ReplayFileSchema.extend({ ok }) },
    },
    async (c, ctx, { params }) => {
      const { orderId = "", seq = "", file = "" } = params;
      return respond(c, await getReplayFile(ctx, { orderId, seq, file }));
    },
  );
}
