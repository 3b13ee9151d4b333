import { type OpsKind, type OpsSummary, type OpsIssueStatus, type Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { rowsOf } from "../../database/batch.ts";
import { getLastScan } from "./listScans.ts";

const DAY_MS = 24 * 3_600_000;

/** Issues counted by status, severity, kind and age, and the last scan. Needs `ops:read`. */
export async function getOpsSummary(ctx: ServiceContext): Promise<Result<OpsSummary>> {
  const denied = requireScope(ctx, "ops:read");
  if (denied) return denied;
  const now = ctx.now();
  const ago = (days: number): string => new Date(now.getTime() - days * DAY_MS).toISOString();
  const { DB_OPS } = ctx.env;
  const [results, last] = await Promise.all([
    DB_OPS.batch<never>([
      DB_OPS.prepare(BY_STATUS),
      DB_OPS.prepare(BY_SEVERITY),
      DB_OPS.prepare(BY_KIND),
      DB_OPS.prepare(BY_AGE).bind(ago(1), ago(7), ago(30)),
    ]),
    getLastScan(ctx),
  ]);
  if (!last.ok) return last;
  const breakdown = rowsOf<{ status: OpsIssueStatus; count: number; avg_sev: number }>(results[0]);
  const [age] = rowsOf<OpsSummary["by_age"]>(results[3]);
  return {
    ok: true,
    ts: now.toISOString(),
    totals: breakdown.reduce((sum, { count }) => sum + count, 0),
    breakdown,
    by_severity: rowsOf<{ severity: number; count: number }>(results[1]),
    by_kind: rowsOf<{ kind: OpsKind; count: number }>(results[2]),
    by_age: age ?? { day: 0, week: 0, month: 0, older: 0 },
    last_scan: last.scan,
  };
}

const OPEN = "status IN ('open', 'triaged', 'in_progress')";
export const BY_STATUS = "SELECT status, count(*) AS count, avg(severity) AS avg_sev FROM ops_issues GROUP BY status";
export const BY_SEVERITY = `SELECT severity, count(*) AS count FROM ops_issues WHERE ${OPEN} GROUP BY severity`;
export const BY_KIND = `SELECT kind, count(*) AS count FROM ops_issues WHERE ${OPEN} GROUP BY kind`;
export const BY_AGE = `
  SELECT coalesce(sum(seen >= ?1), 0) AS day, coalesce(sum(seen < ?1 AND seen >= ?2), 0) AS week,
    coalesce(sum(seen < ?2 AND seen >= ?3), 0) AS month, coalesce(sum(seen < ?3), 0) AS older
  FROM (SELECT coalesce(first_seen, created_at, '') AS seen FROM ops_issues WHERE ${OPEN})`;
