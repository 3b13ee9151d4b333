import { problemOf, vibeError } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { claimIssue } from "../../worker/services/ops/claimIssue.ts";
import { scheduledScan } from "../../worker/services/ops/scheduledScan.ts";
import { runSchedule } from "../../worker/services/schedule/runSchedule.ts";
import { scheduled } from "../../worker/schedule.ts";
import { aBuildLine, aWorkerLine, emptyOps, opsContext, Outside, rowsIn, scanOf } from "./opsHarness.ts";
import { value } from "./workspaceHarness.ts";

/** What of the night shift reaches people: alerts, and lines of the log. */
beforeEach(emptyOps);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 10, 20, 9);

const missing = (id: string, at: number) =>
  aWorkerLine(id, at, `D1_ERROR: no such table: carts: SQLITE_ERROR (request ${id}9-0)`);

function aNight(): Outside {
  const outside = new Outside();
  outside.workerLines = [missing("e1", START - HOUR), aWorkerLine("w1", START - HOUR, "cache miss", { level: "warn" })];
  outside.buildLines = [aBuildLine("1/1", START - HOUR, "src/a.ts(4,2): error TS2304: Cannot find name 'Money'.")];
  return outside;
}
const alerts = () =>
  rowsIn(env.DB_OPS, "SELECT kind, severity, status, told, dedupe_key FROM alerts ORDER BY first_at, dedupe_key");
const lines = async () =>
  (
    await rowsIn(env.DB_LOGS, "SELECT operation, outcome FROM operation_logs WHERE source = 'system:ops' ORDER BY id")
  ).map(({ operation, outcome }) => `${String(operation)} ${String(outcome)}`);
const scanAt = async (outside: Outside, time: number) => value(await scanOf(opsContext(outside, { now: () => time })));

test("a grave issue is told of once when it is filed and once when it is back; its alert is over when it is closed", async () => {
  const outside = aNight();
  for (const minutes of [0, 1, 2]) await scanAt(outside, START + minutes * MINUTE);
  const filed = {
    kind: "ops.issue.filed",
    severity: "critical",
    told: 1,
    dedupe_key: expect.stringMatching(/^ops:issue:\d+$/),
  };
  // Severity 3 and 4 are nobody's night.
  expect(await alerts()).toEqual([{ ...filed, status: "open" }]);
  const [alert] = await rowsIn(env.DB_OPS, "SELECT title, text FROM alerts");
  expect(alert).toMatchObject({
    title: expect.stringContaining("[Ops] api: D1_ERROR: no such table: carts"),
    text: expect.stringContaining("https://github.test/acme/site/issues/"),
  });
  await scanAt(outside, START + 4 * DAY);
  expect(await alerts()).toEqual([{ ...filed, status: "resolved" }]);
  outside.workerLines.push(missing("back", START + 5 * DAY));
  for (const minutes of [0, 1]) await scanAt(outside, START + 5 * DAY + HOUR + minutes * MINUTE);
  expect(await alerts()).toEqual([
    { ...filed, status: "resolved" },
    { ...filed, kind: "ops.issue.returned", status: "open" },
  ]);
});

test("a crash between an issue and its alert, or between the alert and its mark, tells it all the same, and once", async () => {
  const whole = opsContext(aNight(), { now: () => START });
  value(await scanOf(whole));
  for (let at = whole.awaits(); at > whole.awaits() - 12; at -= 1) {
    await emptyOps();
    const outside = aNight();
    await scanOf(opsContext(outside, { now: () => START, cut: { at, when: "after", dead: true } })).catch(
      () => undefined,
    );
    await scanAt(outside, START + 6 * MINUTE);
    expect(
      (await alerts()).map(({ kind, told }) => [kind, told]),
      `await ${at}`,
    ).toContainEqual(["ops.issue.filed", 1]);
  }
});

test("without GitHub a person is told of a grave issue too", async () => {
  const outside = aNight();
  outside.github.fetch = async () => new Response("bad gateway", { status: 502 });
  await scanAt(outside, START);
  expect(await alerts()).toMatchObject([{ kind: "ops.issue.filed", status: "open" }]);
});

