import { fail, type Failed } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";

/**
 * FORBIDDEN unless the caller has `patches:read` for everything: the rollups know no workspaces, so they are nothing
 * for a token that is confined to one.
 */
export function requireAllPatches(ctx: Pick<ServiceContext, "actor">): Failed | null {
  return (
    requireScope(ctx, "patches:read") ??
    (ctx.actor.workspaceId === null
      ? null
      : fail("FORBIDDEN", "statistics span workspaces, and this token is confined to one"))
  );
}
