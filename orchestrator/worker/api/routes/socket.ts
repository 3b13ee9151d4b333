import { RoomSchema } from "@shared/contracts";
import { problem } from "@shared/worker-kit";
import { z } from "zod";
import { connect } from "../../services/hub/connect.ts";
import { type App, route } from "../route.ts";

/** Documents the query; the verb reads it, since filters may repeat. */
const SocketQuerySchema = z.object({
  room: RoomSchema.default("all"),
  epoch: z.string().optional(),
  offset: z.coerce.number().int().nonnegative().optional(),
  file: z.string().optional(),
  op: z.string().optional(),
  requester: z.string().optional(),
  type: z.string().optional(),
  acks: z.literal("1").optional(),
});

export function socketRoutes(app: App): void {
  route(
    app,
    {
      method: "get",
      path: "/ws",
      scope: "patches:read",
      tag: "Realtime",
      summary: "Join a room's stream: live events, and after a reconnect those missed",
      query: SocketQuerySchema,
      status: 101,
    },
    async (c, ctx) => {
      const joined = await connect(ctx, c.req.raw);
      return joined.ok ? joined.response : problem(c, joined.error);
    },
  );
}
