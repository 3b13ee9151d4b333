import { env } from "cloudflare:workers";
import { type Stats, StatsSchema, type Trends, TrendsSchema } from "@shared/contracts";
import { beforeAll, describe, expect, test } from "vitest";
import { getStats } from "../../worker/services/analytics/getStats.ts";
import { getTrends } from "../../worker/services/analytics/getTrends.ts";
import { cellOf } from "../../worker/services/analytics/exportRows.ts";
import { addDays, mondayOf, weekName } from "../../worker/services/analytics/days.ts";
import { percentagesOf } from "../../worker/services/analytics/percentages.ts";
import { aStep, chainOfSaid, deliver, type Said } from "../rpc/rollupHarness.ts";
import { admin, answerOf, call, problemOf, tokenWith } from "./caller.ts";

/** Hours are counted from 30 January 2026. */
const DAY = 24;
const of = (patch: number, hour: number, words: Partial<Said>[], fields: Partial<Said> = {}): Said[] =>
  words.map((word, index) => aStep({ patch, hour: hour + index, ...fields, ...word }));

const SAID: Said[] = [
  // Friday 30 January: one patch that passes its check, one that is refused, one without a check.
  ...of(1, 1, [{ word: "patch_requested" }, { word: "patch_applied" }, { word: "patch_validated", check: true }]),
  ...of(2, 2, [{ word: "patch_requested" }, { word: "patch_failed", error: "line 7 of src/a.ts" }]),
  ...of(3, 3, [{ word: "patch_requested" }, { word: "patch_applied" }], {
    requester: "data-factory",
    provider: "jules",
  }),
  // Monday 2 February: one applied on Tuesday and reverted, one refused with the same kind of error, one not settled.
  ...of(4, 3 * DAY, [
    { word: "patch_requested" },
    { word: "patch_applied", hour: 4 * DAY },
    { word: "patch_reverted", hour: 5 * DAY },
  ]),
  ...of(5, 3 * DAY, [{ word: "patch_requested" }, { word: "patch_failed", error: "line 8 of src/b.ts" }], {
    order: "ORD-2",
    project: null,
  }),
  ...of(6, 3 * DAY, [{ word: "patch_requested" }], { order: null, project: "api", requester: "=cmd|' /C calc'!A0" }),
];
const RANGE = "from=2026-01-30&to=2026-02-03";

beforeAll(async () => {
  await deliver(chainOfSaid("ws-analytics", SAID), [7], []);
});

const statsOf = async (query: string): Promise<Stats> =>
  StatsSchema.strict().parse(await answerOf(await call(`/api/patches/stats?${query}`)));
const trendsOf = async (query: string): Promise<Trends> =>
  TrendsSchema.strict().parse(await answerOf(await call(`/api/patches/trends?${query}`)));
const sum = (parts: readonly { pct: number }[]) => Math.round(parts.reduce((all, { pct }) => all + pct, 0) * 100) / 100;