test("scans, filings, closes, returns and claims leave lines in the log", async () => {
  const outside = aNight();
  await scanAt(outside, START);
  expect(await lines()).toEqual(["ops.issue.filed filed", "ops.issue.filed filed", "ops.scan done"]);
  const [issue] = await rowsIn(env.DB_OPS, "SELECT id FROM ops_issues WHERE rule_severity = 1");
  const ctx = opsContext(outside, { now: () => START });
  const id = String(issue?.id);
  value(await claimIssue(ctx, { id, body: { minutes: 5 } }));
  await expect.poll(lines).toContain("ops.issue.claimed claimed");
  value(await claimIssue(ctx, { id, body: { release: true } }));
  await expect.poll(lines).toContain("ops.issue.released released");
  await scanAt(outside, START + 4 * DAY);
  outside.workerLines.push(missing("back", START + 5 * DAY));
  await scanAt(outside, START + 5 * DAY + HOUR);
  expect(await lines()).toEqual(
    expect.arrayContaining(["ops.issue.closed closed", "ops.issue.returned returned", "ops.scan done"]),
  );
  const [scan] = await rowsIn(
    env.DB_LOGS,
    "SELECT message, duration_ms, meta FROM operation_logs WHERE operation = 'ops.scan' ORDER BY id LIMIT 1",
  );
  expect(scan).toMatchObject({ duration_ms: 0, message: expect.stringMatching(/^scan \d+ of full: done$/) });
  expect(JSON.parse(String(scan?.meta))).toMatchObject({ totals: { issues_opened: 2 } });
});

test("a scan that broke off and one without a sign of life are told of, and over with the next that ends", async () => {
  const outside = aNight();
  // Evicted in its middle: its row stands as running.
  await scanOf(opsContext(outside, { now: () => START, cut: { at: 6, when: "before", dead: true } })).catch(
    () => undefined,
  );
  expect(await rowsIn(env.DB_OPS, "SELECT outcome FROM ops_scans")).toEqual([{ outcome: null }]);
  // Within its lease it is left alone.
  expect(await scanOf(opsContext(outside, { now: () => START + MINUTE }))).toMatchObject({
    error: { code: "CONFLICT" },
  });
  expect(await alerts()).toEqual([]);
  const next = opsContext(outside, { now: () => START + 6 * MINUTE });
  expect(value(await scanOf(next)).scan.outcome).toBe("done");
  expect(await rowsIn(env.DB_OPS, "SELECT outcome FROM ops_scans ORDER BY id")).toEqual([
    { outcome: "stuck" },
    { outcome: "done" },
  ]);
  expect(await lines()).toContain("ops.scan stuck");
  const scans = async () => (await alerts()).filter(({ dedupe_key: key }) => key === "ops:scan");
  expect(await scans()).toMatchObject([{ kind: "ops.scan.failed", status: "resolved", told: 1 }]);

  // A database that is away for longer than a scan waits fails it, once it is back for long enough to say so.
  let pauses = 0;
  let isUp = true;
  outside.workerLines.push(missing("e7", START + HOUR));
  const failing = opsContext(outside, { now: () => START + 2 * HOUR, isUp: () => isUp });
  const fetchLogs = outside.cloudflare.fetch;
  outside.cloudflare.fetch = async (address) => {
    isUp = false;
    return fetchLogs(address);
  };
  const failed = value(
    await scanOf(failing, "full", async () => {
      pauses += 1;
      isUp = pauses >= 8;
    }),
  );
  expect(failed.scan).toMatchObject({ outcome: "failed", error: expect.stringContaining("the next scan goes on") });
  expect(await scans()).toMatchObject([{ status: "resolved" }, { kind: "ops.scan.failed", status: "open" }]);
  outside.cloudflare.fetch = fetchLogs;
  const { scan } = await scanAt(outside, START + 3 * HOUR);
  expect(scan).toMatchObject({ outcome: "done", totals: { worker_logs: 1 } });
  expect((await scans()).map(({ status }) => status)).toEqual(["resolved", "resolved"]);
});

