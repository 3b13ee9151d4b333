import { fail, type MarkerCoordinates, type PatchOpsRpc, type Result } from "@shared/contracts";

/** A marker's span as a factory fills it. `marker` is null where another of the file bears the same name. */
export interface MarkerPlace {
  marker: string | null;
  span: { start: number; end: number };
}

/** Where generated content for one file belongs, as the workspace stands now. */
export interface FileCoordinates {
  coordinates: MarkerCoordinates;
  /** Every marker of the file in the order of its lines. */
  places: MarkerPlace[];
}

export type CoordResolver = (filePath: string) => Promise<Result<FileCoordinates>>;

/**
 * Where content for `filePath` belongs: at the file's markers (`###FINAL_MILE_PROMPT__X###`), before line N+1 of a file
 * of N lines without one, or in a new file. Asks the orchestrator, since only the engine reads the workspace.
 */
export async function resolveCoordsByMarker(
  patchOps: Pick<PatchOpsRpc, "resolveMarkers">,
  workspaceId: string,
  filePath: string,
): Promise<Result<FileCoordinates>> {
  const resolved = await patchOps.resolveMarkers({ workspaceId, files: [filePath] });
  if (!resolved.ok) return resolved;
  const file = resolved.files.find((candidate) => candidate.file === filePath);
  if (!file) return fail("NOT_FOUND", `the workspace did not say where ${filePath} stands`, { file: filePath });
  const namesakes = (name: string) => file.markers.filter((marker) => marker.name === name).length;
  const places = file.markers
    .toSorted((a, b) => a.span.start - b.span.start)
    .map(({ name, span }) => ({ marker: namesakes(name) === 1 ? name : null, span }));
  return { ok: true, coordinates: file.coordinates, places };
}