describe("stats", () => {
  test("have the documents' shape, count patches by their last word, and a missing check as neither", async () => {
    const stats = await statsOf(RANGE);
    expect(stats).toMatchObject({
      ok: true,
      range: { from: "2026-01-30T00:00:00.000Z", to: "2026-02-03T23:59:59.999Z" },
      totals: {
        total: 6,
        ok: 1,
        failed: 2,
        unchecked: 3,
        stands: 2,
        refused: 2,
        reverted: 1,
        requested: 1,
        success_rate: 33.33,
      },
      daily: [
        { day: "2026-02-02", total: 3, ok: 0, failed: 1, reverted: 1 },
        { day: "2026-01-30", total: 3, ok: 1, failed: 1 },
      ],
      byFactory: [
        { factory: "ui-factory", total: 4, success: 1, success_rate: 33.3 },
        { factory: "=cmd|' /C calc'!A0", total: 1, success_rate: null },
        { factory: "data-factory", total: 1, success: 0, success_rate: null, mean_ms: 3_600_000 },
      ],
      byProvider: [
        { provider: null, total: 5 },
        { provider: "jules", total: 1 },
      ],
      errors: [{ error: "line <n> of <path>", code: "STALE_CONTENT", occurrences: 2, pct: 100 }],
      durations: { count: 3, p50_ms: 3_600_000, p95_ms: 86_400_000 },
    });
    expect(stats.byOp.map(({ op, count }) => [op, count])).toEqual([
      ["append", 3],
      ["prepend", 3],
    ]);
  });

  test("have shares that add up to 100 in every list", async () => {
    const stats = await statsOf(RANGE);
    for (const list of [stats.byStatus, stats.byFactory, stats.byOp, stats.byProvider, stats.errors]) {
      expect(sum(list)).toBe(100);
    }
    expect(percentagesOf([1, 1, 1])).toEqual([33.34, 33.33, 33.33]);
    expect(percentagesOf([0, 0])).toEqual([0, 0]);
  });

  test("are of one project, or of one order's own patches, where that is asked for", async () => {
    expect((await statsOf(`${RANGE}&project=web`)).totals).toMatchObject({ total: 4, failed: 1 });
    expect((await statsOf(`${RANGE}&project=api`)).byFactory).toHaveLength(1);
    const order = await statsOf(`${RANGE}&order=ORD-2`);
    expect(order).toMatchObject({
      totals: { total: 1, refused: 1 },
      errors: [{ code: "STALE_CONTENT", occurrences: 1 }],
      daily: [{ day: "2026-02-02" }],
    });
    const first = await statsOf(`${RANGE}&order=ORD-1`);
    expect(first.durations).toMatchObject({ count: 3 });
    expect(await statsOf(`${RANGE}&order=ORD-1&project=web`)).toEqual(first);
    expect((await statsOf(`${RANGE}&order=ORD-1&project=api`)).totals.total).toBe(0);
    expect((await statsOf(`from=2026-01-31&to=2026-02-03&order=ORD-1`)).totals.total).toBe(1);
  });

  test("of nothing are zeros", async () => {
    expect(await statsOf("from=2020-01-01&to=2020-01-31")).toMatchObject({
      totals: { total: 0, success_rate: null },
      daily: [],
      durations: { count: 0, p50_ms: null },
    });
  });

  test("read as many rows as there are days and keys", async () => {
    const statsQueries = await import("../../worker/services/analytics/statsQueries.ts");
    const slice = { project: null, order: null };
    const { rowsRead } = await statsQueries.readStats(env.DB_OPS, { from: "2026-01-30", to: "2026-02-03" }, slice);
    // Two days with patches: one row of totals each, factories 4, operations 4, providers 3, errors 2, buckets 2; and of
    // each of the six tables the row at which its range is known to be over.
    expect(rowsRead).toBeLessThanOrEqual(2 + 4 + 4 + 3 + 2 + 2 + 6);
  });
});

describe("trends", () => {
  test("by week and by day have their counts, what was before, and shares that add up", async () => {
    const weekly = await trendsOf(`group=weekly&${RANGE}`);
    expect(weekly).toMatchObject({
      group: "weekly",
      // Weeks begin on Mondays.
      range: { fromDate: "2026-01-26T00:00:00.000Z", toDate: "2026-02-03T23:59:59.999Z" },
      results: [
        {
          week: "2026-05",
          total: 3,
          ok: 0,
          failed: 1,
          durations: { count: 1 },
          first_patch: "2026-02-02T00:00:00.003Z",
        },
        { week: "2026-04", total: 3, ok: 1, failed: 1, last_patch: "2026-01-30T04:00:00.003Z", previous: null },
      ],
    });
    expect(sum(weekly.results)).toBe(100);
    const daily = await trendsOf(`group=daily&${RANGE}`);
    expect(daily.results.map(({ day, previous }) => [day, previous?.total ?? null])).toEqual([
      ["2026-02-02", 0],
      ["2026-01-30", null],
    ]);
  });

  test.each([
    [
      "phase",
      [
        { phase: null, total: 5 },
        { phase: "build", total: 1 },
      ],
    ],
    [
      "provider",
      [
        { provider: null, total: 5 },
        { provider: "jules", total: 1, durations: { mean_ms: 3_600_000 } },
      ],
    ],
  ] as const)("by %s name what has none as null", async (group, results) => {
    const trends = await trendsOf(`group=${group}&${RANGE}`);
    expect(trends.results).toMatchObject(results);
    expect(sum(trends.results)).toBe(100);
  });

  test("by order have each order's first and last, the one worked on last first, as many as asked for", async () => {
    const trends = await trendsOf(`group=order&${RANGE}`);
    expect(trends.results).toMatchObject([
      { order_id: "ORD-1", total: 4, first_patch: "2026-01-30T01:00:00.003Z", last_patch: "2026-02-04T00:00:00.003Z" },
      { order_id: "ORD-2", total: 1 },
      { order_id: null, total: 1 },
    ]);
    const one = await trendsOf(`group=order&${RANGE}&limit=1`);
    expect(one).toMatchObject({ more: true, results: [{ order_id: "ORD-1", pct: 100 }] });
    const later = await trendsOf("group=order&from=2026-02-01&to=2026-02-03");
    expect(later.results[0]).toMatchObject({ order_id: "ORD-1", total: 1, previous: { total: 3 }, change_pct: -66.7 });
  });

  test("are compared with as many days before", async () => {
    expect(await trendsOf("group=daily&from=2026-02-02&to=2026-02-05")).toMatchObject({
      totals: { total: 3 },
      comparison: {
        range: { fromDate: "2026-01-29T00:00:00.000Z", toDate: "2026-02-01T23:59:59.999Z" },
        totals: { total: 3 },
        durations: { count: 2 },
        change: { total: 0, success_rate: -50 },
      },
    });
  });

  test("of too short a history say so", async () => {
    expect((await trendsOf(`group=daily&${RANGE}`)).anomalies).toMatchObject({
      status: "not enough history",
      window: { weeks: 12, history_from: "2026-01-30" },
      found: [],
    });
  });
});

