import {
  type BatchOutcome,
  type CustodyRecord,
  type Json,
  type JsonObject,
  type LogEntry,
  type LoggedPatch,
  type LogReference,
  type PatchEvent,
  type PatchEventType,
  PatchEvents,
  type PatchOutcome,
  type PatchStatus,
  PatchEventTypeSchema,
  type VibeError,
} from "@shared/contracts";
import type { Draft } from "./Chain.ts";

/** Pure: what is written down about batches, log entries and refusals, and the answers made from them. */

/** What a batch says of itself, beside its patches. */
export interface BatchFacts {
  batchId: string;
  actor: string;
  requester: string;
  reason: string;
  orderId: string | null;
  projectId: string | null;
  phase: string | null;
  branch: string | null;
}

/** One patch of a batch before the engine has seen it. */
export interface AskedPatch {
  patchId: string;
  file: string;
  op: string;
  taskId: string | null;
  provider: string | null;
  model: string | null;
}

/** Members that are null or undefined are left out: absent says the same in fewer bytes. */
function metaOf(members: { [key: string]: Json | undefined }): JsonObject {
  const meta: JsonObject = {};
  for (const [key, value] of Object.entries(members)) if (value !== undefined && value !== null) meta[key] = value;
  return meta;
}

const draftOf = (
  facts: BatchFacts,
  patch: { patchId: string; file: string; op: string; taskId: string | null },
  eventType: PatchEventType,
  ts: string,
  rest: { meta: JsonObject; log?: LogReference; tsCheckOk?: boolean | null; diffPath?: string | null },
): Draft => ({
  kind: "patch",
  event_type: eventType,
  ts,
  actor: facts.actor,
  batch_id: facts.batchId,
  order_id: facts.orderId,
  project_id: facts.projectId,
  patch_id: patch.patchId,
  file: patch.file,
  op: patch.op,
  task_id: patch.taskId,
  ts_check_ok: rest.tsCheckOk ?? null,
  diff_path: rest.diffPath ?? null,
  log: rest.log ?? null,
  meta: rest.meta,
});

/** What a caller says of itself stands in every event of its batch, so it has a bound, whichever door it came through. */
const clip = (text: string | null | undefined, max: number): string | undefined =>
  text === null || text === undefined || text === "" ? undefined : text.slice(0, max).toWellFormed();

const wordsOf = (facts: BatchFacts) => ({
  requester: clip(facts.requester, 200),
  reason: clip(facts.reason, 4000),
  phase: clip(facts.phase, 200),
  branch: clip(facts.branch, 300),
});

export const requestedDrafts = (facts: BatchFacts, patches: readonly AskedPatch[], ts: string): Draft[] =>
  patches.map((patch) =>
    draftOf(facts, patch, PatchEvents.PATCH_REQUESTED, ts, {
      meta: metaOf({ ...wordsOf(facts), provider: clip(patch.provider, 200), model: clip(patch.model, 200) }),
    }),
  );

/** Where the engine keeps the diff of a patch, and of its revert. */
const diffPathOf = (patchId: string, kind: LogEntry["kind"] = "batch"): string =>
  `.mission_control/patches/${patchId}${kind === "revert" ? ".revert" : ""}.diff`;

const logReferenceOf = (entry: LogEntry): LogReference => ({
  seq: entry.seq,
  hash: entry.hash,
  treeAfter: entry.treeAfter,
});

/** Who stands for an entry that no caller of ours asked for: the name it carries, else the door it came through. */
const actorOf = (entry: LogEntry): string => entry.actor ?? entry.door;

const factsOfEntry = (entry: LogEntry): BatchFacts => ({
  batchId: entry.batchId,
  actor: actorOf(entry),
  requester: entry.requester,
  reason: entry.reason,
  orderId: entry.orderId,
  projectId: entry.projectId,
  phase: entry.phase,
  branch: null,
});

/** Lines a unified diff adds and removes. */
function diffStat(diff: string): { added: number; removed: number } {
  let added = 0;
  let removed = 0;
  let inHunk = false;
  for (const line of diff.split("\n")) {
    if (line.startsWith("@@")) inHunk = true;
    else if (line.startsWith("diff --git ")) inHunk = false;
    else if (inHunk && line.startsWith("+")) added += 1;
    else if (inHunk && line.startsWith("-")) removed += 1;
  }
  return { added, removed };
}

function appliedDraft(entry: LogEntry, patch: LoggedPatch, eventType: PatchEventType): Draft {
  const facts = factsOfEntry(entry);
  const { added, removed } = diffStat(patch.diff);
  return draftOf(
    facts,
    { patchId: patch.patch_id, file: patch.file, op: patch.op, taskId: patch.task_id },
    eventType,
    entry.ts,
    {
      log: logReferenceOf(entry),
      tsCheckOk: patch.ts_check_ok,
      diffPath: diffPathOf(patch.patch_id),
      meta: metaOf({
        ...wordsOf(facts),
        door: entry.door,
        provider: clip(patch.metadata?.provider, 200),
        model: clip(patch.metadata?.model, 200),
        confidence: patch.metadata?.confidence,
        landed: patch.landed,
        moved: patch.moved === 0 ? undefined : patch.moved,
        lines_added: added,
        lines_removed: removed,
        duration_ms: entry.durationMs,
      }),
    },
  );
}

/**
 * The events of a `batch` entry: each patch applied and, where the batch's type check found no error, validated.
 * Their time is the entry's, so whoever derives them again derives the same.
 */
