import { RoomSchema } from "@shared/contracts";
import { problem } from "@shared/worker-kit";
import { z } from "zod";
import type { Actor } from "../../context.ts";
import { connect } from "../../services/hub/connect.ts";
import { ticketOfSubprotocol } from "../../services/hub/subprotocol.ts";
import { decodeTicket } from "../../services/hub/ticket.ts";
import { type App, ANYONE, route } from "../route.ts";

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
  presence: z.literal("1").optional(),
});

const ticketOf = (env: Env, { headers }: Request) => {
  const text = ticketOfSubprotocol(headers);
  return text === null ? null : decodeTicket(env, text, Date.now());
};

/** Who comes with a ticket is told by the room; until then they may knock at it, and no more. */
const ticketHolder = (env: Env, request: Request): Actor | null =>
  ticketOf(env, request) === null ? null : { ...ANYONE, scopes: new Set(["patches:read"]) };

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
      admits: ticketHolder,
    },
    async (c, ctx) => {
      const joined = await connect(ctx, c.req.raw, ticketOf(c.env, c.req.raw));
      return joined.ok ? joined.response : problem(c, joined.error);
    },
  );
}
