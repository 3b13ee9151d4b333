import { type AgentTelemetry, FACTORIES, type Result } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { requireAllPatches } from "../analytics/access.ts";
import type { Keyed } from "../analytics/cells.ts";
import { addDays } from "../analytics/days.ts";
import { countsOf, SPAN_COLUMNS, SUM_COLUMNS, sumOf } from "../analytics/patchCounts.ts";

/** A factory that has asked for nothing in so many days counts as not seen. */
const SEEN_DAYS = 30;

/**
 * Which factories work on what, and how that goes. Needs `patches:read`. Throws where a database does not answer; the
 * door answers that with DATABASE_UNAVAILABLE.
 */
export async function getAgentTelemetry(ctx: ServiceContext): Promise<Result<AgentTelemetry>> {
  const denied = requireAllPatches(ctx);
  if (denied) return denied;
  const ts = ctx.now().toISOString();
  const today = ts.slice(0, 10);
  const [patches, work, runs, anyRun] = await Promise.all([
    ctx.env.DB_OPS.prepare(PATCHES)
      .bind(addDays(today, 1 - SEEN_DAYS), JSON.stringify(FACTORIES))
      .all<FactoryDay>(),
    ctx.env.DB_PROJECTS.prepare(OPEN_WORK).all<{ factory: string; what: string; number: number }>(),
    ctx.env.DB_OPS.prepare(RUNS).all<{ provider: string; running: number; waiting: number }>(),
    ctx.env.DB_OPS.prepare(ANY_RUN).first(),
  ]);
  const factories = FACTORIES.map((factory) => {
    const days = patches.results.filter((row) => row.factory === factory);
    const open = (what: string) =>
      work.results.find((row) => row.factory === factory && row.what === what)?.number ?? 0;
    const tasks = { pending: open("task pending"), in_progress: open("task in_progress") };
    return {
      factory,
      status: statusOf(tasks.in_progress > 0, days.length > 0),
      orders: { received: open("order received"), in_progress: open("order in_progress") },
      tasks,
      today: countsOf(sumOf(days.filter((row) => row.key === today))),
      week: countsOf(sumOf(days.filter((row) => row.key < today && row.key >= addDays(today, -7)))),
      last_patch:
        days
          .map((row) => row.last_at)
          .toSorted()
          .at(-1) ?? null,
    };
  });
  return {
    ok: true,
    ts,
    active: factories.filter(({ status }) => status === "working").length,
    factories,
    providers:
      anyRun === null
        ? { available: false, reason: "no provider has been given a task yet" }
        : { available: true, running: runs.results },
    capacity: { available: false, reason: "containers do not report yet how much of their room is taken" },
  };
}

type FactoryDay = Keyed & { factory: string };

const statusOf = (working: boolean, seen: boolean) => {
  if (working) return "working" as const;
  return seen ? ("idle" as const) : ("never seen" as const);
};

const PATCHES = `
  SELECT factory, day AS key, ${SUM_COLUMNS}, ${SPAN_COLUMNS} FROM patch_factory_days
  WHERE project_id = '' AND day >= ?1 AND factory IN (SELECT value FROM json_each(?2)) GROUP BY 1, 2`;
/** Open orders and tasks are few, and found by their status. */
export const OPEN_WORK = `
  SELECT factory, 'order ' || status AS what, count(*) AS number FROM orders
  WHERE status IN ('received', 'in_progress') GROUP BY 1, 2
  UNION ALL
  SELECT orders.factory, 'task ' || tasks.status, count(*) FROM tasks JOIN orders ON orders.id = tasks.order_id
  WHERE tasks.status IN ('pending', 'in_progress') GROUP BY 1, 2`;
/** What runs and what waits, found by its status; a provider that has none of either is left out. */
export const RUNS = `
  SELECT provider_name AS provider, sum(status IN ('queued', 'running')) AS running, sum(status = 'waiting') AS waiting
  FROM ai_provider_executions WHERE status IN ('queued', 'running', 'waiting') GROUP BY 1 ORDER BY 1`;
const ANY_RUN = "SELECT 1 AS any_run FROM ai_provider_executions LIMIT 1";
