import type {
  BatchOutcome,
  CheckOutcome,
  FileOutcome,
  Head,
  LogEntry,
  LoggedFile,
  LoggedPatch,
  Safety,
  VibeError,
} from "@shared/contracts";
import { vibeError } from "@shared/contracts";
import type { Plan, PlannedPatch, RefusedPatch } from "../core/index.ts";
import { diffName } from "../transaction/commit.ts";
import { MISSION_CONTROL } from "./WorkspaceLock.ts";

export const diffPath = (entry: Pick<LogEntry, "kind">, patch: Pick<LoggedPatch, "patch_id">): string =>
  `${MISSION_CONTROL}/patches/${diffName(entry, patch)}`;

/** The outcome a log entry stands for: the same whether the entry was just written or is asked for again. */
export function outcomeOfEntry(entry: LogEntry, workspaceId: string): BatchOutcome {
  return {
    ok: true,
    status: "applied",
    batchId: entry.batchId,
    workspaceId,
    head: { seq: entry.seq, hash: entry.hash },
    patches: entry.patches.map((patch) => ({
      patch_id: patch.patch_id,
      file: patch.file,
      op: patch.op,
      task_id: patch.task_id,
      status: "applied",
      landed: patch.landed,
      moved: patch.moved,
      diff_path: diffPath(entry, patch),
    })),
    files: entry.files.map(fileOutcome),
    checks: entry.checks,
    treeHash: entry.treeAfter,
    durationMs: entry.durationMs,
  };
}

/** Where a call stands when its outcome is made. */
export interface Standing {
  batchId: string;
  workspaceId: string;
  head: Head;
  treeHash: string;
  durationMs: number;
}

export function dryRunOutcome(standing: Standing, plan: Plan, checks: CheckOutcome[], safety: Safety): BatchOutcome {
  return {
    ...standing,
    ok: true,
    status: "dry-run",
    patches: plan.patches.map((patch) => ({
      ...namesOf(patch),
      status: "dry-run",
      landed: patch.landed,
      moved: patch.moved,
      diff_path: null,
    })),
    files: plan.files.map(fileOutcome),
    checks,
    safety,
  };
}

/** Characters of JSON that the errors of one refusal may take to show lines, candidates and findings. */
const MAX_DETAIL = 1_000_000;

/** Errors in their order, all with code and message; from where there would be too much of it, without the detail. */
function withinDetail(): (error: VibeError) => VibeError {
  let left = MAX_DETAIL;
  return (error) => {
    const { code, message, retryable, nothingWritten, file, patchId, ...detail } = error;
    left -= JSON.stringify(detail).length;
    if (left >= 0) return error;
    const kept = { code, message, retryable, nothingWritten };
    return { ...kept, ...(file !== undefined && { file }), ...(patchId !== undefined && { patchId }) };
  };
}

/**
 * The outcome of what was refused: each patch with its own error, or with BATCH_REFUSED where it has none. Ten thousand
 * refusals of one batch show the lines of the first some hundred: an answer that no connection carries helps nobody.
 */
export function refusedOutcome(
  standing: Standing,
  patches: readonly (RefusedPatch | PlannedPatch)[],
  errors: ReadonlyMap<string, VibeError>,
  checks: CheckOutcome[],
): BatchOutcome {
  const bounded = withinDetail();
  return {
    ...standing,
    ok: false,
    status: "failed",
    patches: patches.map((patch) => ({
      ...namesOf(patch),
      status: "failed",
      landed: null,
      moved: 0,
      diff_path: null,
      error: bounded(errors.get(patch.patch_id) ?? ("error" in patch && patch.error ? patch.error : BATCH_REFUSED)),
    })),
    files: [],
    checks,
  };
}

const BATCH_REFUSED = vibeError("BATCH_REFUSED", "Another patch of the batch was refused; nothing was written.");

const namesOf = ({ patch_id, file, op, task_id }: RefusedPatch | PlannedPatch) => ({ patch_id, file, op, task_id });

const fileOutcome = (
  file: Pick<LoggedFile, "path" | "from" | "beforeSha256" | "afterSha256" | "linesAdded" | "linesRemoved" | "diff">,
): FileOutcome => ({
  file: file.path,
  ...(file.from !== null && { from: file.from }),
  beforeSha256: file.beforeSha256,
  afterSha256: file.afterSha256,
  linesAdded: file.linesAdded,
  linesRemoved: file.linesRemoved,
  diff: file.diff,
});
