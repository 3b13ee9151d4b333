import type { LoggingOpsRpc } from "@shared/contracts";
import { env, exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { createContext, factoryActor, systemActor } from "../../worker/context.ts";
import { listLogs } from "../../worker/services/logging/listLogs.ts";
import { trimLogs } from "../../worker/services/logging/trimLogs.ts";
import { LINES_A_MINUTE, writeLogs } from "../../worker/services/logging/writeLogs.ts";
import { answerOf, BOOTSTRAP, call, tokenWith } from "../api/caller.ts";

const factory = (name: string, now?: Date) =>
  createContext(env, { actor: factoryActor(name), ...(now ? { now: () => now } : {}) });
const admin = (now?: Date) => createContext(env, { actor: systemActor("test"), ...(now ? { now: () => now } : {}) });

async function listed(query: Record<string, string>) {
  const page = await listLogs(admin(), query);
  if (!page.ok) throw new Error(page.error.message);
  return page;
}

describe("writing", () => {
  test("a line's source is who the binding's props name, and it is found by each of its fields", async () => {
    const logging = (exports as unknown as { LoggingOps(options: { props: object }): LoggingOpsRpc }).LoggingOps({
      props: { caller: "data-factory" },
    });
    const answer = await logging.write({
      entries: [
        {
          operation: "schema.plan",
          level: "warn",
          message: "a column without a default",
          outcome: "planned",
          orderId: "ORD-1",
          taskId: "task-9",
          patchId: "p.1",
          requestId: "req-7",
          durationMs: 12,
          meta: { column: "Größe" },
        },
      ],
    });
    expect(answer).toEqual({ ok: true, written: 1, dropped: 0 });
    const filters: Record<string, string>[] = [
      { source: "factory:data-factory" },
      { operation: "schema.plan" },
      { level: "warn,error", source: "factory:data-factory" },
      { order_id: "ORD-1" },
      { task_id: "task-9" },
      { patch_id: "p.1" },
      { request_id: "req-7" },
      { search: "WITHOUT a def" },
      { search: "größe" },
      { outcome: "planned" },
    ];
    for (const filter of filters) {
      const { results } = await listed(filter);
      expect(
        results.map(({ message }) => message),
        JSON.stringify(filter),
      ).toEqual(["a column without a default"]);
    }
    expect((await listed({ level: "error", source: "factory:data-factory" })).results).toEqual([]);
    expect((await listed({ to: "2001-01-01" })).results).toEqual([]);
    expect((await listed({ order_id: "ORD-1", from: "2001-01-01" })).results).toHaveLength(1);
  });

  test("no secret is stored: not the environment's in any form, nor what looks like one, in message, meta and names", async () => {
    const secret = env.SESSION_SECRET;
    const planted = {
      own: secret,
      encoded: Buffer.from(secret).toString("base64"),
      address: `https://someone:hunter2secret@example.com/x`,
      token: `vhq_AbCdEfGhJkLm_${"x".repeat(43)}`,
      webhook: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
      github: `ghp_${"a1B2".repeat(9)}`,
      openai: `sk-proj-${"a1B2".repeat(9)}`,
      aws: "AKIAABCDEFGHIJKLMNOP",
      jwt: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r",
      pem: "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY\n-----END EC PRIVATE KEY-----",
      bearer: "Bearer abcdefghijklmnop",
      assigned: `password="correct horse"`,
    };
    const values = [
      secret,
      planted.encoded,
      "hunter2secret",
      planted.token,
      planted.webhook,
      planted.github,
      planted.openai,
      planted.aws,
      planted.jwt,
      "MHcCAQEEIIrYSSNQFaA2Hwf1",
      "abcdefghijklmnop",
      "correct",
      "plain-value-of-a-secret",
    ];
    const wrote = await writeLogs(factory("hostile"), {
      entries: [
        { operation: "leak.message", message: Object.values(planted).join(" | ") },
        {
          operation: "leak.meta",
          message: "see meta",
          meta: { ...planted, nested: [{ deep: planted }], apiKey: "plain-value-of-a-secret", [secret]: 1 },
        },
        { operation: "leak.cut", message: `${"x".repeat(3_990)}${secret}` },
      ],
    });
    expect(wrote).toMatchObject({ ok: true, written: 3 });
    const { results } = await listed({ source: "factory:hostile" });
    const stored = JSON.stringify(results);
    for (const value of values) expect(stored, value).not.toContain(value);
    // Nor half of one where a line was cut.
    expect(stored).not.toContain(secret.slice(0, 9));
    // The search index is made of what is stored.
    expect((await listed({ search: "hunter2secret" })).results).toEqual([]);
  });

  test("a line is bounded: a long message is cut, a long meta says what it was, a batch too large is refused", async () => {
    const source = factory("bounded");
    await writeLogs(source, {
      entries: [
        { operation: "long.message", message: "é".repeat(60_000) },
        {
          operation: "long.meta",
          message: "m",
          meta: { big: Array.from({ length: 5_000 }, (_, index) => `item ${index}`), other: 1 },
        },
      ],
    });
    const { results } = await listed({ source: "factory:bounded" });
    expect(results.find(({ operation }) => operation === "long.message")?.message).toHaveLength(4_000);
    const meta = JSON.parse(results.find(({ operation }) => operation === "long.meta")?.meta ?? "{}");
    expect(meta).toMatchObject({ truncated: true, names: ["big", "other"] });
    const entry = { operation: "a.b", message: "m".repeat(60_000) };
    expect(await writeLogs(source, { entries: Array.from({ length: 5 }, () => entry) })).toMatchObject({
      error: { code: "BODY_TOO_LARGE" },
    });
    expect(
      await writeLogs(source, { entries: Array.from({ length: 101 }, () => ({ operation: "a.b", message: "m" })) }),
    ).toMatchObject({ error: { code: "VALIDATION_FAILED" } });
    expect(await writeLogs(source, { entries: [] })).toEqual({ ok: true, written: 0, dropped: 0 });
    expect(await writeLogs(source, { entries: [{ operation: "a.b", message: "\ud800" }] })).toMatchObject({
      error: { code: "ILL_FORMED_UNICODE" },
    });
  });

  test("a source writes so many lines a minute and no more, also with calls at once; what is dropped is counted and said once", async () => {
    const minute = new Date("2026-11-21T04:05:06.000Z");
    const source = factory("flood", minute);
    const entries = Array.from({ length: 100 }, (_, index) => ({ operation: "flood.line", message: `line ${index}` }));
    const answers = await Promise.all(Array.from({ length: 9 }, () => writeLogs(source, { entries })));
    const sums = answers.map((answer) => (answer.ok ? [answer.written, answer.dropped] : [0, 0]));
    expect(sums.reduce((sum, [written = 0]) => sum + written, 0)).toBe(LINES_A_MINUTE);
    expect(sums.reduce((sum, [, dropped = 0]) => sum + dropped, 0)).toBe(900 - LINES_A_MINUTE);
    const said = await listed({ source: "factory:flood", operation: "log.limit" });
    expect(said.results).toHaveLength(1);
    // The next minute is a new one, and others never were hindered.
    const next = await writeLogs(factory("flood", new Date("2026-11-21T04:06:00.000Z")), { entries });
    expect(next).toEqual({ ok: true, written: 100, dropped: 0 });
    expect(await writeLogs(factory("calm", minute), { entries })).toEqual({ ok: true, written: 100, dropped: 0 });
  });

  test("a token writes under its own name; one confined to a workspace writes and reads there alone", async () => {
    const { token, id } = await tokenWith(["logs:write", "logs:read"], { workspaceId: "own" });
    const write = (entry: object) =>
      call("/api/logs", { token, body: { entries: [{ operation: "cli.run", message: "hello", ...entry }] } });
    expect(await answerOf(await write({}))).toEqual({ ok: true, written: 1, dropped: 0 });
    expect((await write({ workspaceId: "other" })).status).toBe(403);
    const own = (await answerOf(await call("/api/logs", { token }))) as {
      results: { source: string; workspace_id: string }[];
    };
    expect(own.results.map(({ source, workspace_id }) => [source, workspace_id])).toEqual([[`token:${id}`, "own"]]);
  });
});

describe("reading", () => {
  test("pages go on where the last one ended, whatever is written meanwhile; each row once", async () => {
    const at = new Date("2026-11-21T05:00:00.000Z");
    // Of one millisecond: the order is that of arrival.
    for (let round = 0; round < 5; round += 1)
      await writeLogs(factory("paged", at), {
        entries: Array.from({ length: 10 }, (_, index) => ({ operation: "page.line", message: `${round}.${index}` })),
      });
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await listed({ source: "factory:paged", limit: "7", ...(cursor === null ? {} : { cursor }) });
      seen.push(...page.results.map(({ message }) => message));
      cursor = page.cursor;
      if (seen.length === 14)
        await writeLogs(factory("paged"), { entries: [{ operation: "page.line", message: "late" }] });
    } while (cursor !== null);
    expect(seen).toHaveLength(50);
    expect(new Set(seen).size).toBe(50);
    expect(seen[0]).toBe("4.9");
    expect(seen.at(-1)).toBe("0.0");
    expect(await listLogs(admin(), { cursor: "bm9uZQ" })).toMatchObject({ error: { code: "VALIDATION_FAILED" } });
  });

  test("a tail sees each new line once and none twice, however writers and readers fall together", async () => {
    const start = (await listed({ source: "factory:tailed", limit: "1" })).last;
    const writers = Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        writeLogs(factory("tailed"), {
          entries: [0, 1, 2].map((line) => ({ operation: "tail.line", message: `${index}.${line}` })),
        }),
      ),
    );
    let finished = false;
    void writers.then(() => (finished = true));
    const seen: string[] = [];
    let last = start;
    for (;;) {
      const isEnd = finished;
      const page = await listed({ source: "factory:tailed", after: String(last), limit: "4" });
      expect(page.last).toBeGreaterThanOrEqual(last);
      last = page.last;
      seen.push(...page.results.map(({ message }) => message));
      if (isEnd && page.results.length === 0) break;
    }
    expect(seen).toHaveLength(60);
    expect(new Set(seen).size).toBe(60);
  });

  test("exports are NDJSON of all that the filters leave, over as many pages as it takes", async () => {
    const at = new Date("2026-11-20T05:00:00.000Z");
    for (let round = 0; round < 6; round += 1)
      await writeLogs(factory("exported", at), {
        entries: Array.from({ length: 100 }, () => ({ operation: "export.line", message: "=1+1" })),
      });
    const response = await call("/api/logs?source=factory:exported&format=ndjson");
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    const rows = (await response.text())
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: number });
    expect(new Set(rows.map(({ id }) => id)).size).toBe(600);
    const few = await call("/api/logs?source=factory:exported&format=ndjson&limit=3");
    expect((await few.text()).trimEnd().split("\n")).toHaveLength(3);
    expect((await call("/api/logs?format=csv")).status).toBe(400);
  });
});

