import type { MarkerCoordinates, Result } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { resolveMarkers } from "../workspace/resolveMarkers.ts";

/** Where content generated for one file belongs: see `resolveMarkers`. */
export async function resolveCoordsByMarker(
  ctx: ServiceContext,
  input: { workspaceId: string; file: string },
): Promise<Result<{ coordinates: MarkerCoordinates }>> {
  const resolved = await resolveMarkers(ctx, { workspaceId: input.workspaceId, files: [input.file] });
  if (!resolved.ok) return resolved;
  return { ok: true, coordinates: resolved.files[0]?.coordinates ?? { mode: "new" } };
}
