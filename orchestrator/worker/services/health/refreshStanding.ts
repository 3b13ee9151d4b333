import { z } from "zod";
import type { ServiceContext } from "../../context.ts";
import { rowsOf } from "../../database/batch.ts";
import { nextStanding, type Standing, type Turn, UNKNOWN } from "./standing.ts";
import { type HealthAlert, tellAlert } from "./tellAlert.ts";

/** Ended checks folded at a time. */
const PAGE = 200;
/** Others may fold at the same time: then it is begun anew. */
const TRIES = 8;

interface StateRow {
  status: Standing["status"];
  flapping: number;
  recent: string;
  cursor: number;
  told: Standing["told"];
  pending_alerts: string;
  revision: number;
  changed_at: string | null;
}
interface EndedRow {
  uuid: string;
  status: "passed" | "failed" | "timed_out";
  code: string | null;
  message: string | null;
  settled_seq: number;
  finished_at: string;
}

const AlertsSchema = z.array(
  z.object({
    key: z.string(),
    kind: z.enum(["down", "up", "flapping", "settled", "missed-run", "stuck-run"]),
    severity: z.enum(["critical", "warning", "info"]),
    subject: z.string(),
    message: z.string(),
    code: z.string().nullable(),
    at: z.string(),
  }),
);

/**
 * Folds what has ended since into how the Worker stands, and says what turned. It goes on from a cursor over the ended
 * checks in their order, moved by the same write as the standing: done twice, or by two at once, it is done once; not
 * done, the next does it. An alert waits in that row until it was handed over.
 */
export async function refreshStanding(
  ctx: ServiceContext,
  worker: string,
  kind: "worker" | "container" = "worker",
): Promise<void> {
  const { DB_HEALTH } = ctx.env;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const results = await DB_HEALTH.batch<never>([
      DB_HEALTH.prepare(STATE).bind(worker),
      DB_HEALTH.prepare(ENDED).bind(worker, PAGE),
    ]);
    const [state] = rowsOf<StateRow>(results[0]);
    const ended = rowsOf<EndedRow>(results[1]);
    const alerts: HealthAlert[] = AlertsSchema.parse(JSON.parse(state?.pending_alerts ?? "[]"));
    let standing: Standing = state
      ? {
          status: state.status,
          flapping: state.flapping === 1,
          recent: state.recent,
          changedAt: state.changed_at,
          told: state.told,
        }
      : UNKNOWN;
    for (const row of ended) {
      const { after, turns } = nextStanding(standing, { passed: row.status === "passed", at: row.finished_at });
      standing = after;
      alerts.push(...turns.map((turn) => alertOf(worker, row, turn, after)));
    }
    const last = ended.at(-1);
    let revision = state?.revision ?? 0;
    if (last) {
      const written = await DB_HEALTH.prepare(WRITE)
        .bind(
          worker,
          kind,
          standing.status,
          standing.flapping ? 1 : 0,
          standing.recent,
          last.settled_seq,
          standing.told,
          JSON.stringify(alerts),
          standing.changedAt,
          ctx.now().toISOString(),
          revision,
        )
        .run();
      if (written.meta.changes === 0) continue;
      revision += 1;
    }
    await handOver(ctx, worker, alerts, revision);
    if (ended.length < PAGE) return;
  }
  ctx.log.warn("how a Worker stands is left to the next who looks", { worker });
}

/** Each alert is let go of once it was handed over; where one is not, it and what follows stay. */
async function handOver(
  ctx: ServiceContext,
  worker: string,
  alerts: readonly HealthAlert[],
  revision: number,
): Promise<void> {
  if (alerts.length === 0) return;
  let handed = 0;
  try {
    for (const alert of alerts) {
      await tellAlert(ctx, alert);
      handed += 1;
    }
  } catch (error) {
    ctx.log.error("an alert waits: it could not be handed over", { worker, error });
  }
  if (handed === 0) return;
  await ctx.env.DB_HEALTH.prepare(LET_GO)
    .bind(worker, JSON.stringify(alerts.slice(handed)), revision)
    .run();
}

function alertOf(worker: string, row: EndedRow, turn: Turn, after: Standing): HealthAlert {
  const why = row.code === null ? "" : `: ${row.code}${row.message === null ? "" : `, ${row.message}`}`;
  const said: Record<Turn, Pick<HealthAlert, "severity" | "message">> = {
    down: { severity: "critical", message: `${worker} is down${why}` },
    up: { severity: "info", message: `${worker} is up again` },
    flapping: { severity: "warning", message: `${worker} is flapping: it fails and passes by turns${why}` },
    settled: {
      severity: after.status === "down" ? "critical" : "info",
      message: `${worker} has stopped flapping: it is ${after.status}`,
    },
  };
  return {
    key: `health:${worker}:${row.settled_seq}:${turn}`,
    kind: turn,
    subject: worker,
    code: row.code,
    at: row.finished_at,
    ...said[turn],
  };
}

const STATE = `
  SELECT status, flapping, recent, cursor, told, pending_alerts, revision, changed_at
  FROM worker_states WHERE worker_name = ?1`;
const ENDED = `
  SELECT uuid, status, code, message, settled_seq, finished_at FROM worker_health_checks
  WHERE worker_name = ?1 AND settled_seq > coalesce((SELECT cursor FROM worker_states WHERE worker_name = ?1), 0)
  ORDER BY settled_seq LIMIT ?2`;
const WRITE = `
  INSERT INTO worker_states
    (worker_name, kind, status, flapping, recent, cursor, told, pending_alerts, changed_at, updated_at, revision)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 + 1)
  ON CONFLICT (worker_name) DO UPDATE SET
    status = excluded.status, flapping = excluded.flapping, recent = excluded.recent, cursor = excluded.cursor,
    told = excluded.told, pending_alerts = excluded.pending_alerts, changed_at = excluded.changed_at,
    updated_at = excluded.updated_at, revision = excluded.revision
  WHERE worker_states.revision = ?11`;
const LET_GO = `UPDATE worker_states SET pending_alerts = ?2, revision = revision + 1 WHERE worker_name = ?1 AND revision = ?3`;
