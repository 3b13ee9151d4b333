import { type FileMarkers, type MarkerCoordinates, type Result, validationError } from "@shared/contracts";
import { coordinatesOf } from "patch-engine/core";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { askEngine, resolveWorkspace } from "./workspaceObject.ts";

const ResolveMarkersSchema = z.object({
  workspaceId: z.string(),
  files: z.array(z.string().min(1).max(4096)).min(1).max(1000),
});

/**
 * The markers of the named files, and where content generated for each belongs: the first marker's span, a new file, or
 * after the last line. Needs `workspaces:read`. Errors: those of the engine.
 */
export async function resolveMarkers(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ files: (FileMarkers & { coordinates: MarkerCoordinates })[] }>> {
  const denied = requireScope(ctx, "workspaces:read");
  if (denied) return denied;
  const parsed = ResolveMarkersSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const resolved = await resolveWorkspace(ctx, { workspaceId: parsed.data.workspaceId });
  if (!resolved.ok) return resolved;
  const { workspaceId } = resolved;
  const found = await askEngine(ctx, workspaceId, (engine) => engine.markers(workspaceId, parsed.data.files));
  if (!found.ok) return found;
  return { ok: true, files: found.files.map((file) => ({ ...file, coordinates: coordinatesOf(file) })) };
}
