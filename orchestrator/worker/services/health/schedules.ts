import {
  ChangeHealthScheduleSchema,
  CreateHealthScheduleSchema,
  fail,
  type HealthSchedule,
  MAX_HEALTH_PAGE,
  type Result,
  validationError,
} from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { KeysetSchema, type Place, pageOf, readList } from "../keyset.ts";
import { scheduleOfRow } from "./rows.ts";
import { sayOver } from "./runSchedules.ts";
import { pickTargets } from "./targets.ts";
import { scheduleCause } from "./tellAlert.ts";

export const ListHealthSchedulesSchema = KeysetSchema.extend({
  limit: z.coerce.number().int().min(1).max(MAX_HEALTH_PAGE).default(50),
});
/** So many there may be. */
const MAX_SCHEDULES = 100;

/** Needs `health:read`. */
export async function listHealthSchedules(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ schedules: HealthSchedule[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "health:read");
  if (denied) return denied;
  const list = readList(ListHealthSchedulesSchema, input);
  if (!list.ok) return list;
  const rows = await schedulesQuery(ctx.db, list.after, list.query.limit + 1).execute();
  const { items, cursor } = pageOf(rows, list.query.limit, scheduleOfRow);
  return { ok: true, schedules: items, cursor };
}

export function schedulesQuery(db: ServiceContext["db"], after: Place | null, limit: number) {
  let query = db.health
    .selectFrom("health_check_schedules")
    .selectAll()
    .orderBy("created_at", "desc")
    .orderBy("id", "desc");
  if (after) query = query.where((eb) => eb(eb.refTuple("created_at", "id"), "<", eb.tuple(after.createdAt, after.id)));
  return query.limit(limit);
}

const listText = (list: readonly string[] | null): string | null => (list === null ? null : JSON.stringify(list));

/** Runs first within a minute. Needs `health:write`. Errors: VALIDATION_FAILED, NOT_FOUND (no such target), CONFLICT (full). */
export async function createHealthSchedule(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ schedule: HealthSchedule }>> {
  const denied = requireScope(ctx, "health:write");
  if (denied) return denied;
  const parsed = CreateHealthScheduleSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { workers, profiles, enabled, ...rest } = parsed.data;
  const picked = pickTargets(ctx.env, workers ?? undefined);
  if (!picked.ok) return picked;
  const { health } = ctx.db;
  const { schedules } = await health
    .selectFrom("health_check_schedules")
    .select((eb) => eb.fn.countAll<number>().as("schedules"))
    .executeTakeFirstOrThrow();
  if (schedules >= MAX_SCHEDULES) return fail("CONFLICT", `there are ${MAX_SCHEDULES} schedules already`);
  const now = ctx.now().toISOString();
  const row = await health
    .insertInto("health_check_schedules")
    .values({
      ...rest,
      id: ctx.mintId(),
      workers: listText(workers),
      profiles: listText(profiles),
      enabled: enabled ? 1 : 0,
      next_run_at: now,
      created_by: ctx.actor.id,
      created_at: now,
      updated_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return { ok: true, schedule: scheduleOfRow(row) };
}

/** What is not given stays. One that is switched on, or whose pace changes, runs within a minute. Needs `health:write`. */
export async function changeHealthSchedule(
  ctx: ServiceContext,
  { id, change }: { id: string; change: unknown },
): Promise<Result<{ schedule: HealthSchedule }>> {
  const denied = requireScope(ctx, "health:write");
  if (denied) return denied;
  const parsed = ChangeHealthScheduleSchema.safeParse(change);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { workers, profiles, enabled, ...rest } = parsed.data;
  const picked = pickTargets(ctx.env, workers ?? undefined);
  if (!picked.ok) return picked;
  const now = ctx.now().toISOString();
  const row = await ctx.db.health
    .updateTable("health_check_schedules")
    .set({
      ...rest,
      ...(workers === undefined ? {} : { workers: listText(workers) }),
      ...(profiles === undefined ? {} : { profiles: listText(profiles) }),
      ...(enabled === undefined ? {} : { enabled: enabled ? 1 : 0 }),
      ...(enabled === true || rest.every_minutes !== undefined ? { next_run_at: now, last_run_at: null } : {}),
      updated_at: now,
    })
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirst();
  if (!row) return fail("NOT_FOUND", "there is no such schedule");
  if (row.enabled === 0) await endAlerts(ctx, id);
  return { ok: true, schedule: scheduleOfRow(row) };
}

/** Its checks stay. Needs `health:write`. Errors: NOT_FOUND. */
export async function deleteHealthSchedule(ctx: ServiceContext, { id }: { id: string }): Promise<Result<object>> {
  const denied = requireScope(ctx, "health:write");
  if (denied) return denied;
  const { numDeletedRows } = await ctx.db.health
    .deleteFrom("health_check_schedules")
    .where("id", "=", id)
    .executeTakeFirst();
  if (numDeletedRows === 0n) return fail("NOT_FOUND", "there is no such schedule");
  await endAlerts(ctx, id);
  return { ok: true };
}

/** No run comes any more that would end them. */
async function endAlerts(ctx: ServiceContext, id: string): Promise<void> {
  for (const kind of ["missed", "stuck"] as const) await sayOver(ctx, scheduleCause(id, kind));
}