test("of a scan that the clock began and that did not end the table of schedules tells, and nobody beside it", async () => {
  const outside = aNight();
  await env.DB_OPS.prepare(
    "INSERT INTO ops_scans (scope, started_at, started_by, lease_until) VALUES ('full', ?1, 'system:schedule', ?1)",
  )
    .bind(new Date(START - HOUR).toISOString())
    .run();
  await scanAt(outside, START);
  expect(await rowsIn(env.DB_OPS, "SELECT outcome FROM ops_scans ORDER BY id")).toEqual([
    { outcome: "stuck" },
    { outcome: "done" },
  ]);
  expect((await alerts()).map(({ kind }) => kind)).toEqual(["ops.issue.filed"]);
});

test("a database that answers nothing for 90 seconds holds a scan up: it goes on where it was, and is done", async () => {
  const whole = opsContext(aNight(), { now: () => START });
  value(await scanOf(whole));
  for (let at = 2; at <= whole.awaits(); at += 2) {
    await emptyOps();
    const outside = aNight();
    let clock = START;
    let count = 0;
    let downUntil: number | null = null;
    const ctx = opsContext(outside, {
      now: () => clock,
      isUp: () => {
        count += 1;
        if (count === at) downUntil = clock + 90_000;
        return downUntil === null || clock >= downUntil;
      },
    });
    const { scan } = value(
      await scanOf(ctx, "full", async (ms) => {
        clock += ms;
      }),
    );
    expect(scan.outcome, `statement ${at}`).toBe("done");
    // What stalled while something was being said in passing was not waited for.
    if (downUntil !== null && clock > START) expect(clock - START, `statement ${at}`).toBeGreaterThanOrEqual(90_000);
    expect(await rowsIn(env.DB_LOGS, "SELECT count(*) AS n FROM worker_logs")).toEqual([{ n: 2 }]);
    expect(outside.issues.length, `statement ${at}`).toBe(2);
    expect(await rowsIn(env.DB_OPS, "SELECT sum(occurrences) AS n FROM ops_issues")).toEqual([{ n: 3 }]);
  }
});

test("a source that cannot be read for hours is told of, once, and not where it never could be", async () => {
  const outside = aNight();
  const read = outside.cloudflare.fetch;
  const down = async () => new Response("bad gateway", { status: 502 });
  outside.cloudflare.fetch = down;
  for (const hours of [0, 1, 4]) await scanAt(outside, START + hours * HOUR);
  const sources = async () => (await alerts()).filter(({ dedupe_key: key }) => key === "ops:source:cloudflare");
  expect(await sources()).toEqual([]);
  outside.cloudflare.fetch = read;
  const { scan } = await scanAt(outside, START + 5 * HOUR);
  // It begins where it was first asked for: nothing of what was logged meanwhile is lost.
  expect(scan).toMatchObject({ outcome: "done", totals: { worker_logs: 2 } });
  outside.cloudflare.fetch = down;
  for (const hours of [6, 8]) await scanAt(outside, START + hours * HOUR);
  expect(await sources()).toEqual([]);
  for (const hours of [9, 10]) await scanAt(outside, START + hours * HOUR);
  expect(await sources()).toMatchObject([{ kind: "ops.scan.failed", status: "open", told: 1 }]);
  outside.cloudflare.fetch = read;
  await scanAt(outside, START + 11 * HOUR);
  expect(await sources()).toMatchObject([{ status: "resolved" }]);
});

test("an hourly scan asks for the hour since the last one; one after days asks for a day at a time", async () => {
  const outside = aNight();
  await scanAt(outside, START);
  outside.windows.length = 0;
  await scanAt(outside, START + HOUR);
  const settled = (time: number) => new Date(time - 2 * MINUTE).toISOString();
  const hour = { from: settled(START), to: settled(START + HOUR) };
  expect(outside.windows).toEqual([hour, hour]);
  outside.windows.length = 0;
  await scanAt(outside, START + 2 * DAY + 3 * HOUR);
  const spans = outside.windows.map(({ from, to }) => (Date.parse(to) - Date.parse(from)) / HOUR);
  expect(spans).toEqual([24, 24, 2, 24, 24, 2]);
});

