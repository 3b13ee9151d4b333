import { type Result, validationError, type WorkspaceInfo, WorkspaceSourceSchema } from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { addressed, inWorkspace } from "./workspaceObject.ts";

export const OpenWorkspaceSchema = z.object({
  workspaceId: z.string().optional(),
  orderId: z.string().optional(),
  projectId: z.string().optional(),
  branch: z.string().optional(),
  source: WorkspaceSourceSchema,
});

/**
 * Opens a workspace from a source, or answers with the one already open from it. Needs `workspaces:write`.
 * Errors: WORKSPACE_UNRESOLVED, WORKSPACE_EXISTS (open from another source), SOURCE_INVALID, those of the engine.
 */
export async function openWorkspace(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ workspace: WorkspaceInfo }>> {
  const denied = requireScope(ctx, "workspaces:write");
  if (denied) return denied;
  const parsed = OpenWorkspaceSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { source, ...address } = parsed.data;
  const named = addressed(address);
  if (!named.ok) return named;
  const opened = await inWorkspace(ctx, named.workspaceId, (stub, id) => stub.open(id, source));
  return opened.ok ? opened.answer : opened;
}