test("a week has the name that SQLite gives its Monday, over the ends of thirty years", async () => {
  const mondays = Array.from({ length: 30 * 53 }, (_, week) => addDays("2000-01-03", 7 * week));
  const named = await env.DB_OPS.prepare("SELECT strftime('%Y-%W', value) AS week FROM json_each(?1)")
    .bind(JSON.stringify(mondays))
    .all<{ week: string }>();
  expect(mondays.map(weekName)).toEqual(named.results.map(({ week }) => week));
  // Each day of a week has the same Monday, whichever year it is in.
  for (const monday of mondays) expect(mondayOf(addDays(monday, 6))).toBe(monday);
});

describe("the doors", () => {
  test("under /api/analytics answer the same", async () => {
    for (const verb of [`stats?${RANGE}`, `trends?group=phase&${RANGE}`, "logs?order=asc"]) {
      expect(await answerOf(await call(`/api/analytics/${verb}`))).toEqual(
        await answerOf(await call(`/api/patches/${verb}`)),
      );
    }
  });

  test.each([
    "stats?from=yesterday",
    "stats?from=2026-02-02&to=2026-02-01",
    "stats?from=0001-01-01&to=2026-02-01",
    // Years whose neighbours are no days of four digits any more: arithmetic on them must not even begin.
    "stats?from=9999-12-30&to=9999-12-31",
    "stats?from=0000-01-01T00:00:00%2B01:00&to=0000-01-05",
    "trends?group=weekly&from=0000-01-01&to=0000-01-05",
    "trends?group=daily&from=9999-12-30&to=9999-12-31",
    "trends?to=0000-01-05",
    "stats?project=a%20b",
    "stats?format=xlsx",
    "trends?group=hourly",
    "trends?limit=0",
    "logs?format=csv&limit=x",
    "logs?format=ndjson&cursor=x",
  ])("refuse %s with what is wrong", async (query) => {
    const response = await call(`/api/patches/${query}`);
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({ code: "VALIDATION_FAILED" });
  });

  test("are closed to a token that is confined to a workspace", async () => {
    const { token } = await tokenWith(["patches:read"], { workspaceId: "ws-analytics" });
    for (const path of ["/api/patches/stats", "/api/patches/trends", "/api/telemetry/pipeline", "/api/telemetry/hil"]) {
      expect((await call(path, { token })).status).toBe(403);
    }
  });

  test("say that the database does not answer, and nothing else of it", async () => {
    await env.DB_OPS.exec("ALTER TABLE patch_days RENAME TO patch_days_away");
    try {
      expect(await getStats(admin(), {})).toMatchObject({ ok: false, error: { code: "DATABASE_UNAVAILABLE" } });
      expect(await getTrends(admin(), {})).toMatchObject({ ok: false, error: { code: "DATABASE_UNAVAILABLE" } });
      expect((await problemOf(await call("/api/telemetry/pipeline"))).code).toBe("DATABASE_UNAVAILABLE");
    } finally {
      await env.DB_OPS.exec("ALTER TABLE patch_days_away RENAME TO patch_days");
    }
  });
});

