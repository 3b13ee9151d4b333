import { type Failed, fail, type Order } from "@shared/contracts";
import { requireWorkspace, type ServiceContext } from "../../context.ts";

/** FORBIDDEN unless the caller may touch this order: a factory only its own, a confined token only its workspace's. */
export function requireOrderAccess(
  ctx: Pick<ServiceContext, "actor">,
  order: Pick<Order, "id" | "factory" | "workspace_id">,
): Failed | null {
  const { actor } = ctx;
  if (actor.kind === "factory" && actor.id !== `factory:${order.factory}`) {
    return fail("FORBIDDEN", `order ${order.id} is for ${order.factory}`);
  }
  return requireWorkspace(ctx, order.workspace_id);
}
