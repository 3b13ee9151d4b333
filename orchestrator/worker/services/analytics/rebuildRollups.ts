import { fail, type Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { AFTER_ALL_DAYS, remakeRollup, ROLLUP_TABLES } from "../patch/rollupTables.ts";

/** Events of one step: a statement of D1 has 30 seconds. */
const STEP_EVENTS = 20_000;

/** How many events each day has that has events or rollups. */
const DAYS = `
  SELECT day, sum(events) AS events FROM (
    SELECT substr(created_at, 1, 10) AS day, count(*) AS events FROM patch_events GROUP BY 1
    UNION ALL SELECT day, 0 FROM patch_days UNION ALL SELECT day, 0 FROM patch_error_days
  ) GROUP BY day ORDER BY day`;

/**
 * Makes all rollups anew from the rows of `patch_events`, a few days at a time. Each step is one batch, so readers
 * and deliveries meanwhile find every day either as it was or as it must be, and one broken off can be made again.
 * Needs `admin`. Errors: DATABASE_UNAVAILABLE.
 */
export async function rebuildRollups(ctx: ServiceContext): Promise<Result<{ days: number; events: number }>> {
  const denied = requireScope(ctx, "admin");
  if (denied) return denied;
  try {
    return { ok: true, ...(await remakeAll(ctx.env.DB_OPS)) };
  } catch (error) {
    ctx.log.error("DB_OPS did not take the rebuild of its rollups", { error });
    return fail("DATABASE_UNAVAILABLE", "the database does not answer; what is rebuilt so far stands");
  }
}

async function remakeAll(database: D1Database): Promise<{ days: number; events: number }> {
  const { results } = await database.prepare(DAYS).all<{ day: string; events: number }>();
  let from = "";
  let pending = 0;
  let events = 0;
  for (const [index, day] of results.entries()) {
    pending += day.events;
    events += day.events;
    const next = results[index + 1];
    if (next !== undefined && pending + next.events <= STEP_EVENTS) continue;
    const before = next?.day ?? AFTER_ALL_DAYS;
    await database.batch(
      ROLLUP_TABLES.flatMap(remakeRollup).map((statement) => database.prepare(statement).bind(from, before)),
    );
    from = before;
    pending = 0;
  }
  return { days: results.length, events };
}
