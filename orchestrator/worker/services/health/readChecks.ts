import {
  fail,
  type HealthCheck,
  type HealthCheckDetail,
  HealthCheckStatusSchema,
  HealthTriggerSchema,
  MAX_HEALTH_PAGE,
  type Result,
  WorkerNameSchema,
} from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { KeysetSchema, type Place, pageOf, readList } from "../keyset.ts";
import { checkOfRow, resultOfRow, workerCheckOfRow } from "./rows.ts";

export const ListHealthChecksSchema = KeysetSchema.extend({
  limit: z.coerce.number().int().min(1).max(MAX_HEALTH_PAGE).default(50),
  status: HealthCheckStatusSchema.optional(),
  trigger: HealthTriggerSchema.optional(),
  worker: z.union([WorkerNameSchema, z.string().regex(/^container:.{1,200}$/)]).optional(),
});

/** The checks there were, newest first, at most a hundred a page. Needs `health:read`. */
export async function listHealthChecks(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ checks: HealthCheck[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "health:read");
  if (denied) return denied;
  const list = readList(ListHealthChecksSchema, input);
  if (!list.ok) return list;
  const { query, after } = list;
  const rows = await healthChecksQuery(ctx.db, query, after).execute();
  const page = pageOf(
    rows.map((row) => ({ ...row, id: row.uuid })),
    query.limit,
    (row) => checkOfRow(row),
  );
  return { ok: true, checks: page.items, cursor: page.cursor };
}

export function healthChecksQuery(
  db: ServiceContext["db"],
  filter: z.infer<typeof ListHealthChecksSchema>,
  after: Place | null,
) {
  let query = db.health.selectFrom("health_checks").selectAll().orderBy("created_at", "desc").orderBy("uuid", "desc");
  if (filter.status !== undefined) query = query.where("status", "=", filter.status);
  if (filter.trigger !== undefined) query = query.where("trigger_type", "=", filter.trigger);
  const { worker } = filter;
  if (worker !== undefined) {
    query = query.where((eb) =>
      eb.exists(
        eb
          .selectFrom("worker_health_checks")
          .select("worker_health_checks.uuid")
          .whereRef("worker_health_checks.check_uuid", "=", "health_checks.uuid")
          .where("worker_health_checks.worker_name", "=", worker),
      ),
    );
  }
  if (after)
    query = query.where((eb) => eb(eb.refTuple("created_at", "uuid"), "<", eb.tuple(after.createdAt, after.id)));
  return query.limit(filter.limit + 1);
}

/** A check with what each Worker said, part by part. Needs `health:read`. Errors: NOT_FOUND. */
export async function getHealthCheck(
  ctx: ServiceContext,
  { uuid }: { uuid: string },
): Promise<Result<{ check: HealthCheckDetail }>> {
  const denied = requireScope(ctx, "health:read");
  if (denied) return denied;
  const { health } = ctx.db;
  const row = await health.selectFrom("health_checks").selectAll().where("uuid", "=", uuid).executeTakeFirst();
  if (!row) return fail("NOT_FOUND", "there is no such check, or it is swept already");
  const [workers, results, logs] = await Promise.all([
    health
      .selectFrom("worker_health_checks")
      .selectAll()
      .where("check_uuid", "=", uuid)
      .orderBy("worker_name")
      .execute(),
    health
      .selectFrom("test_results")
      .innerJoin("worker_health_checks", "worker_health_checks.uuid", "test_results.worker_check_uuid")
      .selectAll("test_results")
      .where("worker_health_checks.check_uuid", "=", uuid)
      .orderBy("test_results.id")
      .execute(),
    health
      .selectFrom("ai_logs")
      .select(["id", "model", "response", "error", "duration_ms", "created_at"])
      .where("check_uuid", "=", uuid)
      .orderBy("id")
      .execute(),
  ]);
  return {
    ok: true,
    check: {
      ...checkOfRow(row),
      worker_checks: workers.map((worker) => ({
        ...workerCheckOfRow(worker),
        results: results.filter((result) => result.worker_check_uuid === worker.uuid).map(resultOfRow),
      })),
      ai_logs: logs,
    },
  };
}