describe("an export", () => {
  const textOf = async (path: string) => {
    const response = await call(path);
    expect(response.status).toBe(200);
    return { text: await response.text(), headers: response.headers };
  };

  test("of the log has every event once, as CSV and as NDJSON", async () => {
    const ndjson = await textOf("/api/patches/logs?format=ndjson&order=asc");
    expect(ndjson.headers.get("content-type")).toBe("application/x-ndjson");
    const events = ndjson.text
      .trimEnd()
      .split("\n")
      .map((line): { seq: number } => JSON.parse(line));
    expect(events.map(({ seq }) => seq).toSorted((a, b) => a - b)).toEqual(SAID.map((_, index) => index + 1));
    const csv = await textOf("/api/patches/logs?format=csv");
    expect(csv.headers.get("content-disposition")).toBe('attachment; filename="patch-events.csv"');
    expect(csv.text.trimEnd().split("\r\n")).toHaveLength(SAID.length + 1);
    expect((await textOf("/api/patches/logs?format=csv&limit=3")).text.trimEnd().split("\r\n")).toHaveLength(4);
  });

  test("goes on over its pages, and stops where its reader does", async () => {
    const long = Array.from({ length: 1300 }, (_, index) => aStep({ patch: index, order: "ORD-LONG", hour: 60 * DAY }));
    await deliver(chainOfSaid("ws-long", long), [200, 400, 600, 800, 1000, 1200], []);
    const { text } = await textOf("/api/patches/logs?format=ndjson&order_id=ORD-LONG");
    const seqs = text
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { seq: number }).seq);
    expect(new Set(seqs).size).toBe(1300);
    const response = await call("/api/patches/logs?format=ndjson&order_id=ORD-LONG");
    await response.body?.cancel();
  });

  test("of stats and trends has a row each, and no cell that a spreadsheet would calculate", async () => {
    const stats = await textOf(`/api/patches/stats?${RANGE}&format=csv`);
    expect(stats.text).toContain("byFactory,'=cmd|' /C calc'!A0,,1,");
    expect(stats.text).toMatch(/^totals,,,6,1,2,/m);
    const trends = await textOf(`/api/patches/trends?${RANGE}&group=daily&format=ndjson`);
    expect(
      trends.text
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { day: string }).day),
    ).toEqual(["2026-02-02", "2026-01-30"]);
  });

  test.each([
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["\t=1", "'\t=1"],
    ["  =1", "'  =1"],
    ["＝1", "'＝1"],
    ['a,"b"\n', '"a,""b""\n"'],
    [-1, "-1"],
    [null, ""],
    [{ a: 1 }, '"{""a"":1}"'],
  ])("writes %j as %j", (value, cell) => {
    expect(cellOf(value)).toBe(cell);
  });
});

describe("telemetry", () => {
  test.each(["pipeline", "agents", "ops", "hil"])("%s answers from what is on record", async (part) => {
    const response = await call(`/api/telemetry/${part}`);
    expect(response.status).toBe(200);
    expect(await answerOf(response)).toMatchObject({ ok: true });
  });

  test("says what waits and runs, and plainly which parts nothing fills yet", async () => {
    expect(await answerOf(await call("/api/telemetry/hil"))).toMatchObject({
      queue: { available: true, open: 0, answered: 0, waited_ms: null },
      waiting: { executions: 0, failed_tasks: 0 },
    });
    expect(await answerOf(await call("/api/telemetry/agents"))).toMatchObject({
      capacity: { available: false, reason: expect.any(String) },
      providers: { available: false },
    });
    expect(await answerOf(await call("/api/telemetry/ops"))).toMatchObject({
      scans: { available: false, reason: expect.any(String) },
      broadcast: { ok: true },
      delivery: { workspaces: 2 },
    });
  });
});
