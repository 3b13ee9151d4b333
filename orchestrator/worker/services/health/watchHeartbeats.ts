import type { ServiceContext } from "../../context.ts";
import { nonceHashOf } from "./nonce.ts";
import { settle } from "./settle.ts";
import { endAlert, workerCause } from "./tellAlert.ts";

/** So many beats may be missed before it counts. */
const MISSED = 3;
/** A container that is well is noted so often; one that is not, each time. */
const NOTED_EVERY_MS = 5 * 60_000;
/** One that is silent for so long is given up: it ended without a word, and its disk with it. */
const GIVEN_UP_MS = 24 * 3_600_000;
const MAX_CONTAINERS = 500;
/** Of one that has been silent, two beats in a row are to be noted. */
const STEADY = /PP$|^P$/;

interface ContainerRow {
  worker_name: string;
  heartbeat_at: string;
  heartbeat_every_s: number;
  recent: string;
  noted_at: string | null;
}

/** Notes for each container that is expected to beat whether it did: an ended check each, under one run. */
export async function watchHeartbeats(ctx: ServiceContext): Promise<{ passed: number; missed: number }> {
  const { DB_HEALTH } = ctx.env;
  const now = ctx.now();
  await DB_HEALTH.prepare(GIVE_UP)
    .bind(new Date(now.getTime() - GIVEN_UP_MS).toISOString())
    .run();
  await forgetUnexpected(ctx);
  const { results } = await DB_HEALTH.prepare(EXPECTED).bind(MAX_CONTAINERS).all<ContainerRow>();
  const noted = results.flatMap((row) => {
    const silentMs = now.getTime() - Date.parse(row.heartbeat_at);
    const passed = silentMs <= MISSED * row.heartbeat_every_s * 1000;
    const isDue =
      !passed ||
      !STEADY.test(row.recent) ||
      row.noted_at === null ||
      now.getTime() - Date.parse(row.noted_at) >= NOTED_EVERY_MS;
    return isDue ? [{ row, passed, silentMs, uuid: ctx.mintId() }] : [];
  });
  if (noted.length === 0) return { passed: 0, missed: 0 };

  const run = ctx.mintId();
  const at = now.toISOString();
  await DB_HEALTH.batch([
    DB_HEALTH.prepare(RUN).bind(run, JSON.stringify(noted.map(({ row }) => row.worker_name)), noted.length, at),
    DB_HEALTH.prepare(NOTE).bind(
      run,
      JSON.stringify(noted.map(({ row, uuid }) => ({ uuid, worker: row.worker_name, nonce: nonceHashOf(uuid) }))),
      at,
    ),
  ]);
  for (const { row, passed, silentMs, uuid } of noted) {
    await settle(ctx, {
      uuid,
      checkUuid: run,
      worker: row.worker_name,
      status: passed ? "passed" : "failed",
      code: passed ? null : "HEARTBEAT_MISSED",
      message: passed ? null : `its last heartbeat was ${Math.round(silentMs / 1000)} s ago`,
      workerType: "container",
      durationMs: null,
      by: "heartbeat",
    });
  }
  const passed = noted.filter((one) => one.passed).length;
  return { passed, missed: noted.length - passed };
}

/** One that was missed and is not expected any more is no outage: its alert is over, and it begins anew should it return. */
async function forgetUnexpected(ctx: ServiceContext): Promise<void> {
  const { DB_HEALTH } = ctx.env;
  const { results } = await DB_HEALTH.prepare(UNEXPECTED).all<{ worker_name: string; revision: number }>();
  for (const { worker_name: name, revision } of results) {
    // First, so that one that is cut off in between is found again.
    await endAlert(ctx, workerCause(name));
    await DB_HEALTH.prepare(FORGET).bind(name, revision).run();
  }
}

const UNEXPECTED = `
  SELECT worker_name, revision FROM worker_states
  WHERE kind = 'container' AND heartbeat_every_s IS NULL AND recent <> '' AND pending_alerts = '[]'
    AND (status = 'down' OR flapping = 1) LIMIT ${MAX_CONTAINERS}`;
const FORGET = `
  UPDATE worker_states SET status = 'unknown', flapping = 0, recent = '', told = 'unknown', revision = revision + 1
  WHERE worker_name = ?1 AND revision = ?2 AND heartbeat_every_s IS NULL`;
const GIVE_UP = `
  UPDATE worker_states SET heartbeat_every_s = NULL
  WHERE kind = 'container' AND heartbeat_every_s IS NOT NULL AND heartbeat_at < ?1`;
const EXPECTED = `
  SELECT worker_name, heartbeat_at, heartbeat_every_s, recent,
    (SELECT max(created_at) FROM worker_health_checks w WHERE w.worker_name = worker_states.worker_name) AS noted_at
  FROM worker_states WHERE kind = 'container' AND heartbeat_every_s IS NOT NULL ORDER BY worker_name LIMIT ?1`;
const RUN = `
  INSERT INTO health_checks (uuid, trigger_type, status, workers, profiles, timeout_ms, max_retries, requested_by,
    total_workers, created_at, started_at, deadline_at)
  VALUES (?1, 'heartbeat', 'running', ?2, '["heartbeat"]', 0, 0, 'system:health', ?3, ?4, ?4, ?4)`;
const NOTE = `
  INSERT INTO worker_health_checks (uuid, check_uuid, worker_name, worker_type, nonce_hash, created_at, deadline_at)
  SELECT r.value ->> 'uuid', ?1, r.value ->> 'worker', 'container', r.value ->> 'nonce', ?3, ?3 FROM json_each(?2) r`;
