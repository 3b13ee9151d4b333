import type { OpsTelemetry, Result } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { rowsOf } from "../../database/batch.ts";
import { requireAllPatches } from "../analytics/access.ts";

const HUB_TIMEOUT_MS = 2_000;
const DAY_MS = 86_400_000;

/**
 * Whether what watches over the system works: scans, what they found, the hub, and delivery to the database. Needs
 * `patches:read`. Throws where a database does not answer; the door answers that with DATABASE_UNAVAILABLE.
 */
export async function getOpsTelemetry(ctx: ServiceContext): Promise<Result<OpsTelemetry>> {
  const denied = requireAllPatches(ctx);
  if (denied) return denied;
  const now = ctx.now();
  const dayAgo = new Date(now.getTime() - DAY_MS).toISOString();
  const { DB_OPS } = ctx.env;
  const [results, broadcast] = await Promise.all([
    DB_OPS.batch<never>([
      DB_OPS.prepare(LAST_SCAN),
      DB_OPS.prepare(SCANS_SINCE).bind(dayAgo),
      DB_OPS.prepare(ISSUES),
      DB_OPS.prepare(DELIVERY),
    ]),
    probeHub(ctx),
  ]);
  const [scan] = rowsOf<Scan>(results[0]);
  const [scans] = rowsOf<{ scans: number }>(results[1]);
  const issues = rowsOf<{ status: string; issues: number; gravest: number }>(results[2]);
  const [delivery] = rowsOf<OpsTelemetry["delivery"]>(results[3]);
  const issuesOf = (...statuses: string[]) =>
    issues.filter(({ status }) => statuses.includes(status)).reduce((sum, row) => sum + row.issues, 0);
  const gravest = issues.map((row) => row.gravest).toSorted((a, b) => a - b)[0];
  return {
    ok: true,
    ts: now.toISOString(),
    scans: scan
      ? { available: true, last: scan, last_day: scans?.scans ?? 0 }
      : { available: false, reason: "no scan of logs has run yet" },
    issues: { open: issuesOf("open", "triaged"), in_progress: issuesOf("in_progress"), gravest: gravest ?? null },
    broadcast,
    delivery: delivery ?? { workspaces: 0, events: 0, last_at: null },
  };
}

/** Any answer will do: it says that the room for everything is up. */
async function probeHub(ctx: ServiceContext): Promise<OpsTelemetry["broadcast"]> {
  const started = ctx.now().getTime();
  const signal = AbortSignal.timeout(HUB_TIMEOUT_MS);
  let ok = false;
  try {
    ok = (await ctx.env.EVENT_HUB.getByName("all").fetch("https://hub/", { signal })).status < 500;
  } catch (error) {
    ctx.log.warn("the hub does not answer", { error });
  }
  return { ok, latency_ms: ctx.now().getTime() - started };
}

interface Scan {
  scope: string;
  started_at: string;
  finished_at: string | null;
}

const LAST_SCAN = "SELECT scope, started_at, finished_at FROM ops_scans ORDER BY started_at DESC LIMIT 1";
const SCANS_SINCE = "SELECT count(*) AS scans FROM ops_scans WHERE started_at >= ?1";
const ISSUES = `
  SELECT status, count(*) AS issues, min(severity) AS gravest FROM ops_issues
  WHERE status IN ('open', 'triaged', 'in_progress') GROUP BY status`;
const DELIVERY = `
  SELECT count(*) AS workspaces, coalesce(sum(seq), 0) AS events, max(updated_at) AS last_at FROM workspace_cursors`;
