import { env } from "cloudflare:workers";
import type { CompiledQuery } from "kysely";
import { describe, expect, test } from "vitest";
import { createContext, systemActor } from "../../worker/context.ts";
import { sessionsQuery } from "../../worker/services/auth/listSessions.ts";
import { tokensQuery } from "../../worker/services/auth/listTokens.ts";
import { costsQuery } from "../../worker/services/delivery/buildReport.ts";
import {
  DELIVERY_ORDER_STATEMENTS,
  staleOrdersQuery,
  workspacesOfOrderQuery,
} from "../../worker/services/delivery/deliveryOrders.ts";
import { latestReportsQuery } from "../../worker/services/delivery/getLatestReports.ts";
import { currentReportQuery } from "../../worker/services/delivery/getReport.ts";
import { STORE_STATEMENTS } from "../../worker/services/delivery/storeReport.ts";
import { tasksOfOrderQuery } from "../../worker/services/order/getOrder.ts";
import { ListOrdersSchema, ordersQuery } from "../../worker/services/order/listOrders.ts";
import { projectsQuery } from "../../worker/services/project/listProjects.ts";
import { ListTasksSchema, tasksQuery } from "../../worker/services/task/listTasks.ts";
import { MOVE_TASKS } from "../../worker/services/task/moveByEvents.ts";
import { workspaceTasksQuery } from "../../worker/services/task/syncWorkspaceTasks.ts";

const ctx = createContext(env, { actor: systemActor("test") });
const confined = createContext(env, { actor: { ...systemActor("test"), workspaceId: "w" } });
const factory = createContext(env, { actor: { ...systemActor("test"), kind: "factory", id: "factory:f" } });
const after = { createdAt: "2026-01-01T00:00:00.000Z", id: "x" };
const orders = (filter: object) => ListOrdersSchema.parse(filter);
const tasks = (filter: object) => ListTasksSchema.parse(filter);

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
    ["reports", env.DB_OPS, latestReportsQuery(ctx, 10, null).compile()],
    ["reports, next page", env.DB_OPS, latestReportsQuery(ctx, 10, after).compile()],
    ["reports of a workspace", env.DB_OPS, latestReportsQuery(confined, 10, after).compile()],
    ["reports of a factory", env.DB_OPS, latestReportsQuery(factory, 10, after).compile()],
    ["the report of an order", env.DB_OPS, currentReportQuery(ctx.db, "o").compile()],
    ["orders whose report is behind", env.DB_OPS, staleOrdersQuery(ctx.db, "", 100).compile()],
    ["projects", projects, projectsQuery(ctx.db, null, 50).compile()],
    ["projects, next page", projects, projectsQuery(ctx.db, after, 50).compile()],
    ["orders", projects, ordersQuery(ctx, orders({}), null).compile()],
    ["orders, next page", projects, ordersQuery(ctx, orders({}), after).compile()],
    ["orders by status", projects, ordersQuery(ctx, orders({ status: "failed" }), after).compile()],
    ["orders by project", projects, ordersQuery(ctx, orders({ project_id: "p" }), after).compile()],
    ["orders by factory", projects, ordersQuery(ctx, orders({ factory: "ui-factory" }), after).compile()],
    ["tasks", projects, tasksQuery(ctx, tasks({}), null).compile()],
    ["tasks, next page", projects, tasksQuery(ctx, tasks({}), after).compile()],
    ["tasks by order", projects, tasksQuery(ctx, tasks({ order_id: "o" }), after).compile()],
    ["tasks by status", projects, tasksQuery(ctx, tasks({ status: "failed" }), after).compile()],
  ])("%s, already in order", async (_, database, query) => {
    const plan = await planOf(database, query);
    expect(plan).not.toMatch(/TEMP B-TREE/);
    // A page of everything walks an index in its order; nothing reads a table from end to end.
    expect(plan).toMatch(/^(?:SEARCH|SCAN) \w+ USING (?:COVERING )?INDEX \w+/);
    expect(plan).not.toMatch(/^SCAN \w+$/m);
  });

  // A workspace's own orders and tasks are few; they are found by index and sorted.
  test.each<[string, { sql: string; parameters: readonly unknown[] }]>([
    ["orders of a workspace", ordersQuery(confined, orders({}), after).compile()],
    ["tasks of a workspace's orders", tasksQuery(confined, tasks({}), after).compile()],
    ["tasks of an order", tasksOfOrderQuery(ctx.db, "o").compile()],
    ["tasks of a workspace", workspaceTasksQuery(ctx.db, "w").compile()],
    ["moving tasks by events", { sql: MOVE_TASKS, parameters: ["[]", "w", 0] }],
  ])("%s", async (_, query) => {
    const plan = await planOf(projects, query);
    expect(plan).not.toMatch(/^SCAN (?!move|json_each)\w+(?: USING| *$)/m);
    expect(plan).toMatch(/SEARCH/);
  });
});

describe("what reports read and write", () => {
  test.each<[string, { sql: string; parameters: readonly unknown[] }]>([
    ["the cost of an order", costsQuery(ctx.db, "o").compile()],
    ["the workspaces of an order", workspacesOfOrderQuery(ctx.db, "o").compile()],
    ...[...STORE_STATEMENTS, ...DELIVERY_ORDER_STATEMENTS].map(
      (sql): [string, { sql: string; parameters: unknown[] }] => [
        sql.trim().slice(0, 60),
        {
          sql,
          parameters: Array.from(
            { length: Math.max(...(sql.match(/\?\d+/g) ?? []).map((n) => Number(n.slice(1)))) },
            () => 1,
          ),
        },
      ],
    ),
  ])("%s: no table from end to end", async (_, query) => {
    const plan = await planOf(env.DB_OPS, query);
    // The one row of a cursor aside.
    expect(plan.replace(/SCAN c$/m, "")).not.toMatch(/^SCAN \w+(?: USING| *$)/m);
  });
});
