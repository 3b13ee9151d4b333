import { fail, type Failed } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { findOrder } from "../order/getOrder.ts";

const ORDER = "order:";

/**
 * FORBIDDEN where the caller is confined to a workspace and the room is not that of an order worked on there. An order that
 * nobody has placed is worked on in the workspace of its name.
 */
export async function requireRoom(ctx: ServiceContext, room: string): Promise<Failed | null> {
  const { workspaceId } = ctx.actor;
  if (workspaceId === null) return null;
  const found = room.startsWith(ORDER) ? await findOrder(ctx, room.slice(ORDER.length)) : null;
  if (found?.ok || (found?.error.code === "NOT_FOUND" && room === workspaceId)) return null;
  return fail("FORBIDDEN", "this token is confined to another room");
}