test("what is older than it is kept is deleted, with its place in the search; the rest stays", async () => {
  const now = new Date("2026-11-21T00:00:00.000Z");
  const days = (count: number) => new Date(now.getTime() - count * 86_400_000);
  const line = (level: "debug" | "info", message: string) => ({
    entries: [{ operation: "keep.line", level, message }],
  });
  await writeLogs(factory("kept", days(100)), line("info", "ancient words"));
  await writeLogs(factory("kept", days(89)), line("info", "old words"));
  await writeLogs(factory("kept", days(8)), line("debug", "stale words"));
  await writeLogs(factory("kept", days(6)), line("debug", "fresh words"));
  expect(await trimLogs(admin(now))).toMatchObject({ ok: true, lines: 2 });
  expect((await listed({ source: "factory:kept" })).results.map(({ message }) => message)).toEqual([
    "fresh words",
    "old words",
  ]);
  expect((await listed({ search: "ancient words" })).results).toEqual([]);
  expect((await listed({ search: "old words" })).results).toHaveLength(1);
});

test("a revert leaves a line that names patch, outcome and who asked", async () => {
  const response = await call("/api/patches/revert", {
    body: { workspaceId: "nowhere", target: { by: "patch", id: "no-such-patch" }, reason: `by ${BOOTSTRAP}` },
    headers: { "x-request-id": "revert-1" },
  });
  expect(response.ok).toBe(false);
  await expect
    .poll(async () => (await listed({ operation: "patch.revert", request_id: "revert-1" })).results.length)
    .toBe(1);
  const [row] = (await listed({ operation: "patch.revert", request_id: "revert-1" })).results;
  expect(row).toMatchObject({ source: "system:patches", level: "warn", outcome: "refused", patch_id: "no-such-patch" });
  expect(row?.meta).toContain("token:bootstrap");
  expect(row?.meta).not.toContain(BOOTSTRAP);
});
