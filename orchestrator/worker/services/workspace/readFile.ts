import type { Result, WorkspaceFile } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { askEngine, resolveWorkspace } from "./workspaceObject.ts";

/** A text file of a workspace. Needs `workspaces:read`. Errors: PATH_INVALID, FILE_NOT_FOUND, those of the engine. */
export async function readFile(
  ctx: ServiceContext,
  input: { workspaceId: string; file: string },
): Promise<Result<{ file: WorkspaceFile }>> {
  const denied = requireScope(ctx, "workspaces:read");
  if (denied) return denied;
  const resolved = await resolveWorkspace(ctx, { workspaceId: input.workspaceId });
  if (!resolved.ok) return resolved;
  return askEngine(ctx, resolved.workspaceId, (engine) => engine.readFile(resolved.workspaceId, input.file));
}
