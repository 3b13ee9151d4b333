import {
  type CheckOutcome,
  type CustodyRecord,
  fail,
  type JsonObject,
  type PatchEvent,
  PatchEvents,
  type Result,
} from "@shared/contracts";
import type { Chain, Draft } from "./Chain.ts";
import type { Intents } from "./Intents.ts";
import type { Meta } from "./Meta.ts";
import { eventOf } from "./records.ts";

export interface Verdict {
  batchId: string;
  actor: string;
  /** Where the log stood when the check began. */
  headSeq: number;
  checks: CheckOutcome[];
}

/**
 * Writes down what the workspace's own check found on what a batch left. Passed: `patch_validated` with `ts_check_ok`
 * true. Not passed: the edit still stands, so the patch stays applied, said again with `ts_check_ok` false and the
 * failed checks; `patch_failed` would say that nothing was written. Where no check ran, nothing is written down.
 * HEAD_MISMATCH where the workspace moved during the check: its verdict would be about another state.
 */
export function recordVerdict(
  { chain, meta, intents, now }: { chain: Chain; meta: Meta; intents: Intents; now: () => Date },
  verdict: Verdict,
): Result<{ results: PatchEvent[] }> {
  const found = intents.find(verdict.batchId);
  if (!found || !("settled" in found) || found.settled.entrySeq === null) {
    return fail("BATCH_NOT_FOUND", `no applied batch ${verdict.batchId} is on record`);
  }
  if (meta.head.seq !== verdict.headSeq) return fail("HEAD_MISMATCH", "the workspace changed while it was checked");

  const ran = verdict.checks.filter((check) => check.ok !== null);
  if (ran.length === 0) return { ok: true, results: [] };
  const failed = ran.filter((check) => check.ok === false).map((check) => check.name);
  const standing = lastWords(chain, verdict.batchId).filter((last) => last.event_type !== PatchEvents.PATCH_REVERTED);
  const records = chain.append(standing.map((last) => verdictDraft(last, verdict, failed, now().toISOString())));
  return { ok: true, results: records.map(eventOf) };
}

/** The last event of each of a batch's patches, in the batch's order. */
function lastWords(chain: Chain, batchId: string): CustodyRecord[] {
  const patchIds = new Set(chain.ofBatch(batchId).flatMap((record) => record.patch_id ?? []));
  return [...patchIds].flatMap((patchId) => chain.lastOfPatchBefore(patchId, Number.MAX_SAFE_INTEGER) ?? []);
}

function verdictDraft(last: CustodyRecord, verdict: Verdict, failed: string[], ts: string): Draft {
  const { v: _v, workspace_id: _workspace, seq: _seq, prev_hash: _previous, hash: _hash, ...draft } = last;
  const { error: _error, failed_checks: _failedChecks, ...meta } = draft.meta;
  const said: JsonObject = failed.length === 0 ? {} : { failed_checks: failed };
  return {
    ...draft,
    event_type: failed.length === 0 ? PatchEvents.PATCH_VALIDATED : PatchEvents.PATCH_APPLIED,
    ts,
    actor: verdict.actor,
    ts_check_ok: failed.length === 0,
    meta: { ...meta, checks: verdict.checks.map((check) => check.name), ...said },
  };
}