test("a place that its source does not know any more is no end: the window is read anew, its lines once", async () => {
  const outside = aNight();
  outside.workerLines.push(missing("e2", START - HOUR), missing("e3", START - HOUR));
  const read = outside.cloudflare.fetch;
  let pages = 0;
  outside.cloudflare.fetch = async (address) => {
    pages += 1;
    return pages === 2 ? new Response("bad gateway", { status: 502 }) : read(address);
  };
  expect((await scanAt(outside, START)).scan.outcome).toBe("partial");
  let refused = 0;
  outside.cloudflare.fetch = async (address) => {
    if (new URL(address).searchParams.get("cursor") !== null && refused === 0) {
      refused += 1;
      const error = vibeError("VALIDATION_FAILED", "cursor: not one of this window's cursors");
      return Response.json(problemOf(error), { status: 400 });
    }
    return read(address);
  };
  expect((await scanAt(outside, START + HOUR)).scan.outcome).toBe("done");
  expect(refused).toBe(1);
  expect(await rowsIn(env.DB_LOGS, "SELECT count(*) AS n FROM worker_logs")).toEqual([{ n: 4 }]);
});

test("by the clock a scan leaves its rows; one that fails fails its line of the schedule, one that runs already does not", async () => {
  const outside = aNight();
  const ctx = opsContext(outside, { now: () => START });
  expect(await scheduledScan(ctx)).toMatchObject({ outcome: "done" });
  await env.DB_OPS.prepare("INSERT INTO ops_scans (scope, started_at, lease_until) VALUES ('full', ?1, ?2)")
    .bind(new Date(START).toISOString(), new Date(START + MINUTE).toISOString())
    .run();
  expect(await scheduledScan(ctx)).toEqual({ skipped: "a scan is running" });
  await emptyOps();
  // No time is left for waiting when a statement fails.
  let clock = START;
  let count = 0;
  const broken = opsContext(outside, {
    now: () => clock,
    isUp: () => {
      count += 1;
      if (count === 4) clock += 11 * MINUTE;
      return count !== 4;
    },
  });
  await expect(scheduledScan(broken)).rejects.toThrow(/^scan \d+ failed: a database did not answer/);
  expect(await rowsIn(env.DB_OPS, "SELECT outcome FROM ops_scans")).toEqual([{ outcome: "failed" }]);
  await emptyOps();
  [clock, count] = [START, 0];
  // On record as the clock's own, and told once: as a scan's, not as a run's beside it.
  const line = { name: "ops-scan-test", run: scheduledScan };
  await expect(runSchedule(broken, line, new Date(START).toISOString())).rejects.toThrow("a database did not answer");
  expect((await alerts()).map(({ kind }) => kind)).toEqual(["ops.scan.failed"]);
  expect(await rowsIn(env.DB_LOGS, "SELECT outcome FROM scheduled_runs WHERE schedule = 'ops-scan-test'")).toEqual([
    { outcome: "failed" },
  ]);
  await emptyOps();
  const due = Date.UTC(2026, 10, 20, 9);
  await scheduled({ cron: "0 9 * * *", scheduledTime: due }, ctx.env);
  expect(
    await rowsIn(
      env.DB_LOGS,
      "SELECT outcome FROM scheduled_runs WHERE schedule = 'ops-scan-nightly' ORDER BY due_at DESC LIMIT 1",
    ),
  ).toEqual([{ outcome: "ok" }]);
  expect(await rowsIn(env.DB_OPS, "SELECT scope, outcome, started_by FROM ops_scans")).toEqual([
    { scope: "full", outcome: "done", started_by: "system:schedule" },
  ]);
});
