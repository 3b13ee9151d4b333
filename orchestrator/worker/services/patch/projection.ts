import {
  type CustodyRecord,
  CustodyRecordSchema,
  type LogReference,
  PatchEventTypeSchema,
  PhaseMessageTypeSchema,
} from "@shared/contracts";
import { hashOf } from "patch-engine/core";
import { z } from "zod";
import { AFTER_ALL_DAYS, ROLLUP_TABLES, subtractRollup } from "./rollupTables.ts";

/** The rows that D1 holds of a workspace's chain, and whether they are what the chain delivered. */

const RowSchema = z.object({
  workspace_id: z.string(),
  seq: z.number().int(),
  kind: z.enum(["patch", "phase"]),
  custody_hash: z.string(),
  prev_hash: z.string(),
  event_type: z.union([PatchEventTypeSchema, PhaseMessageTypeSchema]),
  ts: z.string(),
  actor: z.string(),
  batch_id: z.string().nullable(),
  order_id: z.string().nullable(),
  project_id: z.string().nullable(),
  patch_id: z.string().nullable(),
  file_path: z.string().nullable(),
  op: z.string().nullable(),
  task_id: z.string().nullable(),
  ts_check_ok: z.number().nullable(),
  diff_path: z.string().nullable(),
  log_seq: z.number().nullable(),
  log_hash: z.string().nullable(),
  tree_after: z.string().nullable(),
  meta: z.string(),
});
type ProjectedRow = z.infer<typeof RowSchema>;

export const READ_PROJECTION = `
  SELECT c.workspace_id, c.seq, c.kind, c.hash AS custody_hash, c.prev_hash, c.event_type, c.ts, c.factory AS actor,
    c.batch_id, c.order_id, c.project_id, c.patch_id, e.file_path, e.op, e.task_id, e.ts_check_ok, e.diff_path,
    e.log_seq, e.log_hash, e.tree_after, coalesce(e.meta, c.meta) AS meta
  FROM patch_custody AS c LEFT JOIN patch_events AS e ON e.workspace_id = c.workspace_id AND e.seq = c.seq
  WHERE c.workspace_id = ?1 AND c.seq > ?2 ORDER BY c.seq LIMIT ?3`;

export async function readProjection(
  database: D1Database,
  workspaceId: string,
  after: number,
  limit: number,
): Promise<ProjectedRow[]> {
  const { results } = await database.prepare(READ_PROJECTION).bind(workspaceId, after, limit).all();
  return z.array(RowSchema).parse(results);
}

/** The record a row was made from, its hash computed anew from the row's columns. */
export function recordOfRow(row: ProjectedRow): CustodyRecord {
  const meta: unknown = JSON.parse(row.meta);
  const unhashed = {
    v: 1,
    workspace_id: row.workspace_id,
    seq: row.seq,
    prev_hash: row.prev_hash,
    kind: row.kind,
    event_type: row.event_type,
    ts: row.ts,
    actor: row.actor,
    batch_id: row.batch_id,
    order_id: row.order_id,
    project_id: row.project_id,
    patch_id: row.patch_id,
    file: row.file_path,
    op: row.op,
    task_id: row.task_id,
    ts_check_ok: row.ts_check_ok === null ? null : row.ts_check_ok === 1,
    diff_path: row.diff_path,
    log: logOf(row),
    meta,
  };
  return CustodyRecordSchema.parse({ ...unhashed, hash: hashOf(unhashed) });
}

const logOf = ({ log_seq, log_hash, tree_after }: ProjectedRow): LogReference | null =>
  log_seq === null || log_hash === null || tree_after === null
    ? null
    : { seq: log_seq, hash: log_hash, treeAfter: tree_after };

/**
 * Takes a workspace out of D1, with what it counts in the rollups: rows and rollups agree before and after, whatever
 * is delivered meanwhile.
 */
export async function removeProjection(database: D1Database, workspaceId: string): Promise<void> {
  await database.batch([
    ...ROLLUP_TABLES.map((table) => database.prepare(subtractRollup(table)).bind("", AFTER_ALL_DAYS, workspaceId)),
    database.prepare("DELETE FROM patch_events WHERE workspace_id = ?1").bind(workspaceId),
    database.prepare("DELETE FROM patch_custody WHERE workspace_id = ?1").bind(workspaceId),
    database.prepare("DELETE FROM workspace_cursors WHERE workspace_id = ?1").bind(workspaceId),
  ]);
}
