import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { DELIVERY_STATEMENTS } from "../../worker/services/patch/d1Logger.ts";
import { listPatchLogs, ListPatchLogsSchema, patchLogsQuery } from "../../worker/services/patch/listPatchLogs.ts";
import { batchQuery, patchQuery, taskQuery } from "../../worker/services/patch/locate.ts";
import { READ_PROJECTION } from "../../worker/services/patch/projection.ts";
import { recordEvents } from "../../worker/services/patch/recordEvents.ts";
import { context, delivered, mint, value } from "./workspaceHarness.ts";

/** Twelve events, an hour apart, of two files, three operations and two orders. */
const OPS = ["append", "replace-block", "create-file"];
beforeAll(async () => {
  for (const orderId of ["ORD-A", "ORD-B"]) {
    const workspaceId = mint("logs");
    const events = Array.from({ length: 6 }, (_, n) => ({
      patch_id: `${orderId}-p${n}`,
      file: n % 2 === 0 ? "src/größe/index.ts" : 'src/it"s_100%.ts',
      op: OPS[n % 3] ?? "append",
      task_id: `T${n % 2}`,
      ts: `2026-03-0${orderId === "ORD-A" ? 1 : 2}T0${n}:00:00.000Z`,
      event_type: n === 5 ? ("patch_failed" as const) : ("patch_applied" as const),
      meta: { requester: n < 3 ? "alice" : "bob", reason: `Because of ${n}` },
    }));
    value(await recordEvents(context(), { workspaceId, orderId, events }));
    await delivered(workspaceId);
  }
});

const list = async (query: Record<string, unknown> = {}) => value(await listPatchLogs(context(), query));
const ids = async (query: Record<string, unknown>) => (await list(query)).results.map((row) => row.patch_id);

describe("the log of patches", () => {
  it("lists the newest first, in the documents' columns", async () => {
    const { results, cursor } = await list();
    expect(results).toHaveLength(12);
    expect(cursor).toBeNull();
    expect(results[0]).toMatchObject({
      patch_id: "ORD-B-p5",
      op: "create-file",
      ts_check_ok: null,
      event_type: "patch_failed",
      created_at: "2026-03-02T05:00:00.000Z",
      requester: "bob",
    });
    expect(JSON.parse(results[0]?.meta ?? "")).toEqual({ requester: "bob", reason: "Because of 5", external: true });
  });

  it.each([
    [{ order_id: "ORD-A", task_id: "T1" }, ["ORD-A-p5", "ORD-A-p3", "ORD-A-p1"]],
    [{ requester: "alice", op: "append" }, ["ORD-B-p0", "ORD-A-p0"]],
    [{ event_type: "patch_failed" }, ["ORD-B-p5", "ORD-A-p5"]],
    [{ from: "2026-03-01T04:00:00Z", to: "2026-03-01", order: "asc" }, ["ORD-A-p4", "ORD-A-p5"]],
    [{ file: "GRÖSSE" }, []],
    [{ file: "größe", order_id: "ORD-B" }, ["ORD-B-p4", "ORD-B-p2", "ORD-B-p0"]],
    [{ search: "because of 4" }, ["ORD-B-p4", "ORD-A-p4"]],
    [{ search: "ord-a-p3" }, ["ORD-A-p3"]],
    [{ search: "p3" }, ["ORD-B-p3", "ORD-A-p3"]],
    [{ file: 'it"s_100%', order_id: "ORD-A", limit: "1" }, ["ORD-A-p5"]],
    [{ limit: "2", offset: "1" }, ["ORD-B-p4", "ORD-B-p3"]],
  ])("filters by %j", async (query, expected) => {
    expect(await ids(query)).toEqual(expected);
  });

  it.each([
    '"',
    '""',
    "' OR 1=1 --",
    "%",
    "_",
    "a_100",
    "*",
    "NEAR(a b)",
    "x".repeat(200),
    "ö".repeat(100),
    "-abc",
    "{",
    "👍👍👍",
    "\\",
    "AND",
    "((",
  ])("takes %j as the text it is", async (search) => {
    const expected = (await list()).results.filter((row) =>
      [row.file_path, row.op, row.patch_id, row.meta].some((text) =>
        text?.toLowerCase().includes(search.toLowerCase()),
      ),
    );
    expect((await list({ search })).results).toEqual(expected);
  });

  it("searched for lives, has all of a patch of which one event has the text: its last word is its last", async () => {
    const workspaceId = mint("lives");
    const life = [
      { event_type: "patch_requested", meta: { reason: "a needle in it" } },
      { event_type: "patch_applied", meta: {} },
      { event_type: "patch_reverted", meta: { reason: "not wanted" } },
    ].map((event, hour) => ({
      ...event,
      patch_id: "lives-1",
      file: "lives.ts",
      op: "append",
      ts: `2026-01-01T0${hour}:00:00.000Z`,
    }));
    value(await recordEvents(context(), { workspaceId, events: life }));
    await delivered(workspaceId);
    const types = async (query: Record<string, unknown>) =>
      (await list({ search: "a needle", ...query })).results.map(({ event_type }) => event_type);
    expect(await types({})).toEqual(["patch_requested"]);
    expect(await types({ lives: "true" })).toEqual(["patch_reverted", "patch_applied", "patch_requested"]);
  });

  it("narrowed to a factory, has the whole life of each patch it asked for, whoever reverted it", async () => {
    const workspaceId = mint("by");
    const event = (patch_id: string, event_type: string, hour: number, requester?: string) => ({
      patch_id,
      file: "by.ts",
      op: "append",
      event_type,
      ts: `2026-02-01T0${hour}:00:00.000Z`,
      meta: requester === undefined ? {} : { requester },
    });
    const first = [event("by-ui", "patch_applied", 1, "ui-factory"), event("by-data", "patch_applied", 2, "data")];
    // The later events come in another delivery, when the first are rows already.
    const later = [event("by-ui", "patch_reverted", 3, "carol"), event("by-data", "patch_validated", 4)];
    for (const events of [first, later]) {
      value(await recordEvents(context(), { workspaceId, events }));
      await delivered(workspaceId);
    }
    const lifeOf = async (factory: string) =>
      (await list({ factory })).results.map(({ patch_id, event_type }) => [patch_id, event_type]);
    expect(await lifeOf("ui-factory")).toEqual([
      ["by-ui", "patch_reverted"],
      ["by-ui", "patch_applied"],
    ]);
    expect(await lifeOf("data")).toEqual([
      ["by-data", "patch_validated"],
      ["by-data", "patch_applied"],
    ]);
    expect(await lifeOf("carol")).toEqual([]);
  });

  it("goes on after a cursor, each row once, while rows are added", async () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof list>> = await list({
        limit: 5,
        order_id: "ORD-A",
        ...(cursor ? { cursor } : {}),
      });
      seen.push(...page.results.map((row) => row.patch_id));
      if (cursor === null) {
        const workspaceId = mint("later");
        const events = [{ patch_id: "later", file: "a.ts", op: "append", ts: "2026-04-01T00:00:00.000Z" }];
        value(await recordEvents(context(), { workspaceId, orderId: "ORD-A", events }));
        await delivered(workspaceId);
      }
      cursor = page.cursor;
    } while (cursor !== null);
    expect(seen).toEqual([5, 4, 3, 2, 1, 0].map((n) => `ORD-A-p${n}`));
  });

  it.each([
    { limit: 501 },
    { limit: 0 },
    { offset: -1 },
    { order: "up" },
    { from: "yesterday" },
    { cursor: "!" },
    { search: "" },
  ])("refuses %j", async (query) => {
    expect(await listPatchLogs(context(), query)).toMatchObject({ ok: false, error: { code: "VALIDATION_FAILED" } });
  });
});

