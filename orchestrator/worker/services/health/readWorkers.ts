import {
  fail,
  type HealthDay,
  type HealthSummary,
  type Result,
  validationError,
  type WorkerCheckDetail,
  type WorkerHealth,
} from "@shared/contracts";
import { sql } from "kysely";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { profileOfRow, resultOfRow, workerCheckOfRow } from "./rows.ts";
import { healthTargets } from "./targets.ts";

/** The latest check of a Worker that has ended. */
export const latestChecks = (db: ServiceContext["db"], worker: string) =>
  db.health
    .selectFrom("worker_health_checks")
    .selectAll()
    .where("worker_name", "=", worker)
    .where("settled_seq", "is not", null)
    .orderBy("settled_seq", "desc")
    .limit(1);

async function healthOf(ctx: ServiceContext, names: readonly string[]): Promise<WorkerHealth[]> {
  const targets = new Set(healthTargets(ctx.env).map(({ name }) => name));
  const states = await ctx.db.health
    .selectFrom("worker_states")
    .selectAll()
    .where(sql<boolean>`worker_name IN (SELECT value FROM json_each(${JSON.stringify(names)}))`)
    .execute();
  const byName = new Map(states.map((state) => [state.worker_name, state]));
  return Promise.all(
    names.map(async (name): Promise<WorkerHealth> => {
      const state = byName.get(name);
      const latest = await latestChecks(ctx.db, name).executeTakeFirst();
      const kind = state?.kind ?? "worker";
      return {
        worker_name: name,
        kind,
        target: kind === "container" ? (state?.heartbeat_every_s ?? null) !== null : targets.has(name),
        status: state?.status ?? "unknown",
        flapping: state?.flapping === 1,
        recent: state?.recent ?? "",
        changed_at: state?.changed_at ?? null,
        heartbeat_at: state?.heartbeat_at ?? null,
        latest: latest ? workerCheckOfRow(latest) : null,
      };
    }),
  );
}

/** So many containers are listed beside the Workers, those that are down first. */
const MAX_CONTAINERS = 50;

/** Every Worker that is a target, and the containers that are expected to beat: how each stands. Needs `health:read`. */
export async function listWorkerHealth(ctx: ServiceContext): Promise<Result<{ workers: WorkerHealth[] }>> {
  const denied = requireScope(ctx, "health:read");
  if (denied) return denied;
  const containers = await ctx.db.health
    .selectFrom("worker_states")
    .select("worker_name")
    .where("kind", "=", "container")
    .where("heartbeat_every_s", "is not", null)
    .orderBy(sql`status <> 'down'`)
    .orderBy("worker_name")
    .limit(MAX_CONTAINERS)
    .execute();
  const names = [...healthTargets(ctx.env).map(({ name }) => name), ...containers.map((row) => row.worker_name)];
  return { ok: true, workers: await healthOf(ctx, names) };
}

/** How one Worker stands, and its latest ended check, part by part. Needs `health:read`. Errors: NOT_FOUND. */
export async function getLatestWorkerHealth(
  ctx: ServiceContext,
  { worker }: { worker: string },
): Promise<Result<{ worker: WorkerHealth; check: WorkerCheckDetail | null }>> {
  const denied = requireScope(ctx, "health:read");
  if (denied) return denied;
  const [health] = await healthOf(ctx, [worker]);
  if (!health || (!health.target && health.latest === null)) return fail("NOT_FOUND", "no such Worker is checked");
  const results = health.latest
    ? await ctx.db.health
        .selectFrom("test_results")
        .selectAll()
        .where("worker_check_uuid", "=", health.latest.uuid)
        .orderBy("id")
        .execute()
    : [];
  return {
    ok: true,
    worker: health,
    check: health.latest ? { ...health.latest, results: results.map(resultOfRow) } : null,
  };
}

export const SummaryQuerySchema = z.object({ days: z.coerce.number().int().min(1).max(365).default(30) });
const DAY_MS = 86_400_000;

/** How each Worker stands, and its days: uptime and how long its checks took. Needs `health:read`. */
export async function getHealthSummary(ctx: ServiceContext, input: unknown): Promise<Result<HealthSummary>> {
  const denied = requireScope(ctx, "health:read");
  if (denied) return denied;
  const parsed = SummaryQuerySchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const listed = await listWorkerHealth(ctx);
  if (!listed.ok) return listed;
  const { workers } = listed;
  const now = ctx.now();
  const to = now.toISOString().slice(0, 10);
  const from = new Date(now.getTime() - (parsed.data.days - 1) * DAY_MS).toISOString().slice(0, 10);
  const [rows, profiles] = await Promise.all([
    daysQuery(
      ctx.db,
      workers.map(({ worker_name: name }) => name),
      from,
    ).execute(),
    ctx.db.health.selectFrom("test_profiles").selectAll().orderBy("name").execute(),
  ]);
  const totalsOf = (status: string): number => workers.filter((worker) => worker.status === status).length;
  return {
    ok: true,
    ts: now.toISOString(),
    from,
    to,
    totals: {
      workers: workers.length,
      up: totalsOf("up"),
      down: totalsOf("down"),
      unknown: totalsOf("unknown"),
      flapping: workers.filter(({ flapping }) => flapping).length,
    },
    workers: workers.map(({ worker_name }) => {
      const days: HealthDay[] = rows
        .filter((row) => row.worker_name === worker_name)
        .map((row) => ({
          day: row.day,
          checks: row.checks,
          passed: row.passed,
          failed: row.failed,
          timed_out: row.timed_out,
          mean_duration_ms: row.checks === 0 ? 0 : Math.round(row.duration_ms / row.checks),
          max_duration_ms: row.max_duration_ms,
        }));
      const checks = days.reduce((sum, day) => sum + day.checks, 0);
      const passed = days.reduce((sum, day) => sum + day.passed, 0);
      return { worker_name, uptime: checks === 0 ? null : (100 * passed) / checks, days };
    }),
    profiles: profiles.map(profileOfRow),
  };
}

/** Of these alone: containers come and go, and each leaves its days. */
export const daysQuery = (db: ServiceContext["db"], names: readonly string[], from: string) =>
  db.health
    .selectFrom("health_summaries")
    .selectAll()
    .where(sql<boolean>`worker_name IN (SELECT value FROM json_each(${JSON.stringify(names)}))`)
    .where("day", ">=", from)
    .orderBy("worker_name")
    .orderBy("day");
