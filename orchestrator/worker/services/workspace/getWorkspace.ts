import type { Result, WorkspaceInfo } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { askEngine, resolveWorkspace } from "./workspaceObject.ts";

/** A workspace as the engine holds it now. Needs `workspaces:read`. Errors: WORKSPACE_NOT_FOUND, those of the engine. */
export async function getWorkspace(
  ctx: ServiceContext,
  input: { workspaceId: string },
): Promise<Result<{ workspace: WorkspaceInfo }>> {
  const denied = requireScope(ctx, "workspaces:read");
  if (denied) return denied;
  const resolved = await resolveWorkspace(ctx, input);
  if (!resolved.ok) return resolved;
  return askEngine(ctx, resolved.workspaceId, (engine) => engine.describe(resolved.workspaceId));
}
