import type { CustodyRecord } from "@shared/contracts";
import { EVENT_COLUMNS, CUSTODY_COLUMNS, eventRowOf } from "./eventRow.ts";
import { rollupDeltas, type Step } from "./rollups.ts";
import { addRollup, ROLLUP_TABLES } from "./rollupTables.ts";

/** A run of one workspace's events, in order and without gaps, with each patch event's place in its patch's life. */
export interface Delivery {
  workspaceId: string;
  /** The seq the rows stand at before; the delivery changes nothing where they stand elsewhere. */
  from: number;
  records: readonly CustodyRecord[];
  steps: readonly Step[];
}

const GUARD = "(SELECT seq FROM workspace_cursors WHERE workspace_id = ?2) = ?3";

const OPEN_CURSOR = `
  INSERT INTO workspace_cursors (workspace_id, seq, hash, updated_at) VALUES (?1, 0, ?2, ?3)
  ON CONFLICT (workspace_id) DO NOTHING`;

const INSERT_EVENTS = `
  INSERT INTO patch_events (${EVENT_COLUMNS.join(", ")})
  SELECT ${EVENT_COLUMNS.map((column) => `value ->> '$.${column}'`).join(", ")}
  FROM json_each(?1) WHERE value ->> '$.kind' = 'patch' AND ${GUARD}`;

const INSERT_CUSTODY = `
  INSERT INTO patch_custody (${CUSTODY_COLUMNS.join(", ")}, meta)
  SELECT ${CUSTODY_COLUMNS.map((column) => `value ->> '$.${column}'`).join(", ")}, CASE value ->> '$.kind' WHEN 'phase' THEN value ->> '$.meta' END
  FROM json_each(?1) WHERE ${GUARD}`;

const ADD_ROLLUPS = ROLLUP_TABLES.map((table) => ({ table, sql: addRollup(table, GUARD) }));

const MOVE_CURSOR = `
  UPDATE workspace_cursors SET seq = ?3, hash = ?4, updated_at = ?5 WHERE workspace_id = ?1 AND seq = ?2`;

const READ_CURSOR = "SELECT seq, hash FROM workspace_cursors WHERE workspace_id = ?1";

/** Every statement of a delivery, for the test that reads their query plans. */
export const DELIVERY_STATEMENTS = [
  OPEN_CURSOR,
  INSERT_EVENTS,
  INSERT_CUSTODY,
  ...ADD_ROLLUPS.map(({ sql }) => sql),
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
  const { workspaceId, from, records, steps } = delivery;
  const last = records.at(-1);
  const first = records[0];
  if (!first || !last) throw new RangeError("a delivery has at least one event");
  const bySeq = new Map(steps.map((step) => [step.next.seq, step]));
  const rows = JSON.stringify(records.map((record) => eventRowOf(record, bySeq.get(record.seq) ?? null)));
  const rollups = rollupDeltas(steps);
  const at = now.toISOString();
  const results = await database.batch<{ seq: number; hash: string }>([
    database.prepare(OPEN_CURSOR).bind(workspaceId, first.prev_hash, at),
    database.prepare(INSERT_EVENTS).bind(rows, workspaceId, from),
    database.prepare(INSERT_CUSTODY).bind(rows, workspaceId, from),
    ...ADD_ROLLUPS.filter(({ table }) => rollups[table].length > 0).map(({ table, sql }) =>
      database.prepare(sql).bind(JSON.stringify(rollups[table]), workspaceId, from),
    ),
    database.prepare(MOVE_CURSOR).bind(workspaceId, from, last.seq, last.hash, at),
    database.prepare(READ_CURSOR).bind(workspaceId),
  ]);
  const cursor = results.at(-1)?.results[0];
  if (!cursor) throw new Error("the delivery left no cursor");
  return { seq: cursor.seq, hash: cursor.hash };
}
