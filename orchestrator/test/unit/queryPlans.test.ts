import { TREND_GROUPS } from "@shared/contracts";
import { env } from "cloudflare:workers";
import type { CompiledQuery } from "kysely";
import { describe, expect, test } from "vitest";
import { createContext, systemActor } from "../../worker/context.ts";
import { runningAttemptQuery } from "../../worker/services/ai-providers/jules/wakeSession.ts";
import { statsStatements } from "../../worker/services/analytics/statsQueries.ts";
import { CELLS, REWARD, STALE } from "../../worker/services/ai-providers/outcomes.ts";
import { decidedQuery } from "../../worker/services/ai-providers/router.ts";
import { trendsStatements } from "../../worker/services/analytics/trendsQueries.ts";
import {
  deadLettersQuery,
  ListDeadLettersSchema,
} from "../../worker/services/ai-providers/deadLetters/listDeadLetters.ts";
import { outputQuery } from "../../worker/services/ai-providers/getExecutionOutput.ts";
import { executionsQuery, ListExecutionsSchema } from "../../worker/services/ai-providers/listExecutions.ts";
import { unfinishedQuery } from "../../worker/services/ai-providers/sweepExecutions.ts";
import { sessionsQuery } from "../../worker/services/auth/listSessions.ts";
import { tokensQuery } from "../../worker/services/auth/listTokens.ts";
import { alertsQuery, ListAlertsSchema } from "../../worker/services/alerts/listAlerts.ts";
import { deliveriesQuery } from "../../worker/services/alerts/listDeliveries.ts";
import { webhooksQuery } from "../../worker/services/alerts/listWebhooks.ts";
import { dueQuery, unannouncedQuery } from "../../worker/services/alerts/sweepAlerts.ts";
import { ListLogsSchema, logsQuery } from "../../worker/services/logging/listLogs.ts";
import { overdueChecks } from "../../worker/services/health/endOverdueChecks.ts";
import { healthChecksQuery, ListHealthChecksSchema } from "../../worker/services/health/readChecks.ts";
import { daysQuery, latestChecks } from "../../worker/services/health/readWorkers.ts";
import { dueSchedules } from "../../worker/services/health/runSchedules.ts";
import { schedulesQuery } from "../../worker/services/health/schedules.ts";
import { resultTarget } from "../../worker/services/health/submitResult.ts";
import { KNOWN } from "../../worker/services/health/tellAlert.ts";
import { untoldQuery } from "../../worker/services/hil/expireHilRequests.ts";
import { hilQuery, ListHilSchema } from "../../worker/services/hil/listHilRequests.ts";
import { staleCommentsQuery } from "../../worker/services/delivery/commentReports.ts";
import { currentPullQuery } from "../../worker/services/delivery/commentReport.ts";
import { untoldPullsQuery } from "../../worker/services/github/tellPullRequests.ts";
import { tasksOfOrderQuery } from "../../worker/services/order/getOrder.ts";
import { ListOrdersSchema, ordersQuery } from "../../worker/services/order/listOrders.ts";
import { phasesQuery } from "../../worker/services/order/listPhases.ts";
import { ListPatchLogsSchema, patchLogsQuery } from "../../worker/services/patch/listPatchLogs.ts";
import { projectsQuery } from "../../worker/services/project/listProjects.ts";
import { ListTasksSchema, tasksQuery } from "../../worker/services/task/listTasks.ts";
import { OPEN_WORK, RUNS } from "../../worker/services/telemetry/getAgentTelemetry.ts";
import { MOVE_TASKS } from "../../worker/services/task/moveByEvents.ts";
import { workspaceTasksQuery } from "../../worker/services/task/syncWorkspaceTasks.ts";

const ctx = createContext(env, { actor: systemActor("test") });
const confined = createContext(env, { actor: { ...systemActor("test"), workspaceId: "w" } });
const after = { createdAt: "2026-01-01T00:00:00.000Z", id: "x" };
const orders = (filter: object) => ListOrdersSchema.parse(filter);
const healthChecks = (filter: object) => ListHealthChecksSchema.parse(filter);
const tasks = (filter: object) => ListTasksSchema.parse(filter);
const executions = (filter: object, by = ctx) =>
  executionsQuery(by, ListExecutionsSchema.parse(filter), after).compile();
const letters = (filter: object) => deadLettersQuery(ctx, ListDeadLettersSchema.parse(filter), after).compile();
const asked = (filter: object, by = ctx) => hilQuery(by, ListHilSchema.parse(filter), after).compile();