describe("every query", () => {
  const { db } = context();
  const queries: [string, string, readonly unknown[]][] = [
    ...DELIVERY_STATEMENTS.map((sql): [string, string, unknown[]] => [sql.trim().slice(0, 40), sql, []]),
    ["reading rows to verify", READ_PROJECTION, []],
    ...Object.entries({ patch: patchQuery(db, "p"), batch: batchQuery(db, "b"), task: taskQuery(db, "t") }).map(
      ([name, query]): [string, string, readonly unknown[]] => [name, query.compile().sql, query.compile().parameters],
    ),
    ...[
      {},
      { task_id: "T" },
      { order_id: "O" },
      { requester: "r" },
      { op: "append" },
      { factory: "ui-factory" },
      { event_type: "patch_failed" },
      { file: "index" },
      { search: "index", order: "asc" },
      { from: "2026-03-01", to: "2026-03-02" },
      { search: "ab", order_id: "O" },
      { search: "index", lives: "true" },
    ].map((query): [string, string, readonly unknown[]] => {
      const parsed = ListPatchLogsSchema.parse(query);
      const after = { createdAt: "2026-03-01T00:00:00.000Z", id: 7 };
      const compiled = patchLogsQuery(db, parsed, { after, workspaceId: null }).compile();
      return [`the log by ${JSON.stringify(query)}`, compiled.sql, compiled.parameters];
    }),
  ];

  it.each(queries)("reads by an index: %s", async (_, sql, parameters) => {
    const bindings = parameters.length > 0 ? parameters : bindingsOf(sql);
    const { results } = await env.DB_OPS.prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .bind(...bindings)
      .all<{ detail: string }>();
    const scans = results.map((row) => row.detail).filter((detail) => detail.startsWith("SCAN"));
    // A list given as JSON is walked; so is an FTS5 index, by its MATCH.
    expect(
      scans.filter((detail) => !/^SCAN (?:json_each|patch_events_search) VIRTUAL TABLE INDEX/.test(detail)),
    ).toEqual([]);
  });
});

/** A value for each numbered parameter: JSON where the statement reads a list from the first. */
function bindingsOf(sql: string): unknown[] {
  const count = Math.max(0, ...[...sql.matchAll(/\?(\d+)/g)].map((match) => Number(match[1])));
  return Array.from({ length: count }, (_, n) => (n === 0 && sql.includes("json_each") ? "[]" : 1));
}
