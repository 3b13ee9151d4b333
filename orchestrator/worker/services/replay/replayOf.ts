import type { Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import type { WorkspaceRpc } from "../../durable-objects/workspace/rpc.ts";
import { findOrder } from "../order/getOrder.ts";
import { resolveWorkspace, stubOf } from "../workspace/workspaceObject.ts";

/**
 * The object of an order's workspace, its log ready for replay. Needs `workspaces:read`: replay shows the workspace's
 * files. Errors: NOT_FOUND, FORBIDDEN.
 */
export async function replayOf(
  ctx: ServiceContext,
  orderId: string,
): Promise<Result<{ stub: WorkspaceRpc; workspaceId: string }>> {
  const denied = requireScope(ctx, "workspaces:read");
  if (denied) return denied;
  const found = await findOrder(ctx, orderId);
  if (!found.ok) return found;
  const resolved = await resolveWorkspace(ctx, { workspaceId: found.order.workspace_id });
  if (!resolved.ok) return resolved;
  const stub = stubOf(ctx.env, resolved.workspaceId);
  while (!(await stub.indexReplay()));
  return { ok: true, stub, workspaceId: resolved.workspaceId };
}
