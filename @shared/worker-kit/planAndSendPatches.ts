import {
  fail,
  FulfilPhaseSchema,
  validationError,
  type ApplyResult,
  type PatchBatchInput,
  type PatchOpsRpc,
} from "@shared/contracts";
import { resolveCoordsByMarker } from "./coordResolver.ts";
import { fileReader, filesToPatches } from "./patchBridge.ts";

const ImplementationSchema = FulfilPhaseSchema.shape.implementation.unwrap();

/**
 * Turns a PhaseImplementation into patches and sends them as one batch. `address` says where they belong and who asks.
 * CONFLICT where every file stands as generated: there is nothing to send.
 */
export async function planAndSendPatches(
  implementation: unknown,
  patchOps: Pick<PatchOpsRpc, "resolveMarkers" | "readFile" | "applyPatches">,
  address: Omit<PatchBatchInput, "patches" | "workspaceId"> & { workspaceId: string },
): Promise<ApplyResult> {
  const parsed = ImplementationSchema.safeParse(implementation);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { workspaceId } = address;
  const bridged = await filesToPatches(
    parsed.data,
    (file) => resolveCoordsByMarker(patchOps, workspaceId, file),
    fileReader(patchOps, workspaceId),
  );
  if (!bridged.ok) return bridged;
  if (bridged.batch.patches.length === 0) return fail("CONFLICT", "every file already stands as it was generated");
  return patchOps.applyPatches({ ...bridged.batch, ...address });
}
