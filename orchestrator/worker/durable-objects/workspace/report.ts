import {
  eventTypeOf,
  fail,
  type Json,
  type JsonObject,
  type LogEntry,
  type PatchEvent,
  PatchEvents,
  type Result,
} from "@shared/contracts";
import { hashOf } from "patch-engine/core";
import type { Chain, Draft } from "./Chain.ts";
import type { EngineLog } from "./EngineLog.ts";
import type { Meta } from "./Meta.ts";

/** What an engine that stood alone sends: its events, and the log entries that applied and reverted ones stand on. */
export interface Reported {
  actor: string;
  orderId: string | null;
  projectId: string | null;
  events: PatchEvent[];
  entries: LogEntry[];
}

/**
 * Takes entries into the log, which makes their events; an event without an entry becomes a link of its own, once.
 * Such an event is marked as external, moves no task, and says nothing of a patch that an engine knows (CONFLICT).
 * HEAD_MISMATCH where the entries do not go on from the head, or an event stands on an entry that nobody has: the
 * message says from which seq to send. The caller holds the transaction.
 */
export function recordReported(
  parts: { sql: SqlStorage; log: EngineLog; chain: Chain; meta: Meta; now: () => Date },
  reported: Reported,
): Result<{ recorded: number; known: number }> {
  const { log, chain, meta } = parts;
  const contradicts = reported.events.find(
    (event) => !event.log && eventTypeOf(event) !== PatchEvents.PATCH_APPLIED && isOurs(chain, event),
  );
  if (contradicts) {
    return fail("CONFLICT", `what became of patch ${contradicts.patch_id} stands in the engine's log, not in a report`);
  }
  const [first] = reported.entries;
  if (first && first.seq > meta.head.seq + 1) return sendFrom(meta.head.seq);
  const ingested = log.ingest(reported.entries, reported.actor);
  if (!ingested.ok) return ingested;

  let { events: recorded, known } = ingested;
  for (const event of reported.events) {
    // Its entry makes the event, here or whenever the entry came in: the report of it says nothing new.
    if (event.log && log.hashAt(event.log.seq) === event.log.hash) {
      if (!reported.entries.some((entry) => entry.seq === event.log?.seq)) known += 1;
      continue;
    }
    if (event.log) return sendFrom(meta.head.seq);
    if (isOurs(chain, event) || isKnown(parts.sql, event)) {
      known += 1;
      continue;
    }
    chain.append([draftOf(event, reported, parts.now().toISOString())]);
    recorded += 1;
  }
  return { ok: true, recorded, known };
}

const sendFrom = (seq: number) =>
  fail("HEAD_MISMATCH", `the log on record ends at seq ${seq}: send the entries after it, in order`);

/** Whether this side asked an engine for the patch, or an engine's log holds it: its life is not for others to tell. */
const isOurs = (chain: Chain, event: PatchEvent): boolean =>
  chain.ofPatch(event.patch_id).some((record) => record.batch_id !== null);

/** Remembers an event by its content. */
function isKnown(sql: SqlStorage, event: PatchEvent): boolean {
  return sql.exec("INSERT OR IGNORE INTO reported (key) VALUES (?)", hashOf(event)).rowsWritten === 0;
}

function draftOf(event: PatchEvent, reported: Reported, now: string): Draft {
  return {
    kind: "patch",
    event_type: eventTypeOf(event),
    ts: event.ts === undefined ? now : new Date(event.ts).toISOString(),
    actor: reported.actor,
    batch_id: null,
    order_id: reported.orderId,
    project_id: reported.projectId,
    patch_id: event.patch_id,
    file: event.file,
    op: event.op,
    task_id: event.task_id ?? null,
    ts_check_ok: event.ts_check_ok ?? null,
    diff_path: event.diff_path ?? null,
    log: null,
    // No log entry stands behind it: it is what its reporter says.
    meta: { ...metaOf(event.meta), external: true },
  };
}

const metaOf = (meta: Json | undefined): JsonObject => {
  if (meta === undefined || meta === null) return {};
  return typeof meta === "object" && !Array.isArray(meta) ? meta : { value: meta };
};