const appliedDrafts = (entry: LogEntry): Draft[] =>
  entry.patches.flatMap((patch) => [
    appliedDraft(entry, patch, PatchEvents.PATCH_APPLIED),
    ...(patch.ts_check_ok === true ? [appliedDraft(entry, patch, PatchEvents.PATCH_VALIDATED)] : []),
  ]);

/** The events of a `revert` entry: one for each patch undone. `lifeOf` finds what was last said of a patch. */
function revertedDrafts(entry: LogEntry, lifeOf: (patchId: string) => CustodyRecord | null): Draft[] {
  const facts = factsOfEntry(entry);
  return (entry.reverts?.patchIds ?? []).map((patchId) => {
    const life = lifeOf(patchId);
    const own = entry.patches.find((patch) => patch.patch_id === patchId);
    return draftOf(
      // The order stays that of the patch, whoever reverts it.
      {
        ...facts,
        orderId: facts.orderId ?? life?.order_id ?? null,
        projectId: facts.projectId ?? life?.project_id ?? null,
      },
      {
        patchId,
        file: life?.file ?? own?.file ?? entry.files[0]?.path ?? "",
        op: life?.op ?? own?.op ?? "revert",
        taskId: life?.task_id ?? own?.task_id ?? null,
      },
      PatchEvents.PATCH_REVERTED,
      entry.ts,
      {
        log: logReferenceOf(entry),
        diffPath: diffPathOf(patchId, entry.kind),
        meta: metaOf({
          ...wordsOf(facts),
          door: entry.door,
          target: entry.reverts?.target,
          duration_ms: entry.durationMs,
        }),
      },
    );
  });
}

export const draftsOfEntry = (entry: LogEntry, lifeOf: (patchId: string) => CustodyRecord | null): Draft[] =>
  entry.kind === "batch" ? appliedDrafts(entry) : revertedDrafts(entry, lifeOf);

/** A refused batch: each patch failed, with its own error or that of the batch. */
export const failedDrafts = (
  facts: BatchFacts,
  patches: readonly AskedPatch[],
  error: VibeError,
  outcome: BatchOutcome | null,
  ts: string,
): Draft[] => {
  const errors = new Map((outcome?.patches ?? []).map((patch) => [patch.patch_id, patch.error]));
  return patches.map((patch) =>
    draftOf(facts, patch, PatchEvents.PATCH_FAILED, ts, {
      meta: metaOf({
        ...wordsOf(facts),
        provider: clip(patch.provider, 200),
        model: clip(patch.model, 200),
        error: errorJson(errors.get(patch.patchId) ?? error),
      }),
    }),
  );
};

/** UTF-16 units of an error's detail that an event keeps; the answer to the caller has all of it. */
const MAX_DETAIL = 16_384;

/** An error as an event keeps it: the detail goes where it would be large, code and message stay. */
export function errorJson(error: VibeError): JsonObject {
  const { code, message, retryable, nothingWritten, file, patchId, ...detail } = error;
  const head = metaOf({ code, message: message.slice(0, 2000).toWellFormed(), retryable, file, patchId });
  const full: Json = JSON.parse(JSON.stringify(detail));
  const kept = JSON.stringify(full).length <= MAX_DETAIL && typeof full === "object" && full !== null;
  return { ...head, nothingWritten, ...(kept && !Array.isArray(full) ? full : {}) };
}

/** A record in the shape of the documents. */
export function eventOf(record: Draft): PatchEvent {
  return {
    patch_id: record.patch_id ?? "",
    file: record.file ?? "",
    op: record.op ?? "",
    task_id: record.task_id,
    ts_check_ok: record.ts_check_ok,
    ...(record.diff_path === null ? {} : { diff_path: record.diff_path }),
    meta: record.meta,
    ts: record.ts,
    event_type: PatchEventTypeSchema.parse(record.event_type),
    ...(record.log === null ? {} : { log: record.log }),
  };
}

/** The answer to a batch or revert that an entry records: the same whenever it is asked for. */
export function outcomeOfEntry(workspaceId: string, entry: LogEntry): BatchOutcome {
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
      diff_path: diffPathOf(patch.patch_id, entry.kind),
    })),
    files: entry.files.map((file) => ({
      file: file.path,
      ...(file.from === null ? {} : { from: file.from }),
      beforeSha256: file.beforeSha256,
      afterSha256: file.afterSha256,
      linesAdded: file.linesAdded,
      linesRemoved: file.linesRemoved,
      diff: file.diff,
    })),
    checks: entry.checks,
    treeHash: entry.treeAfter,
    durationMs: entry.durationMs,
  };
}

/** The outcome of a batch that wrote nothing, or of which it is not known. */
export function outcomeWithoutEntry(
  workspaceId: string,
  batchId: string,
  head: BatchOutcome["head"],
  patches: readonly AskedPatch[],
  status: Extract<PatchStatus, "failed" | "pending">,
  error: VibeError,
): BatchOutcome {
  const rest = (patch: AskedPatch): PatchOutcome => ({
    patch_id: patch.patchId,
    file: patch.file,
    op: patch.op,
    task_id: patch.taskId,
    status,
    landed: null,
    moved: 0,
    diff_path: null,
    ...(status === "failed" ? { error } : {}),
  });
  return {
    ok: false,
    status,
    batchId,
    workspaceId,
    head,
    patches: patches.map(rest),
    files: [],
    checks: [],
    treeHash: null,
    durationMs: 0,
  };
}
