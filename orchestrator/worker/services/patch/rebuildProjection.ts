import { fail, type Result, type WorkspaceAddress } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { resolveWorkspace, stubOf } from "../workspace/workspaceObject.ts";
import { removeProjection } from "./projection.ts";

/**
 * Makes a workspace's rows in D1 anew from its chain, and with them what they count in the rollups. For recovery, and to
 * show that what was kept event by event is right. Needs `admin`. Broken off in the middle, it leaves rows and rollups
 * that agree, and the rest is delivered by itself. Where the rollups themselves are wrong, `rebuildRollups` makes them
 * from the rows. Errors: DATABASE_UNAVAILABLE.
 */
export async function rebuildProjection(
  ctx: ServiceContext,
  address: WorkspaceAddress,
): Promise<Result<{ delivered: number }>> {
  const denied = requireScope(ctx, "admin");
  if (denied) return denied;
  const resolved = await resolveWorkspace(ctx, address);
  if (!resolved.ok) return resolved;
  try {
    await removeProjection(ctx.env.DB_OPS, resolved.workspaceId);
  } catch (error) {
    ctx.log.error("DB_OPS did not take the rebuild", { error });
    return fail("DATABASE_UNAVAILABLE", "the database does not answer");
  }
  const { seq } = await stubOf(ctx.env, resolved.workspaceId).redeliver();
  return { ok: true, delivered: seq };
}
