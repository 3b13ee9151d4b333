import type { OpsKind, Result } from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";

/**
 * How long is kept what was read and what was scanned, in days. Logs for longer than any source is read back, so that
 * none of a deleted line is read and counted again.
 */
export const KEEP_DAYS = { logs: 30, scans: 90, commits: 90 } as const;
/** Of an issue that is not over, so many of the newest lines stay, however old. */
export const KEPT_LINES = 50;
const DAY_MS = 86_400_000;
/** Rows of one statement, and statements of one run; what is left is the next night's. */
const ROWS = 1_000;
const ROUNDS = 100;

const TABLES = { "worker-log": "worker_logs", "build-log": "build_logs" } as const;
const LineSchema = z.object({ id: z.number(), ts: z.string(), fingerprint: z.string().nullable() });

/**
 * Deletes lines of logs and rows of scans that are older than they are kept, and commits of issues that are over. What is
 * not counted yet stays, and so do the newest lines of every issue that is not over, the last scan and the one that runs.
 * Issues themselves stay for good: by them a return is known. Interrupted anywhere, the next run goes on. Needs `admin`.
 * Throws where a database does not answer.
 */
export async function trimOps(ctx: ServiceContext): Promise<Result<{ lines: number; scans: number; commits: number }>> {
  const denied = requireScope(ctx, "admin");
  if (denied) return denied;
  const before = (days: number): string => new Date(ctx.now().getTime() - days * DAY_MS).toISOString();
  let lines = 0;
  for (const kind of ["worker-log", "build-log"] as const) lines += await trimLines(ctx, kind, before(KEEP_DAYS.logs));
  const scans = await trim(ctx.env.DB_OPS.prepare(SCANS).bind(before(KEEP_DAYS.scans), ROWS));
  const commits = await trim(ctx.env.DB_OPS.prepare(COMMITS).bind(before(KEEP_DAYS.commits), ROWS));
  return { ok: true, lines, scans, commits };
}

/** Walks what is old once, from the oldest on: what stays is not looked at again the same night. */
async function trimLines(ctx: ServiceContext, kind: OpsKind, before: string): Promise<number> {
  const { DB_OPS, DB_LOGS } = ctx.env;
  const counted = await DB_OPS.prepare(COUNTED).bind(kind).first<number>("position");
  const table = TABLES[kind];
  let place = { ts: "", id: 0 };
  let deleted = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const { results } = await DB_LOGS.prepare(oldLines(table))
      .bind(place.ts, place.id, before, counted ?? 0, ROWS)
      .all();
    const rows = z.array(LineSchema).parse(results);
    const last = rows.at(-1);
    if (!last) break;
    const fingerprints = [...new Set(rows.map(({ fingerprint }) => fingerprint).filter((one) => one !== null))];
    const open = await DB_OPS.prepare(STILL_OPEN).bind(JSON.stringify(fingerprints)).all<{ fingerprint: string }>();
    const gone = await DB_LOGS.prepare(deletion(table))
      .bind(
        JSON.stringify(rows.map(({ id }) => id)),
        JSON.stringify(open.results.map(({ fingerprint }) => fingerprint)),
        KEPT_LINES - 1,
      )
      .all();
    deleted += gone.results.length;
    if (rows.length < ROWS) break;
    place = { ts: last.ts, id: last.id };
  }
  return deleted;
}

async function trim(statement: D1PreparedStatement): Promise<number> {
  let deleted = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const { results } = await statement.all();
    deleted += results.length;
    if (results.length < ROWS) break;
  }
  return deleted;
}

type Table = (typeof TABLES)[OpsKind];
export const COUNTED = "SELECT position FROM ops_cursors WHERE name = ?1";
/** The oldest lines after a place, of those that are counted. */
export const oldLines = (table: Table): string => `
  SELECT id, ts, fingerprint FROM ${table} WHERE (ts, id) > (?1, ?2) AND ts < ?3 AND id <= ?4 ORDER BY ts, id LIMIT ?5`;
export const STILL_OPEN = `
  SELECT fingerprint FROM ops_issues WHERE fingerprint IN (SELECT value FROM json_each(?1))
    AND +status IN ('open', 'triaged', 'in_progress')`;
export const deletion = (table: Table): string => `
  DELETE FROM ${table} WHERE id IN (SELECT value FROM json_each(?1)) AND (
    fingerprint IS NULL OR fingerprint NOT IN (SELECT value FROM json_each(?2)) OR id < (
      SELECT newer.id FROM ${table} AS newer WHERE newer.fingerprint = ${table}.fingerprint
      ORDER BY newer.id DESC LIMIT 1 OFFSET ?3)) RETURNING id`;
export const SCANS = `
  DELETE FROM ops_scans WHERE id IN (
    SELECT id FROM ops_scans WHERE started_at < ?1 AND finished_at IS NOT NULL
      AND id < (SELECT max(id) FROM ops_scans) ORDER BY started_at LIMIT ?2) RETURNING id`;
export const COMMITS = `
  DELETE FROM ops_issue_commits WHERE (issue_id, commit_sha) IN (
    SELECT seen.issue_id, seen.commit_sha FROM ops_issue_commits AS seen JOIN ops_issues AS issue ON issue.id = seen.issue_id
    WHERE seen.first_seen < ?1 AND +issue.status IN ('resolved', 'closed') LIMIT ?2) RETURNING issue_id`;
