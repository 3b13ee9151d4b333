import { fail, type Result, workspaceIdOf } from "@shared/contracts";
import { requireScope, requireWorkspace, type ServiceContext } from "../../context.ts";
import { addressed, resolveWorkspace, stubOf } from "./workspaceObject.ts";

/**
 * Leads whatever names only the order to the workspace it works in, without a database read on the way. Set once, when
 * the order is created; the same again changes nothing. Needs `orders:write`. Errors: WORKSPACE_UNRESOLVED, CONFLICT
 * (the order works elsewhere already).
 */
export async function setOrderAlias(
  ctx: ServiceContext,
  input: { orderId: string; workspaceId: string },
): Promise<Result<object>> {
  const denied = requireScope(ctx, "orders:write") ?? requireWorkspace(ctx, input.workspaceId);
  if (denied) return denied;
  const target = addressed({ workspaceId: input.workspaceId });
  if (!target.ok) return target;
  const own = workspaceIdOf({ orderId: input.orderId });
  // An id that makes no workspace of its own cannot be addressed by itself either.
  if (own === null || own === target.workspaceId) return { ok: true };
  // Where the target leads on, the order leads to the end of it; two that led to each other would lead nowhere.
  const end = await resolveWorkspace(ctx, { workspaceId: target.workspaceId });
  if (!end.ok) return end;
  if (end.workspaceId === own) return fail("CONFLICT", "that order works in the workspace of this one already");
  return stubOf(ctx.env, own).setAlias(end.workspaceId);
}
