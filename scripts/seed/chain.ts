import { type CustodyRecord, GENESIS_HASH } from "@shared/contracts";
import { canonicalText, sha256 } from "patch-engine/core";
import type { Step } from "../../orchestrator/worker/services/patch/rollups.ts";
import type { Batch, Order, SeedPatch } from "./world.ts";

type Draft = Omit<CustodyRecord, "v" | "workspace_id" | "seq" | "prev_hash" | "hash">;

/** A link of a chain with the text it was hashed from, and its place in its patch's life. */
export interface Link {
  record: CustodyRecord;
  body: string;
  step: Step | null;
}

/** What is said of a batch, and when. Kept small: there are as many as events, and they are sorted. */
interface Word {
  at: number;
  event: "patch_requested" | "settled" | "patch_reverted";
  batch: Batch;
}

/** The chain of a workspace, link by link, as the orchestrator would have written it. */
export function* chainOf(workspaceId: string, batches: readonly Batch[]): Generator<Link> {
  const words = batches
    .flatMap((batch): Word[] => [
      { at: batch.requestedAt, event: "patch_requested", batch },
      { at: batch.settledAt, event: "settled", batch },
      ...(batch.revertedAt === null ? [] : [{ at: batch.revertedAt, event: "patch_reverted" as const, batch }]),
    ])
    .toSorted((a, b) => a.at - b.at);
  const lives = new Map<string, { first: CustodyRecord; last: CustodyRecord }>();
  let seq = 0;
  let prev_hash: string = GENESIS_HASH;
  for (const word of words) {
    for (const draft of draftsOf(word)) {
      const unhashed = { v: 1 as const, workspace_id: workspaceId, seq: (seq += 1), prev_hash, ...draft };
      const body = canonicalText(unhashed);
      prev_hash = sha256(body);
      const record: CustodyRecord = { ...unhashed, hash: prev_hash };
      yield { record, body, step: stepOf(lives, record) };
    }
  }
}

function stepOf(lives: Map<string, { first: CustodyRecord; last: CustodyRecord }>, next: CustodyRecord): Step | null {
  if (next.patch_id === null) return null;
  const life = lives.get(next.patch_id);
  lives.set(next.patch_id, { first: life?.first ?? next, last: next });
  return { first: life?.first ?? next, previous: life?.last ?? null, next };
}

function draftsOf({ at, event, batch }: Word): Draft[] {
  const ts = new Date(at).toISOString();
  switch (event) {
    case "patch_requested":
      return [
        ...(batch.patches[0]?.id.endsWith("-0") === true && batch.order.createdAt > at - 3_600_000
          ? [phaseDraft(batch.order, batch.phase, ts)]
          : []),
        ...batch.patches.map((patch) => draftOf(batch, patch, "patch_requested", ts, {})),
      ];
    case "settled":
      return batch.patches.flatMap((patch) => {
        if (patch.error !== null) {
          const error = { ...patch.error, retryable: false, nothingWritten: true };
          return [draftOf(batch, patch, "patch_failed", ts, { error })];
        }
        const written = {
          door: "host",
          lines_added: patch.added,
          lines_removed: patch.removed,
          duration_ms: Math.round((batch.settledAt - batch.requestedAt) * 0.7),
        };
        return [
          draftOf(batch, patch, "patch_applied", ts, written, batch.checked),
          ...(batch.checked === true ? [draftOf(batch, patch, "patch_validated", ts, written, true)] : []),
        ];
      });
    case "patch_reverted":
      return batch.patches.map((patch) => draftOf(batch, patch, "patch_reverted", ts, { door: "host" }));
  }
}

function draftOf(
  batch: Batch,
  patch: SeedPatch,
  event_type: Draft["event_type"],
  ts: string,
  meta: CustodyRecord["meta"],
  ts_check_ok: boolean | null = null,
): Draft {
  const { order, phase } = batch;
  return {
    kind: "patch",
    event_type,
    ts,
    actor: `factory:${order.factory}`,
    batch_id: batch.id,
    order_id: order.id,
    project_id: order.project.id,
    patch_id: patch.id,
    file: patch.file,
    op: patch.op,
    task_id: patch.task.id,
    ts_check_ok,
    diff_path: event_type === "patch_requested" ? null : `.mission_control/patches/${patch.id}.diff`,
    log: null,
    meta: {
      requester: order.factory,
      reason: order.title,
      phase,
      ...(order.provider === null ? {} : { provider: order.provider.name, model: order.provider.model }),
      ...meta,
    },
  };
}

const phaseDraft = (order: Order, phase: string, ts: string): Draft => ({
  kind: "phase",
  event_type: "phase_implementing",
  ts,
  actor: `factory:${order.factory}`,
  batch_id: null,
  order_id: order.id,
  project_id: order.project.id,
  patch_id: null,
  file: null,
  op: null,
  task_id: null,
  ts_check_ok: null,
  diff_path: null,
  log: null,
  meta: { phase, message: order.title },
});
