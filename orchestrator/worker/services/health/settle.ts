import type { HealthAttempt, HealthFault, ProfileResult, WorkerVersion } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { refreshStanding } from "./refreshStanding.ts";

/** How one Worker's check ended. */
export interface Ending {
  uuid: string;
  checkUuid: string;
  worker: string;
  status: "passed" | "failed" | "timed_out";
  code: HealthFault | null;
  message: string | null;
  workerType?: string | null;
  version?: WorkerVersion | null;
  attempts?: readonly HealthAttempt[];
  dispatches?: readonly HealthAttempt[];
  results?: readonly ProfileResult[];
  startedAt?: string | null;
  durationMs: number | null;
  /** Who ended it: its own result, or the orchestrator. */
  by: "result" | "dispatch" | "deadline" | "heartbeat";
}

/**
 * Ends one Worker's check, once: false where it had ended. Its results, its day and its run's counts are written with it
 * or not at all; then it is folded into how the Worker stands.
 */
export async function settle(ctx: ServiceContext, ending: Ending): Promise<boolean> {
  const { DB_HEALTH } = ctx.env;
  const now = ctx.now().toISOString();
  const settlement = `${ending.by}:${ctx.mintId()}`;
  const results = (ending.results ?? []).map(({ details, ...result }) => ({
    ...result,
    details: JSON.stringify(details),
  }));
  const [ended] = await DB_HEALTH.batch([
    DB_HEALTH.prepare(END).bind(
      ending.uuid,
      ending.status,
      ending.code,
      ending.message,
      ending.workerType ?? null,
      ending.version ? JSON.stringify(ending.version) : null,
      JSON.stringify(ending.attempts ?? []),
      ending.dispatches ? JSON.stringify(ending.dispatches) : null,
      ending.startedAt ?? null,
      now,
      ending.durationMs,
      settlement,
    ),
    DB_HEALTH.prepare(RESULTS).bind(ending.uuid, settlement, JSON.stringify(results), now),
    DB_HEALTH.prepare(DAY).bind(ending.uuid, settlement),
    DB_HEALTH.prepare(RUN).bind(ending.uuid, settlement, ending.checkUuid, now),
  ]);
  if (ended?.meta.changes === 0) return false;
  await refreshStanding(ctx, ending.worker, ending.by === "heartbeat" ? "container" : "worker");
  return true;
}

// Numbered behind what is folded, too: rows that retention took leave no number to be given again.
const END = `
  UPDATE worker_health_checks SET
    status = ?2, code = ?3, message = ?4, worker_type = coalesce(?5, worker_type), version = ?6, attempts = ?7,
    dispatches = coalesce(?8, dispatches), started_at = coalesce(?9, started_at), finished_at = ?10, duration_ms = ?11,
    settled_by = ?12,
    settled_seq = 1 + max(
      coalesce((SELECT max(w.settled_seq) FROM worker_health_checks w
                WHERE w.worker_name = worker_health_checks.worker_name AND w.settled_seq IS NOT NULL), 0),
      coalesce((SELECT s.cursor FROM worker_states s WHERE s.worker_name = worker_health_checks.worker_name), 0))
  WHERE uuid = ?1 AND status = 'pending'`;
const RESULTS = `
  INSERT OR IGNORE INTO test_results
    (worker_check_uuid, worker_name, profile, status, code, message, details, attempt, duration_ms, created_at)
  SELECT w.uuid, w.worker_name, r.value ->> 'profile', r.value ->> 'status', r.value ->> 'code', r.value ->> 'message',
    r.value ->> 'details', r.value ->> 'attempt', r.value ->> 'duration_ms', ?4
  FROM worker_health_checks w, json_each(?3) r WHERE w.uuid = ?1 AND w.settled_by = ?2`;
const DAY = `
  INSERT INTO health_summaries (worker_name, day, checks, passed, failed, timed_out, duration_ms, max_duration_ms, last_at)
  SELECT worker_name, substr(finished_at, 1, 10), 1, status = 'passed', status = 'failed', status = 'timed_out',
    coalesce(duration_ms, 0), coalesce(duration_ms, 0), finished_at
  FROM worker_health_checks WHERE uuid = ?1 AND settled_by = ?2
  ON CONFLICT (worker_name, day) DO UPDATE SET
    checks = checks + 1, passed = passed + excluded.passed, failed = failed + excluded.failed,
    timed_out = timed_out + excluded.timed_out, duration_ms = duration_ms + excluded.duration_ms,
    max_duration_ms = max(max_duration_ms, excluded.max_duration_ms), last_at = max(last_at, excluded.last_at)`;
const RUN = `
  UPDATE health_checks SET
    passed_workers = c.passed, failed_workers = c.failed + c.late,
    status = CASE WHEN c.open > 0 THEN status WHEN c.late > 0 THEN 'timed_out' WHEN c.failed > 0 THEN 'failed' ELSE 'passed' END,
    finished_at = CASE WHEN c.open > 0 THEN finished_at ELSE ?4 END
  FROM (
    SELECT sum(status = 'passed') AS passed, sum(status = 'failed') AS failed, sum(status = 'timed_out') AS late,
      sum(status = 'pending') AS open
    FROM worker_health_checks WHERE check_uuid = ?3
  ) c
  WHERE uuid = ?3 AND EXISTS (SELECT 1 FROM worker_health_checks WHERE uuid = ?1 AND settled_by = ?2)`;
