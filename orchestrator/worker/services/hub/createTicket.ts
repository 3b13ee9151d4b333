import { CreateTicketSchema, fail, type Result, type Scope, validationError } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { serializeActor } from "../../durable-objects/event-hub/subscription.ts";
import { requireRoom } from "./room.ts";
import { encodeTicket, TICKET_MS } from "./ticket.ts";

/** What a socket can be used for; a ticket gives no more. */
const SOCKET_SCOPES: readonly Scope[] = ["patches:read", "requests:write"];

/**
 * A ticket for one socket in one room, within 30 s, with the caller's scopes for sockets or the fewer that are asked for.
 * The socket ends with the caller's own credential. Needs `patches:read`. Errors: VALIDATION_FAILED, FORBIDDEN.
 */
export async function createTicket(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ ticket: string; room: string; expiresAt: string }>> {
  const denied = requireScope(ctx, "patches:read");
  if (denied) return denied;
  const parsed = CreateTicketSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { room, scopes = SOCKET_SCOPES.filter((scope) => requireScope(ctx, scope) === null) } = parsed.data;
  for (const scope of scopes) {
    const missing = requireScope(ctx, scope);
    if (missing) return missing;
  }
  const elsewhere = await requireRoom(ctx, room);
  if (elsewhere) return elsewhere;
  if (!ctx.env.SESSION_SECRET) return fail("FORBIDDEN", "tickets are off: the instance has no SESSION_SECRET");

  const id = ctx.mintId();
  const expiresAt = ctx.now().getTime() + TICKET_MS;
  const actor = serializeActor({ ...ctx.actor, scopes: new Set(scopes) });
  try {
    await ctx.env.EVENT_HUB.getByName(room).keepTicket({ id, expiresAt, actor });
  } catch (error) {
    ctx.log.warn("the hub did not keep a ticket", { room, error });
    return fail("SHUTTING_DOWN", "the room is starting anew; try again");
  }
  return {
    ok: true,
    ticket: encodeTicket(ctx.env, { id, room, expiresAt }),
    room,
    expiresAt: new Date(expiresAt).toISOString(),
  };
}
