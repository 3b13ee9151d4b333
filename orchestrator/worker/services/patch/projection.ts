import {
  type CustodyRecord,
  CustodyRecordSchema,
  type LogReference,
  PatchEventTypeSchema,
  PhaseMessageTypeSchema,
} from "@shared/contracts";
import { hashOf } from "patch-engine/core";
import { z } from "zod";

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

const WORD_COUNTS = ["requested", "applied", "validated", "failed", "reverted"] as const;

/**
 * The rollups from the rows of `patch_events` alone: what keeping them event by event must come to. One pass over the
 * table: for repair, never for reading.
 */
export const COMPUTE_ROLLUPS = `
  WITH lives AS (
    SELECT workspace_id, patch_id, min(seq) AS first_seq, max(seq) AS last_seq
    FROM patch_events GROUP BY patch_id, workspace_id
  ), patches AS (
    SELECT substr(f.created_at, 1, 10) AS day, f.op, f.requester, f.actor, f.order_id, f.project_id, f.phase, f.provider,
      f.model, l.error_code, l.event_type, l.ts_check_ok,
      l.event_type IN ('patch_applied', 'patch_validated') AS done,
      coalesce(l.lines_added, 0) AS added, coalesce(l.lines_removed, 0) AS removed
    FROM lives
    JOIN patch_events AS f ON f.workspace_id = lives.workspace_id AND f.seq = first_seq
    JOIN patch_events AS l ON l.workspace_id = lives.workspace_id AND l.seq = last_seq
  )
  SELECT day, cell.key AS dimension, cell.value AS key, count(*) AS patches,
    ${WORD_COUNTS.map((word) => `sum(event_type = 'patch_${word}') AS ${word}`).join(", ")},
    sum(done AND ts_check_ok IS NOT 0) AS succeeded,
    sum(ts_check_ok IS 1) AS type_checked_ok, sum(ts_check_ok IS 0) AS type_checked_failed,
    sum(iif(done, added, 0)) AS lines_added, sum(iif(done, removed, 0)) AS lines_removed
  FROM patches, json_each(json_object(
    'all', '', 'op', op, 'requester', requester, 'actor', actor, 'order', order_id, 'project', project_id,
    'phase', phase, 'provider', provider, 'model', model, 'error', error_code
  )) AS cell WHERE cell.value IS NOT NULL GROUP BY cell.key, day, cell.value`;

/** Takes a workspace out of D1, rollups included: every step leaves rows and rollups that agree. */
export async function removeProjection(database: D1Database, workspaceId: string): Promise<void> {
  await database.batch([
    database.prepare("DELETE FROM patch_events WHERE workspace_id = ?1").bind(workspaceId),
    database.prepare("DELETE FROM patch_custody WHERE workspace_id = ?1").bind(workspaceId),
    database.prepare("DELETE FROM workspace_cursors WHERE workspace_id = ?1").bind(workspaceId),
    database.prepare("DELETE FROM patch_rollups"),
    database.prepare(
      `INSERT INTO patch_rollups (day, dimension, key, patches, ${WORD_COUNTS.join(", ")}, succeeded, type_checked_ok,
         type_checked_failed, lines_added, lines_removed) ${COMPUTE_ROLLUPS}`,
    ),
  ]);
}
