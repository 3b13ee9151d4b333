import {
  type OrderStatus,
  OrderStatusSchema,
  type PipelineTelemetry,
  type Result,
  type TaskStatus,
  TaskStatusSchema,
} from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { rowsOf } from "../../database/batch.ts";
import { requireAllPatches } from "../analytics/access.ts";
import type { Keyed } from "../analytics/cells.ts";
import { addDays } from "../analytics/days.ts";
import { type Bucket, countsOf, durationsOf, SPAN_COLUMNS, SUM_COLUMNS, sumOf } from "../analytics/patchCounts.ts";
import { rounded } from "../analytics/percentages.ts";

/**
 * What is under way and how much gets through. Needs `patches:read`. Throws where a database does not answer; the door
 * answers that with DATABASE_UNAVAILABLE.
 */
export async function getPipelineTelemetry(ctx: ServiceContext): Promise<Result<PipelineTelemetry>> {
  const denied = requireAllPatches(ctx);
  if (denied) return denied;
  const ts = ctx.now().toISOString();
  const today = ts.slice(0, 10);
  const weekAgo = addDays(today, -7);
  const [[orders = [], tasks = []], [days, buckets]] = await Promise.all([
    statusesOf(ctx.env.DB_PROJECTS),
    ctx.env.DB_OPS.batch<never>([DAYS, BUCKETS].map((sql) => ctx.env.DB_OPS.prepare(sql).bind(weekAgo))),
  ]);
  const rows = rowsOf<Keyed>(days);
  const histogram = rowsOf<Bucket>(buckets);
  const ordersOf = (status: OrderStatus) => orders.find((row) => row.status === status)?.number ?? 0;
  const tasksOf = (status: TaskStatus) => tasks.find((row) => row.status === status)?.number ?? 0;
  const since = (day: string) => rows.filter((row) => row.key >= day);
  const week = sumOf(rows.filter((row) => row.key < today));
  return {
    ok: true,
    ts,
    in_flight: {
      orders: ordersOf("in_progress"),
      tasks: tasksOf("in_progress"),
      patches: sumOf(since(addDays(today, -1))).requested,
    },
    stages: OrderStatusSchema.options.map((stage) => ({ stage, orders: ordersOf(stage) })),
    tasks: TaskStatusSchema.options.map((status) => ({
      status,
      tasks: tasksOf(status),
    })),
    throughput: {
      today: countsOf(sumOf(since(today))),
      week: countsOf(week),
      per_day: rounded(week.patches / 7, 1),
      durations: durationsOf(histogram),
      last_patch:
        rows
          .map((row) => row.last_at)
          .toSorted()
          .at(-1) ?? null,
    },
  };
}

/** How many orders and how many tasks have each status, each counted along an index. */
const STATUSES = [
  "SELECT status, count(*) AS number FROM orders GROUP BY status",
  "SELECT status, count(*) AS number FROM tasks GROUP BY status",
] as const;

async function statusesOf(database: D1Database): Promise<{ status: string; number: number }[][]> {
  const counted = await database.batch<{ status: string; number: number }>(
    STATUSES.map((sql) => database.prepare(sql)),
  );
  return counted.map(({ results }) => results);
}

const DAYS = `
  SELECT day AS key, ${SUM_COLUMNS}, ${SPAN_COLUMNS} FROM patch_days WHERE project_id = '' AND day >= ?1 GROUP BY 1`;
const BUCKETS = `
  SELECT bucket, sum(patches) AS patches, sum(duration_ms) AS duration_ms FROM patch_duration_days
  WHERE project_id = '' AND day >= ?1 GROUP BY 1 ORDER BY 1`;
