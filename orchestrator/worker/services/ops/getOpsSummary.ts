import type { OpsIssueStatus, OpsKind, OpsSummary, Result } from "@shared/contracts";
import { sql } from "kysely";
import { requireScope, type ServiceContext } from "../../context.ts";
import { rowsOf } from "../../database/batch.ts";
import { expireClaims } from "./expireClaims.ts";
import { getLastScan } from "./listScans.ts";
import { issueOfRow } from "./opsRows.ts";
import { FILED_UP_TO } from "./severity.ts";

const DAY_MS = 24 * 3_600_000;

/** Of what waits for a person, so many are shown; all are counted. */
const WAITING_SHOWN = 10;

/** Issues counted by status, severity, kind and age, what waits for a person, and the last scan. Needs `ops:read`. */
export async function getOpsSummary(ctx: ServiceContext): Promise<Result<OpsSummary>> {
  const denied = requireScope(ctx, "ops:read");
  if (denied) return denied;
  const now = ctx.now();
  const ago = (days: number): string => new Date(now.getTime() - days * DAY_MS).toISOString();
  const { DB_OPS } = ctx.env;
  // So that a claim that is over counts as none.
  await expireClaims(ctx);
  const waiting = () => waitingQuery(ctx.db);
  const [results, last, shown, waits] = await Promise.all([
    DB_OPS.batch<never>([
      DB_OPS.prepare(BY_STATUS),
      DB_OPS.prepare(BY_SEVERITY),
      DB_OPS.prepare(BY_KIND),
      DB_OPS.prepare(BY_SOURCE),
      DB_OPS.prepare(BY_AGE).bind(ago(1), ago(7), ago(30)),
    ]),
    getLastScan(ctx),
    waiting()
      .selectAll()
      .orderBy("severity")
      .orderBy("last_seen", "desc")
      .orderBy("id", "desc")
      .limit(WAITING_SHOWN)
      .execute(),
    waiting()
      .select((eb) => eb.fn.countAll<number>().as("count"))
      .executeTakeFirstOrThrow(),
  ]);
  if (!last.ok) return last;
  const breakdown = rowsOf<{ status: OpsIssueStatus; count: number; avg_sev: number }>(results[0]);
  const [age] = rowsOf<OpsSummary["by_age"]>(results[4]);
  return {
    ok: true,
    ts: now.toISOString(),
    totals: breakdown.reduce((sum, { count }) => sum + count, 0),
    breakdown,
    by_severity: rowsOf<{ severity: number; count: number }>(results[1]),
    by_kind: rowsOf<{ kind: OpsKind; count: number }>(results[2]),
    by_source: rowsOf<OpsSummary["by_source"][number]>(results[3]),
    by_age: age ?? { day: 0, week: 0, month: 0, older: 0 },
    last_scan: last.scan,
    waiting: { count: waits.count, issues: shown.map((row) => issueOfRow(row, now)) },
  };
}

export const waitingQuery = (db: ServiceContext["db"]) =>
  db.ops
    .selectFrom("ops_issues")
    .where("status", "in", ["open", "triaged"])
    .where("severity", "<=", FILED_UP_TO)
    .where(NO_ORDER);

/** None since it was opened the last time; the id is that of `opsOrderIdOf`. */
const NO_ORDER = sql<boolean>`(order_id IS NULL OR order_id <> 'ORD-OPS-' || id || '.' || (reopened + 1))`;

const OPEN = "status IN ('open', 'triaged', 'in_progress')";
export const BY_STATUS = "SELECT status, count(*) AS count, avg(severity) AS avg_sev FROM ops_issues GROUP BY status";
export const BY_SEVERITY = `SELECT severity, count(*) AS count FROM ops_issues WHERE ${OPEN} GROUP BY severity`;
export const BY_KIND = `SELECT kind, count(*) AS count FROM ops_issues WHERE ${OPEN} GROUP BY kind`;
export const BY_SOURCE = `
  SELECT kind, coalesce(worker, repo) AS source, count(*) AS count FROM ops_issues
  WHERE coalesce(worker, repo) IS NOT NULL GROUP BY kind, coalesce(worker, repo) ORDER BY count DESC, source LIMIT 200`;
export const BY_AGE = `
  SELECT coalesce(sum(seen >= ?1), 0) AS day, coalesce(sum(seen < ?1 AND seen >= ?2), 0) AS week,
    coalesce(sum(seen < ?2 AND seen >= ?3), 0) AS month, coalesce(sum(seen < ?3), 0) AS older
  FROM (SELECT coalesce(first_seen, created_at, '') AS seen FROM ops_issues WHERE ${OPEN})`;
