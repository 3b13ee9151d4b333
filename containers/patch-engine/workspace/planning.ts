import {
  patchIdOf,
  vibeError,
  type CheckOutcome,
  type PatchBatch,
  type RevertTarget,
  type VibeError,
} from "@shared/contracts";
import {
  patchesOf,
  pathsOf,
  pathsOfRevert,
  planBatch,
  planRevert,
  type FileSnapshot,
  type Plan,
  type PlannedPatch,
  type RefusedPatch,
} from "../core/index.ts";
import type { Gate } from "../gates/gate.ts";
import { gatesFor, gatesForRevert, runGates } from "../gates/pipeline.ts";
import type { TypeCheckPlace } from "../gates/types.ts";
import type { DiskFile } from "./Directory.ts";
import { readPolicy, readTasks } from "./missionControl.ts";
import type { Workspace } from "./Workspace.ts";

/** What came of planning and gating a call. */
export type Planned =
  | { ok: true; plan: Plan; disk: Map<string, DiskFile | null>; checks: CheckOutcome[] }
  | {
      ok: false;
      error: VibeError;
      patches: readonly (RefusedPatch | PlannedPatch)[];
      errors: ReadonlyMap<string, VibeError>;
      checks: CheckOutcome[];
    };

const refuse = (
  error: VibeError,
  patches: readonly (RefusedPatch | PlannedPatch)[] = [],
  errors: ReadonlyMap<string, VibeError> = new Map(),
  checks: CheckOutcome[] = [],
): Planned => ({ ok: false, error, patches, errors, checks });

/** Plans and gates a batch against the workspace as it stands. */
export async function planApply(
  workspace: Workspace,
  batch: PatchBatch,
  batchId: string,
  explicitCheck: boolean,
  place: TypeCheckPlace,
): Promise<Planned> {
  const mintPatchId = (index: number) => patchIdOf(batchId, index);
  const asked = patchesOf(batch, mintPatchId);
  const named = asked.map(({ patch_id, file, op, task_id }): RefusedPatch => ({ patch_id, file, op, task_id }));

  const policy = readPolicy(workspace.directory);
  if (!policy.ok) return refuse(policy.error, named);
  const tasks = readTasks(workspace.directory);
  if (!tasks.ok) return refuse(tasks.error, named);
  const gates = gatesFor(batch, explicitCheck, policy.policy, tasks.tasks, place);

  const loaded = workspace.load(pathsOf(batch));
  if (loaded.errors.size > 0) {
    const errors = new Map<string, VibeError>();
    for (const { patch_id: patchId, paths } of asked) {
      const path = paths.find((one) => loaded.errors.has(one));
      const error = path !== undefined && loaded.errors.get(path);
      if (error) errors.set(patchId, { ...error, patchId });
    }
    const [first] = [...errors.values(), ...loaded.errors.values()];
    if (first) return refuse(first, named, errors);
  }

  const result = planBatch(batch, snapshotsOf(loaded.files), { mintPatchId });
  if (!result.ok) return refuse(result.error, result.patches);
  const used = result.plan.patches.find((patch) => workspace.log.patch(patch.patch_id));
  if (used) {
    const patchId = used.patch_id;
    const error = vibeError("CONFLICT", `the patch id ${patchId} was used before in this workspace`, { patchId });
    return refuse(error, result.plan.patches, new Map([[patchId, error]]));
  }
  return gate(result.plan, loaded.files, gates);
}

/** Plans and gates the undoing of a target's patches. */
export async function planUndo(workspace: Workspace, target: RevertTarget): Promise<Planned> {
  const policy = readPolicy(workspace.directory);
  if (!policy.ok) return refuse(policy.error);
  const entries = workspace.log.after(0);
  const loaded = workspace.load(pathsOfRevert(target, entries));
  for (const error of loaded.errors.values()) return refuse(error);
  const result = planRevert(target, entries, snapshotsOf(loaded.files));
  if (!result.ok) return refuse(result.error, result.patches);
  return gate(result.plan, loaded.files, gatesForRevert(policy.policy));
}

async function gate(plan: Plan, disk: Map<string, DiskFile | null>, gates: Gate[]): Promise<Planned> {
  const { checks, error, patchErrors } = await runGates(gates, { plan, before: snapshotsOf(disk) });
  if (error) return refuse(error, plan.patches, patchErrors, checks);
  return { ok: true, plan, disk, checks };
}

export function snapshotsOf(files: ReadonlyMap<string, DiskFile | null>): Map<string, FileSnapshot | null> {
  return new Map([...files].map(([path, file]) => [path, file?.snapshot ?? null]));
}
