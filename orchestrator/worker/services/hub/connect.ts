import { fail, type Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import {
  encodeSubscription,
  parseQuery,
  serializeActor,
  SUBSCRIPTION_HEADER,
} from "../../durable-objects/event-hub/subscription.ts";
import { isOriginAllowed } from "../auth/origin.ts";
import { requireRoom } from "./room.ts";
import { SUBPROTOCOL } from "./subprotocol.ts";
import type { Ticket } from "./ticket.ts";

/** What a WebSocket handshake is made of (RFC 6455); nothing else of the outside request reaches the hub. */
const HANDSHAKE_HEADERS = ["upgrade", "connection", "sec-websocket-key", "sec-websocket-version"];

/**
 * Joins a room's stream with the socket this request asks for. Needs `patches:read`; a caller confined to a workspace
 * may join its order's room alone. A browser must come from this origin or from one of ALLOWED_ORIGINS, since it sends
 * cookies along from anywhere. Who comes with a ticket is whom the room keeps under it, once. Errors: UPGRADE_REQUIRED,
 * FORBIDDEN, VALIDATION_FAILED, UNAUTHENTICATED (a ticket that was used or is another room's), SHUTTING_DOWN.
 */
export async function connect(
  ctx: ServiceContext,
  request: Request,
  ticket: Ticket | null = null,
): Promise<Result<{ response: Response }>> {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
    return fail("UPGRADE_REQUIRED", "this path speaks WebSocket; ask for an upgrade");
  const origin = request.headers.get("origin");
  if (origin !== null && !isOriginAllowed(ctx.env, request, origin))
    return fail("FORBIDDEN", "this origin may not connect");
  const denied = requireScope(ctx, "patches:read");
  if (denied) return denied;

  const query = parseQuery(new URL(request.url).searchParams);
  if (!query.ok) return query;
  if (ticket !== null && ticket.room !== query.room) return fail("UNAUTHENTICATED", "this ticket is for another room");
  const elsewhere = await requireRoom(ctx, query.room);
  if (elsewhere) return elsewhere;

  const who = ticket === null ? { actor: serializeActor(ctx.actor) } : { ticket: ticket.id };
  const subscription = encodeSubscription({ ...query.request, ...who });
  if (!subscription.ok) return subscription;
  const headers = new Headers({ [SUBSCRIPTION_HEADER]: subscription.header });
  for (const name of HANDSHAKE_HEADERS) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const answer = await upgradeAt(ctx, query.room, headers);
  if (answer === null) return fail("SHUTTING_DOWN", "the room is starting anew; try again");
  if (answer.status === 401) return fail("UNAUTHENTICATED", "this ticket was used, or is over; ask for another");
  const offered = request.headers
    .get("sec-websocket-protocol")
    ?.split(",")
    .map((name) => name.trim());
  return {
    ok: true,
    response: new Response(null, {
      status: 101,
      webSocket: answer.webSocket,
      headers: offered?.includes(SUBPROTOCOL) ? { "sec-websocket-protocol": SUBPROTOCOL } : {},
    }),
  };
}

/** The hub's answer to the upgrade; null if it gave none twice. Joining changes nothing, so it may be asked again. */
async function upgradeAt(ctx: ServiceContext, room: string, headers: Headers): Promise<Response | null> {
  for (const attempt of [1, 2]) {
    try {
      // A stub whose object died stays broken, so each attempt takes a fresh one.
      const answer = await ctx.env.EVENT_HUB.getByName(room).fetch("https://hub/", { headers });
      if (answer.webSocket !== null || answer.status === 401) return answer;
      ctx.log.error("the hub refused a socket", { room, attempt, status: answer.status });
    } catch (error) {
      ctx.log.warn("the hub did not answer", { room, attempt, error });
    }
  }
  return null;
}
