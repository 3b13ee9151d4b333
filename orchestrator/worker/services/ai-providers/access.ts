import { fail, type Failed } from "@shared/contracts";
import { requireWorkspace, type ServiceContext } from "../../context.ts";
import { findOrder } from "../order/getOrder.ts";

/** Whose work it is: the order it belongs to, and where it happens. */
export interface WorkOwner {
  order_id: string | null;
  workspace_id: string | null;
}

/**
 * FORBIDDEN unless the caller may touch what belongs to this order and workspace: a factory its own orders' alone, a token
 * confined to a workspace that workspace's alone.
 */
export async function requireWorkAccess(
  ctx: ServiceContext,
  { order_id, workspace_id }: WorkOwner,
): Promise<Failed | null> {
  const { actor } = ctx;
  if (actor.kind === "factory") {
    if (order_id === null) return fail("FORBIDDEN", "this belongs to no order, so to no factory");
    const found = await findOrder(ctx, order_id);
    return found.ok ? null : found;
  }
  if (actor.workspaceId === null) return null;
  return workspace_id === null
    ? fail("FORBIDDEN", "this belongs to no workspace, and this token is confined to one")
    : requireWorkspace(ctx, workspace_id);
}

/** FORBIDDEN where a list would show more than the caller may see: a factory names the order whose list it asks for. */
export async function requireListAccess(ctx: ServiceContext, orderId: string | undefined): Promise<Failed | null> {
  if (ctx.actor.kind !== "factory") return null;
  if (orderId === undefined) return fail("FORBIDDEN", "a factory lists by order: name it in order_id");
  const found = await findOrder(ctx, orderId);
  return found.ok ? null : found;
}

/** FORBIDDEN for factories and for tokens confined to a workspace: this spans all of them. */
export const requireEverything = ({ actor }: Pick<ServiceContext, "actor">): Failed | null =>
  actor.kind === "factory" || actor.workspaceId !== null
    ? fail("FORBIDDEN", "this spans workspaces and factories, and the caller is confined to some")
    : null;