const logBy = (filter: object, id?: number) =>
  patchLogsQuery(ctx.db, ListPatchLogsSchema.parse(filter), {
    after: id === undefined ? null : { ...after, id },
    workspaceId: null,
  });

async function planOf(database: D1Database, { sql, parameters }: Pick<CompiledQuery, "sql" | "parameters">) {
  const { results } = await database
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...parameters)
    .all<{ detail: string }>();
  return results.map((row) => row.detail).join("\n");
}

describe("every query finds its rows by an index", () => {
  const projects = env.DB_PROJECTS;
  test.each<[string, D1Database, { sql: string; parameters: readonly unknown[] }]>([
    ["an order's newest pull request", env.DB_OPS, currentPullQuery(ctx.db, "ORD-1").compile()],
    ["pull requests to be told of", env.DB_OPS, untoldPullsQuery(ctx.db).compile()],
    ["tokens", env.DB_OPS, tokensQuery(ctx.db, null, null, 50).compile()],
    ["tokens, next page", env.DB_OPS, tokensQuery(ctx.db, null, after, 50).compile()],
    ["tokens by maker", env.DB_OPS, tokensQuery(ctx.db, "token:t", after, 50).compile()],
    ["sessions", env.DB_OPS, sessionsQuery(ctx.db, null, after, 50).compile()],
    ["sessions of one's own", env.DB_OPS, sessionsQuery(ctx.db, "token:t", after, 50).compile()],
    [
      "a token by prefix",
      env.DB_OPS,
      ctx.db.ops.selectFrom("api_tokens").selectAll().where("prefix", "=", "p").compile(),
    ],
    ["whose a session at Jules is", env.DB_OPS, runningAttemptQuery(ctx, "sessions/1").compile()],
    ["executions", env.DB_OPS, executions({})],
    ["executions by status", env.DB_OPS, executions({ status: "failed" })],
    ["executions by provider", env.DB_OPS, executions({ provider: "codex" })],
    ["executions of a task", env.DB_OPS, executions({ task_id: "t" })],
    ["executions of an order", env.DB_OPS, executions({ order_id: "o" })],
    ["executions of a workspace", env.DB_OPS, executions({}, confined)],
    ["dead letters", env.DB_OPS, letters({})],
    ["dead letters by status", env.DB_OPS, letters({ status: "dead" })],
    ["requests to people", env.DB_OPS, asked({})],
    ["requests to people by status", env.DB_OPS, asked({ status: "open" })],
    ["requests to people of a workspace", env.DB_OPS, asked({}, confined)],
    ["answers that nobody was told of", env.DB_OPS, untoldQuery(ctx, "2026", "2027").compile()],
    ["projects", projects, projectsQuery(ctx.db, null, 50).compile()],
    ["projects, next page", projects, projectsQuery(ctx.db, after, 50).compile()],
    ["orders", projects, ordersQuery(ctx, orders({}), null).compile()],
    ["orders, next page", projects, ordersQuery(ctx, orders({}), after).compile()],
    ["orders by status", projects, ordersQuery(ctx, orders({ status: "failed" }), after).compile()],
    ["orders by project", projects, ordersQuery(ctx, orders({ project_id: "p" }), after).compile()],
    ["orders by factory", projects, ordersQuery(ctx, orders({ factory: "ui-factory" }), after).compile()],
    ["phases of an order", env.DB_OPS, phasesQuery(ctx, "o", 50, null).compile()],
    ["phases of an order, next page", env.DB_OPS, phasesQuery(ctx, "o", 50, { ...after, id: "7" }).compile()],
    ["executions that are not over", env.DB_OPS, unfinishedQuery(ctx.db, "2026").compile()],
    ["the log by factory", env.DB_OPS, logBy({ factory: "ui-factory" }).compile()],
    ["the log by factory, a range, next page", env.DB_OPS, logBy({ factory: "f", from: "2026-01-01" }, 7).compile()],
    ["health checks", env.DB_HEALTH, healthChecksQuery(ctx.db, healthChecks({}), null).compile()],
    ["health checks, next page", env.DB_HEALTH, healthChecksQuery(ctx.db, healthChecks({}), after).compile()],
    [
      "health checks of a Worker",
      env.DB_HEALTH,
      healthChecksQuery(ctx.db, healthChecks({ worker: "w" }), after).compile(),
    ],
    ["a Worker's latest check", env.DB_HEALTH, latestChecks(ctx.db, "w").compile()],
    ["a check by its nonce", env.DB_HEALTH, resultTarget(ctx.db, "n").compile()],
    ["overdue checks", env.DB_HEALTH, overdueChecks(ctx.db, after.createdAt, 9).compile()],
    ["due schedules", env.DB_HEALTH, dueSchedules(ctx.db, after.createdAt, 9).compile()],
    ["schedules", env.DB_HEALTH, schedulesQuery(ctx.db, after, 50).compile()],
    ["days of health", env.DB_HEALTH, daysQuery(ctx.db, ["w"], "2026-01-01").compile()],
    ...["", "source", "operation", "outcome", "level", "order_id", "task_id", "patch_id", "request_id"].flatMap(
      (name): [string, D1Database, CompiledQuery][] => {
        const query = ListLogsSchema.parse(name === "" ? {} : { [name]: name === "level" ? "warn" : "x" });
        const place = { ts: after.createdAt, id: 7 };
        return [
          [
            `operation log ${name}`,
            env.DB_LOGS,
            logsQuery(ctx.db, query, { before: null, workspaceId: null }).compile(),
          ],
          [
            `operation log ${name}, next page`,
            env.DB_LOGS,
            logsQuery(ctx.db, query, { before: place, workspaceId: null }).compile(),
          ],
        ];
      },
    ),
    [
      "operation log, warnings and errors",
      env.DB_LOGS,
      logsQuery(ctx.db, ListLogsSchema.parse({ level: "warn,error" }), { before: null, workspaceId: null }).compile(),
    ],
    [
      "operation log, all but debug",
      env.DB_LOGS,
      logsQuery(ctx.db, ListLogsSchema.parse({ level: "info,warn,error" }), {
        before: null,
        workspaceId: null,
      }).compile(),
    ],
    [
      "operation log of a workspace",
      env.DB_LOGS,
      logsQuery(ctx.db, ListLogsSchema.parse({}), { before: null, workspaceId: "w" }).compile(),
    ],
    ["alerts", env.DB_OPS, alertsQuery(ctx.db, ListAlertsSchema.parse({}), after).compile()],
    ["open alerts", env.DB_OPS, alertsQuery(ctx.db, ListAlertsSchema.parse({ status: "open" }), after).compile()],
    ["alerts to be announced", env.DB_OPS, unannouncedQuery(ctx.db, after.createdAt).compile()],
    ["webhooks", env.DB_OPS, webhooksQuery(ctx.db, after, 50).compile()],
    [
      "deliveries",
      env.DB_OPS,
      deliveriesQuery(ctx.db, { webhookId: "w", status: undefined, after, limit: 50 }).compile(),
    ],
    [
      "deliveries by status",
      env.DB_OPS,
      deliveriesQuery(ctx.db, { webhookId: "w", status: "failed", after, limit: 50 }).compile(),
    ],
    ["deliveries that are due", env.DB_OPS, dueQuery(ctx.db, after.createdAt).compile()],
    ["tasks", projects, tasksQuery(ctx, tasks({}), null).compile()],
    ["tasks, next page", projects, tasksQuery(ctx, tasks({}), after).compile()],
    ["tasks by order", projects, tasksQuery(ctx, tasks({ order_id: "o" }), after).compile()],
    ["tasks by status", projects, tasksQuery(ctx, tasks({ status: "failed" }), after).compile()],
  ])("%s, already in order", async (_, database, query) => {
    const plan = await planOf(database, query);
    expect(plan).not.toMatch(/TEMP B-TREE/);
    // A page of everything walks an index in its order; nothing reads a table from end to end.
    expect(plan).toMatch(/^(?:SEARCH \w+ USING PRIMARY KEY \(|(?:SEARCH|SCAN) \w+ USING (?:COVERING )?INDEX \w+)/);
    expect(plan).not.toMatch(/^SCAN \w+$/m);
  });

  // A workspace's own orders and tasks are few; they are found by index and sorted.
  test.each<[string, { sql: string; parameters: readonly unknown[] }]>([
    ["orders of a workspace", ordersQuery(confined, orders({}), after).compile()],
    ["tasks of a workspace's orders", tasksQuery(confined, tasks({}), after).compile()],
    ["tasks of an order", tasksOfOrderQuery(ctx.db, "o").compile()],
    ["tasks of a workspace", workspaceTasksQuery(ctx.db, "w").compile()],
    ["open work by factory", { sql: OPEN_WORK, parameters: [] }],
    ["moving tasks by events", { sql: MOVE_TASKS, parameters: ["[]", "w", 0] }],
  ])("%s", async (_, query) => {
    const plan = await planOf(projects, query);
    expect(plan).not.toMatch(/^SCAN (?!move|json_each)\w+(?: USING| *$)/m);
    expect(plan).toMatch(/SEARCH/);
  });
});

test("an attempt's output is read by its key, and what runs by its status", async () => {
  const output = await planOf(env.DB_OPS, outputQuery(ctx, "e", 1, 7, 50).compile());
  expect(output).toMatch(
    /^SEARCH ai_execution_output USING PRIMARY KEY \(execution_id=\? AND attempt=\? AND seq>\?\)$/,
  );
  const runs = await planOf(env.DB_OPS, { sql: RUNS, parameters: [] });
  expect(runs).toMatch(/SEARCH ai_provider_executions USING (?:COVERING )?INDEX \w+ \(status=\?\)/);
});

describe("what the router learns from is found by index", () => {
  test.each<[string, { sql: string; parameters: readonly unknown[] }]>([
    ["a task's last decision", decidedQuery(ctx.db, "T-1").compile()],
    ["outcomes of the last months", { sql: CELLS, parameters: ["2026-01-01", 10] }],
    ["outcomes to work out anew", { sql: STALE, parameters: [10] }],
    ["what they came to", { sql: REWARD, parameters: ["[]"] }],
  ])("%s", async (_, query) => {
    const plan = await planOf(env.DB_OPS, query);
    expect(plan).not.toMatch(/^SCAN (?:ai_\w+|patch_events|e|l)$/m);
    expect(plan).toMatch(/USING (?:COVERING )?(?:INDEX|PRIMARY KEY)/);
  });
});

test("comments that are due are all that is read of pull requests, in their order", async () => {
  const plan = await planOf(env.DB_OPS, staleCommentsQuery(ctx.db, 200).compile());
  expect(plan).toMatch(/^SCAN pull USING INDEX order_pull_requests_comment_due$/m);
  expect(plan).not.toMatch(/TEMP B-TREE|^SCAN \w+$/m);
});

test("what was told of a cause is found by it", async () => {
  expect(await planOf(env.DB_OPS, { sql: KNOWN, parameters: ["c", "k"] })).toContain("USING INDEX alerts_cause");
});

test("warnings and errors are read without looking at the lines between them", async () => {
  const query = logsQuery(ctx.db, ListLogsSchema.parse({ level: "warn,error" }), { before: null, workspaceId: null });
  expect(await planOf(env.DB_LOGS, query.compile())).toContain("operation_logs_loud");
});

describe("statistics read their days by the rollups' keys", () => {
  const days = { from: "2026-01-01", to: "2026-01-31" };
  const before = { from: "2025-12-01", to: "2025-12-31" };
  const asked = { days, before, project: null, limit: 10 };
  const all = statsStatements({ project: null, order: null });
  test.each<[string, { sql: string; parameters: unknown[] }]>([
    ...all.map((sql, index): [string, { sql: string; parameters: unknown[] }] => [
      `stats ${index + 1}`,
      { sql, parameters: ["2026-01-01", "2026-02-01", ""] },
    ]),
    ...TREND_GROUPS.flatMap((group) =>
      trendsStatements(group, asked).map((statement, index): [string, typeof statement] => [
        `trends by ${group} ${index + 1}`,
        statement,
      ]),
    ),
  ])("%s", async (name, query) => {
    const plan = await planOf(env.DB_OPS, query);
    expect(plan).toMatch(/SEARCH patch_\w+_days USING PRIMARY KEY|SEARCH patch_days USING PRIMARY KEY/);
    expect(plan).not.toMatch(/SCAN (?!newest)|patch_events/);
    // Days stand in the order of the key: nothing is sorted but orders, of which only the newest are shown.
    if (!name.includes("by order 5")) expect(plan).not.toMatch(/TEMP B-TREE/);
  });

  test("of an order, its own events by theirs", async () => {
    for (const sql of statsStatements({ project: null, order: "ORD-1" })) {
      const plan = await planOf(env.DB_OPS, { sql, parameters: ["2026-01-01", "2026-02-01", "ORD-1", ""] });
      expect(plan).toMatch(/SEARCH f USING INDEX patch_events_by_order/);
      expect(plan).not.toMatch(/SCAN (?:f|l|steps|patch_events)\b/);
    }
  });
});
