import type { CustodyRecord } from "@shared/contracts";
import { canonicalText } from "patch-engine/core";
import { type RollupDelta, wordsOf } from "./rollups.ts";

/** A run of one workspace's events, in order and without gaps, with what it changes in the rollups. */
export interface Delivery {
  workspaceId: string;
  /** The seq the rows stand at before; the delivery changes nothing where they stand elsewhere. */
  from: number;
  records: readonly CustodyRecord[];
  rollups: readonly RollupDelta[];
}

const GUARD = "(SELECT seq FROM workspace_cursors WHERE workspace_id = ?2) = ?3";

const OPEN_CURSOR = `
  INSERT INTO workspace_cursors (workspace_id, seq, hash, updated_at) VALUES (?1, 0, ?2, ?3)
  ON CONFLICT (workspace_id) DO NOTHING`;

const EVENT_COLUMNS = `patch_id, task_id, file_path, op, ts_check_ok, diff_path, meta, created_at, workspace_id, seq,
  batch_id, event_type, order_id, project_id, actor, requester, reason, phase, provider, model, error_code,
  lines_added, lines_removed, log_seq, log_hash, tree_after, prev_hash, hash`;

const INSERT_EVENTS = `
  INSERT INTO patch_events (${EVENT_COLUMNS})
  SELECT ${EVENT_COLUMNS.split(",")
    .map((column) => `value ->> '$.${column.trim()}'`)
    .join(", ")}
  FROM json_each(?1) WHERE value ->> '$.kind' = 'patch' AND ${GUARD}`;

const CUSTODY_COLUMNS = `patch_id, factory, event_type, message, ts, workspace_id, seq, kind, batch_id, order_id,
  project_id, phase, prev_hash, hash`;

const INSERT_CUSTODY = `
  INSERT INTO patch_custody (${CUSTODY_COLUMNS}, meta)
  SELECT ${CUSTODY_COLUMNS.split(",")
    .map((column) => `value ->> '$.${column.trim()}'`)
    .join(", ")}, CASE value ->> '$.kind' WHEN 'phase' THEN value ->> '$.meta' END
  FROM json_each(?1) WHERE ${GUARD}`;

const COUNTS = [
  "patches",
  "requested",
  "applied",
  "validated",
  "failed",
  "reverted",
  "succeeded",
  "type_checked_ok",
  "type_checked_failed",
  "lines_added",
  "lines_removed",
] as const;

const ADD_ROLLUPS = `
  INSERT INTO patch_rollups (day, dimension, key, ${COUNTS.join(", ")})
  SELECT value ->> '$.day', value ->> '$.dimension', value ->> '$.key',
    ${COUNTS.map((count) => `value ->> '$.${count}'`).join(", ")}
  FROM json_each(?1) WHERE ${GUARD}
  ON CONFLICT (dimension, day, key) DO UPDATE SET
    ${COUNTS.map((count) => `${count} = ${count} + excluded.${count}`).join(", ")}`;

const MOVE_CURSOR = `
  UPDATE workspace_cursors SET seq = ?3, hash = ?4, updated_at = ?5 WHERE workspace_id = ?1 AND seq = ?2`;

const READ_CURSOR = "SELECT seq, hash FROM workspace_cursors WHERE workspace_id = ?1";

/** Every statement of a delivery, for the test that reads their query plans. */
export const DELIVERY_STATEMENTS = [
  OPEN_CURSOR,
  INSERT_EVENTS,
  INSERT_CUSTODY,
  ADD_ROLLUPS,
  MOVE_CURSOR,
  READ_CURSOR,
] as const;

/**
 * Writes a delivery as one D1 batch: events, custody, rollups, and the cursor row that guards them. Of two at once, or
 * of the same one twice, exactly one writes. Answers with where the rows stand afterwards. Throws where D1 does not
 * answer; whether it wrote is then known by asking again.
 */
export async function logPatchEvent(
  database: D1Database,
  delivery: Delivery,
  now: Date,
): Promise<{ seq: number; hash: string }> {
  const { workspaceId, from, records, rollups } = delivery;
  const last = records.at(-1);
  const first = records[0];
  if (!first || !last) throw new RangeError("a delivery has at least one event");
  const rows = JSON.stringify(records.map(rowOf));
  const at = now.toISOString();
  const results = await database.batch<{ seq: number; hash: string }>([
    database.prepare(OPEN_CURSOR).bind(workspaceId, first.prev_hash, at),
    database.prepare(INSERT_EVENTS).bind(rows, workspaceId, from),
    database.prepare(INSERT_CUSTODY).bind(rows, workspaceId, from),
    database.prepare(ADD_ROLLUPS).bind(JSON.stringify(rollups), workspaceId, from),
    database.prepare(MOVE_CURSOR).bind(workspaceId, from, last.seq, last.hash, at),
    database.prepare(READ_CURSOR).bind(workspaceId),
  ]);
  const cursor = results.at(-1)?.results[0];
  if (!cursor) throw new Error("the delivery left no cursor");
  return { seq: cursor.seq, hash: cursor.hash };
}

/** A record as the columns of `patch_events` and `patch_custody`. */
function rowOf(record: CustodyRecord) {
  const { requester, phase, provider, model, error, lines_added, lines_removed } = wordsOf(record);
  const { message, reason } = record.meta;
  return {
    kind: record.kind,
    workspace_id: record.workspace_id,
    seq: record.seq,
    prev_hash: record.prev_hash,
    hash: record.hash,
    event_type: record.event_type,
    created_at: record.ts,
    ts: record.ts,
    actor: record.actor,
    factory: record.actor,
    batch_id: record.batch_id,
    order_id: record.order_id,
    project_id: record.project_id,
    patch_id: record.patch_id,
    file_path: record.file,
    op: record.op,
    task_id: record.task_id,
    ts_check_ok: record.ts_check_ok === null ? null : Number(record.ts_check_ok),
    diff_path: record.diff_path,
    log_seq: record.log?.seq ?? null,
    log_hash: record.log?.hash ?? null,
    tree_after: record.log?.treeAfter ?? null,
    meta: canonicalText(record.meta),
    message: typeof message === "string" ? message : (error?.message ?? null),
    reason: typeof reason === "string" ? reason : null,
    requester: requester ?? null,
    phase: phase ?? null,
    provider: provider ?? null,
    model: model ?? null,
    error_code: error?.code ?? null,
    lines_added: record.kind === "patch" && "lines_added" in record.meta ? lines_added : null,
    lines_removed: record.kind === "patch" && "lines_removed" in record.meta ? lines_removed : null,
  };
}
