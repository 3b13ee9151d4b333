import { env } from "cloudflare:workers";
import { afterAll, beforeEach, expect, test } from "vitest";
import { SCHEDULE } from "../../worker/schedule.ts";
import { KEEP_DAYS, KEPT_LINES, trimOps } from "../../worker/services/ops/trimOps.ts";
import { emptyOps, opsContext, Outside, rowsIn } from "./opsHarness.ts";
import { value } from "./workspaceHarness.ts";

beforeEach(emptyOps);
afterAll(emptyOps);

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 20, 3, 15);
const ago = (days: number): string => new Date(NOW - days * DAY).toISOString();
const trim = () => trimOps(opsContext(new Outside(), { now: () => NOW }));

async function anIssue(fingerprint: string, status: string): Promise<void> {
  await env.DB_OPS.prepare(
    "INSERT INTO ops_issues (kind, severity, status, prompt, analysis, fingerprint, created_at) VALUES ('worker-log', 2, ?2, '', '', ?1, '')",
  )
    .bind(fingerprint, status)
    .run();
}
async function lines(fingerprint: string | null, ...days: number[]): Promise<void> {
  const insert = env.DB_LOGS.prepare(
    "INSERT INTO worker_logs (source, worker, level, message, ts, key, fingerprint) VALUES ('cloudflare', 'api', 'error', 'x', ?1, ?2, ?3)",
  );
  for (let at = 0; at < days.length; at += 50) {
    await env.DB_LOGS.batch(
      days.slice(at, at + 50).map((day) => insert.bind(ago(day), crypto.randomUUID(), fingerprint)),
    );
  }
}
const countAll = async (): Promise<void> =>
  void (await env.DB_OPS.prepare("UPDATE ops_cursors SET position = 1000000").run());
const kept = async () =>
  Object.fromEntries(
    (await rowsIn(env.DB_LOGS, "SELECT fingerprint, count(*) AS n FROM worker_logs GROUP BY fingerprint")).map(
      ({ fingerprint, n }) => [String(fingerprint), n],
    ),
  );

test("lines go after a month; the newest of an issue that is not over stay, however old", async () => {
  for (const [fingerprint, status] of [
    ["open", "open"],
    ["worked-on", "in_progress"],
    ["over", "closed"],
  ] as const) {
    await anIssue(fingerprint, status);
    await lines(fingerprint, 400, 40, 31, 29, 1);
  }
  await lines(null, 31, 29);
  await lines("many", ...Array.from({ length: KEPT_LINES + 30 }, (_, n) => 200 - n));
  await anIssue("many", "triaged");
  await countAll();
  expect(value(await trim())).toMatchObject({ lines: 3 + 1 + 30 });
  expect(await kept()).toEqual({ open: 5, "worked-on": 5, over: 2, null: 1, many: KEPT_LINES });
  const [oldest] = await rowsIn(env.DB_LOGS, "SELECT min(ts) AS ts FROM worker_logs WHERE fingerprint = 'many'");
  expect(oldest).toEqual({ ts: ago(200 - 30) });
  expect(value(await trim())).toMatchObject({ lines: 0 });
});

test("what is not counted yet stays, whatever its age", async () => {
  await lines("late", 60, 50, 40);
  const [second] = await rowsIn(env.DB_LOGS, "SELECT id FROM worker_logs ORDER BY id LIMIT 1 OFFSET 1");
  await env.DB_OPS.prepare("UPDATE ops_cursors SET position = ?1 WHERE name = 'worker-log'").bind(second?.id).run();
  expect(value(await trim())).toMatchObject({ lines: 2 });
  expect(await kept()).toEqual({ late: 1 });
});

test("more than one statement's rows are walked to the end, past those that stay", async () => {
  await anIssue("open", "open");
  await lines("open", ...Array.from({ length: KEPT_LINES }, () => 300));
  await lines("gone", ...Array.from({ length: 2_100 }, (_, n) => 100 + (n % 90)));
  await countAll();
  expect(value(await trim())).toMatchObject({ lines: 2_100 });
  expect(await kept()).toEqual({ open: KEPT_LINES });
});

test("scans go after three months, but not the last one nor one that runs; commits of what is over too, issues never", async () => {
  const scan = env.DB_OPS.prepare(
    "INSERT INTO ops_scans (scope, started_at, finished_at, outcome) VALUES ('full', ?1, ?2, ?3)",
  );
  await env.DB_OPS.batch([
    scan.bind(ago(120), ago(120), "done"),
    scan.bind(ago(119), null, null),
    scan.bind(ago(100), ago(100), "stuck"),
    scan.bind(ago(95), ago(95), "done"),
  ]);
  await anIssue("over", "closed");
  await anIssue("open", "open");
  await env.DB_OPS.prepare(
    "INSERT INTO ops_issue_commits (issue_id, commit_sha, first_seen) SELECT id, commit_sha, seen FROM ops_issues JOIN (SELECT 'a' AS commit_sha, ?1 AS seen UNION ALL SELECT 'b', ?2)",
  )
    .bind(ago(91), ago(89))
    .run();
  expect(value(await trim())).toEqual({ ok: true, lines: 0, scans: 2, commits: 1 });
  expect(await rowsIn(env.DB_OPS, "SELECT started_at FROM ops_scans ORDER BY id")).toEqual([
    { started_at: ago(119) },
    { started_at: ago(95) },
  ]);
  expect(await rowsIn(env.DB_OPS, "SELECT count(*) AS n FROM ops_issues")).toEqual([{ n: 2 }]);
});

test("it runs each night, keeps lines for longer than any source is read back, and is an administrator's", async () => {
  expect(SCHEDULE["15 3 * * *"]?.map(({ name }) => name)).toContain("ops-retention");
  // A source is read back for seven days, and a run that does not end holds its window open for two.
  expect(KEEP_DAYS.logs).toBeGreaterThan(7 + 2);
  const ctx = opsContext(new Outside());
  expect(await trimOps({ ...ctx, actor: { ...ctx.actor, scopes: new Set(["ops:write"] as const) } })).toMatchObject({
    error: { code: "FORBIDDEN" },
  });
});
