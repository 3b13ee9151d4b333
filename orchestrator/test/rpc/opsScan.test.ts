import { problemOf, vibeError } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import type { ServiceContext } from "../../worker/context.ts";
import { claimIssue } from "../../worker/services/ops/claimIssue.ts";
import { countTroubles } from "../../worker/services/ops/countTroubles.ts";
import { expireClaims } from "../../worker/services/ops/expireClaims.ts";
import { getOpsSummary } from "../../worker/services/ops/getOpsSummary.ts";
import { listOpsIssues } from "../../worker/services/ops/listOpsIssues.ts";
import { getLastScan } from "../../worker/services/ops/listScans.ts";
import { noTotals } from "../../worker/services/ops/OpsMonitorService.ts";
import { workOnIssue } from "../../worker/services/ops/workOnIssue.ts";
import { aBuildLine, aWorkerLine, type Cut, emptyOps, opsContext, Outside, rowsIn, scanOf } from "./opsHarness.ts";
import { value } from "./workspaceHarness.ts";

beforeEach(emptyOps);

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 10, 20, 9);
const COMMIT = "c0ffee0000000000000000000000000000000000";

/** A night: five lines of two troubles of a Worker, two of one of a build, and one that is filed nowhere. */
function aNight(): Outside {
  const outside = new Outside();
  const missing = (n: number) => `D1_ERROR: no such table: carts: SQLITE_ERROR (request ${n}f3a-77)`;
  const reading = (n: number) =>
    `TypeError: Cannot read properties of undefined (reading 'id')\n    at load (index.js:${n}:7)`;
  outside.workerLines = [
    aWorkerLine("e1", START - 3 * HOUR, missing(1), { commit: COMMIT }),
    aWorkerLine("e2", START - 3 * HOUR, missing(2)),
    aWorkerLine("e3", START - 2 * HOUR, reading(3)),
    aWorkerLine("e4", START - 2 * HOUR, missing(4)),
    aWorkerLine("e5", START - HOUR, reading(5)),
    aWorkerLine("e6", START - HOUR, "cache miss", { level: "warn" }),
  ];
  outside.buildLines = [
    aBuildLine("1/0_build.txt/9", START - HOUR, "src/a.ts(4,2): error TS2304: Cannot find name 'Money'.", {
      commit: COMMIT,
    }),
    aBuildLine("1/0_build.txt/12", START - HOUR, "src/a.ts(9,2): error TS2304: Cannot find name 'Money'."),
  ];
  return outside;
}

const scan = (ctx: ServiceContext) => scanOf(ctx);

async function expectOneNight(outside: Outside): Promise<void> {
  expect(await rowsIn(env.DB_LOGS, "SELECT count(*) AS n FROM worker_logs")).toEqual([{ n: 6 }]);
  expect(await rowsIn(env.DB_LOGS, "SELECT count(*) AS n FROM build_logs")).toEqual([{ n: 2 }]);
  const rows = await rowsIn(
    env.DB_OPS,
    "SELECT occurrences, gh_issue_number IS NOT NULL AS filed FROM ops_issues ORDER BY occurrences DESC, filed DESC, kind",
  );
  expect(rows).toEqual([
    { occurrences: 3, filed: 1 },
    { occurrences: 2, filed: 1 },
    { occurrences: 2, filed: 1 },
    { occurrences: 1, filed: 0 },
  ]);
  expect(outside.issues.map(({ state }) => state)).toEqual(["open", "open", "open"]);
  expect(outside.issues.flatMap(({ comments }) => comments)).toEqual([]);
}

test("the same night scanned three times is filed once, each trouble in one issue", async () => {
  const outside = aNight();
  for (let round = 0; round < 3; round += 1) {
    const { scan: row } = value(await scan(opsContext(outside, { now: () => START + round * 60_000 })));
    expect(row).toMatchObject({ outcome: "done", error: null });
    expect(row.totals).toMatchObject(
      round === 0 ? { logs_ingested: 8, issues_opened: 3 } : { logs_ingested: 0, issues_opened: 0 },
    );
  }
  await expectOneNight(outside);
});

test("what one commit broke in a Worker and in a build is joined", async () => {
  const outside = aNight();
  value(await scan(opsContext(outside, { now: () => START })));
  const joined = outside.issues.filter(({ body }) => body.includes("At the same commit"));
  expect(joined.map(({ title }) => title).toSorted()).toEqual([
    expect.stringContaining("acme/site: a.ts: error TS2304"),
    expect.stringContaining("api: D1_ERROR: no such table: carts"),
  ]);
});

async function cutEverywhere(when: Cut["when"], dead: boolean, isIndexed = true): Promise<number> {
  const whole = opsContext(aNight(), { now: () => START });
  value(await scan(whole));
  const awaits = whole.awaits();
  for (let at = 1; at <= awaits; at += 1) {
    await emptyOps();
    const outside = aNight();
    outside.isIndexed = isIndexed;
    // A door answers what is thrown with DATABASE_UNAVAILABLE.
    await scan(opsContext(outside, { now: () => START, cut: { at, when, dead } })).catch(() => undefined);
    // Past the lease of a scan, and of an attempt at filing.
    for (const later of [6, 12, 18]) {
      value(await scan(opsContext(outside, { now: () => START + later * 60_000 })));
    }
    try {
      await expectOneNight(outside);
    } catch (error) {
      throw new Error(`cut ${when} await ${at} of ${awaits}`, { cause: error });
    }
  }
  return awaits;
}

test("evicted before any await, the next scans complete the night: no issue twice, no log twice, none lost", async () => {
  expect(await cutEverywhere("before", true)).toBeGreaterThan(20);
});
test("evicted after any await, with search not yet caught up, they do too: issues are found by their marker", async () => {
  await cutEverywhere("after", true, false);
});
test("any one await failing, they do too", async () => {
  await cutEverywhere("before", false);
});
test("any one answer lost, they do too", async () => {
  await cutEverywhere("after", false, false);
});

test("a database that stalls for 90 seconds holds a scan up, and no other begins meanwhile; then it completes", async () => {
  const whole = opsContext(aNight(), { now: () => START });
  value(await scan(whole));
  for (let at = 2; at <= whole.awaits(); at += 3) {
    await emptyOps();
    const outside = aNight();
    let clock = START;
    const now = () => clock;
    const { promise: until, resolve } = Promise.withResolvers<void>();
    const stalled = scan(opsContext(outside, { now, hold: { at, until } }));
    clock += 90_000;
    // The first await stores that the scan runs.
    await expect.poll(() => rowsIn(env.DB_OPS, "SELECT count(*) AS n FROM ops_scans")).toEqual([{ n: 1 }]);
    expect(await scan(opsContext(outside, { now }))).toMatchObject({ error: { code: "CONFLICT" } });
    resolve();
    expect(value(await stalled).scan.outcome).toBe("done");
    await expectOneNight(outside);
  }
});

test("two scans at once: one runs, the other is refused; nothing is twice", async () => {
  const outside = aNight();
  const answers = await Promise.all([1, 2, 3].map(() => scan(opsContext(outside, { now: () => START }))));
  expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
  expect(answers.filter((answer) => !answer.ok && answer.error.code === "CONFLICT")).toHaveLength(2);
  await expectOneNight(outside);
});

test("a run that has not ended is read again until it has, its lines once", async () => {
  const outside = aNight();
  const early = outside.buildLines;
  outside.buildLines = early.slice(0, 1);
  outside.openSince = new Date(START - 2 * HOUR).toISOString();
  value(await scan(opsContext(outside, { now: () => START })));
  outside.buildLines = early;
  outside.openSince = null;
  value(await scan(opsContext(outside, { now: () => START + HOUR })));
  expect(await rowsIn(env.DB_LOGS, "SELECT count(*) AS n FROM build_logs")).toEqual([{ n: 2 }]);
});

test("a return is said at most once a day; after three quiet nights an issue is closed, and opened when it is back", async () => {
  const outside = aNight();
  const line = (id: string, at: number) =>
    aWorkerLine(id, at, `D1_ERROR: no such table: carts: SQLITE_ERROR (request ${id}9-0)`);
  const at = (time: number) => scan(opsContext(outside, { now: () => time }));
  value(await at(START));
  const issue = outside.issues.find(({ title }) => title.includes("no such table"));
  for (const hours of [2, 4, 26, 27]) {
    outside.workerLines.push(line(`h${hours}`, START + hours * HOUR - 10 * 60_000));
    value(await at(START + hours * HOUR));
  }
  expect(issue?.comments).toEqual([expect.stringContaining("3 more times")]);
  value(await at(START + 27 * HOUR + 3 * DAY - HOUR));
  expect(issue?.state).toBe("open");
  value(await at(START + 28 * HOUR + 3 * DAY));
  expect(outside.issues.map(({ state }) => state)).toEqual(["closed", "closed", "closed"]);
  outside.workerLines.push(line("back", START + 5 * DAY));
  const { scan: row } = value(await at(START + 5 * DAY + HOUR));
  expect(row.totals).toMatchObject({ issues_reopened: 1 });
  expect(issue?.state).toBe("open");
  expect(outside.issues).toHaveLength(3);
});

test("credentials in what others logged are stored nowhere and told to nobody, in whatever form this house knows", async () => {
  const outside = new Outside();
  const secrets = [`vhq_AbCdEfGhJkLm_${"aB3_".repeat(11)}`, `whsec_${"a2tr".repeat(10)}`, `hf_${"aBc".repeat(12)}`];
  outside.workerLines = secrets.map((secret, n) =>
    aWorkerLine(`s${n}`, START - HOUR, `call refused with ${secret} by hand`, { meta: { sent: secret } }),
  );
  value(await scan(opsContext(outside, { now: () => START })));
  const held = JSON.stringify([
    await rowsIn(env.DB_LOGS, "SELECT message, meta FROM worker_logs"),
    await rowsIn(env.DB_OPS, "SELECT * FROM ops_issues"),
    outside.issues,
  ]);
  expect(held).toContain("[redacted]");
  for (const secret of secrets) expect(held).not.toContain(secret);
});

test("hundreds of long lines, each of a trouble of its own, are counted in writes that a database takes", async () => {
  const word = (n: number): string =>
    Array.from(n.toString(26), (digit) => String.fromCodePoint(97 + Number.parseInt(digit, 26))).join("");
  const lines = Array.from({ length: 600 }, (_, n) => ({
    key: `k${n}`,
    message: `The part ${word(n + 1_000)} broke: ${"ä".repeat(450)}\nbelow ${"ö".repeat(450)}`,
  }));
  await env.DB_LOGS.prepare(
    `INSERT INTO worker_logs (source, worker, level, message, ts, key, fingerprint)
     SELECT 'cloudflare', 'api', 'error', value ->> 'message', '2026-11-20T08:00:00.000Z', value ->> 'key', value ->> 'key'
     FROM json_each(?1)`,
  )
    .bind(JSON.stringify(lines))
    .run();
  const ctx = opsContext(new Outside(), { now: () => START });
  const sizes: number[] = [];
  const database = ctx.env.DB_OPS;
  const DB_OPS = {
    prepare: (sql: string) => {
      const statement = database.prepare(sql);
      const bind = statement.bind.bind(statement);
      statement.bind = (...values: unknown[]) => {
        sizes.push(...values.map((given) => (typeof given === "string" ? Buffer.byteLength(given) : 0)));
        return bind(...values);
      };
      return statement;
    },
    batch: (statements: D1PreparedStatement[]) => database.batch(statements),
  };
  const totals = noTotals();
  const counting = { ...ctx, env: { ...ctx.env, DB_OPS } as unknown as Env };
  await countTroubles(counting, "worker-log", { alive: async () => {}, totals });
  expect(totals.reviewed).toBe(600);
  expect(await rowsIn(env.DB_OPS, "SELECT count(*) AS n, sum(occurrences) AS seen FROM ops_issues")).toEqual([
    { n: 600, seen: 600 },
  ]);
  expect(Math.max(...sizes)).toBeLessThan(1_000_000);
});

test("an issue that was deleted on GitHub holds no scan up: it is told nothing more", async () => {
  const outside = aNight();
  value(await scan(opsContext(outside, { now: () => START })));
  const answer = outside.github.fetch;
  let asked = 0;
  outside.github.fetch = async (address, init) => {
    if (!new URL(address).pathname.endsWith("/issues/1")) return answer(address, init);
    asked += 1;
    return Response.json(problemOf(vibeError("NOT_FOUND", "GitHub has no such thing")), { status: 404 });
  };
  const { scan: row } = value(await scan(opsContext(outside, { now: () => START + 4 * DAY })));
  expect(row).toMatchObject({ outcome: "done", error: null, totals: { issues_closed: 4 } });
  expect(outside.issues.map(({ state }) => state)).toEqual(["open", "closed", "closed"]);
  value(await scan(opsContext(outside, { now: () => START + 4 * DAY + HOUR })));
  expect(asked).toBe(1);
});

test("where the whole repository is out of sight, what was not told is told once it is back", async () => {
  const outside = aNight();
  value(await scan(opsContext(outside, { now: () => START })));
  const answer = outside.github.fetch;
  outside.github.fetch = async (address, init) =>
    new URL(address).pathname.includes("/actions/")
      ? answer(address, init)
      : Response.json(problemOf(vibeError("NOT_FOUND", "GitHub does not show it to us")), { status: 404 });
  const { scan: row } = value(await scan(opsContext(outside, { now: () => START + 4 * DAY })));
  expect(row).toMatchObject({ outcome: "partial", error: expect.stringContaining("NOT_FOUND") });
  outside.github.fetch = answer;
  value(await scan(opsContext(outside, { now: () => START + 4 * DAY + HOUR })));
  expect(outside.issues.map(({ state }) => state)).toEqual(["closed", "closed", "closed"]);
});

test("where logs cannot be read, silence closes nothing", async () => {
  const outside = aNight();
  value(await scan(opsContext(outside, { now: () => START })));
  outside.cloudflare.fetch = async () => Response.json({}, { status: 500 });
  const { scan: row } = value(await scan(opsContext(outside, { now: () => START + 5 * DAY })));
  expect(row).toMatchObject({ outcome: "partial", error: expect.stringContaining("cloudflare: UPSTREAM_REFUSED") });
  expect(outside.issues.map(({ state }) => state)).toEqual(["open", "open", "open"]);
});

test("of 100 claims at once one wins; its time over, the next has it; only its holder gives it back", async () => {
  const outside = aNight();
  value(await scan(opsContext(outside, { now: () => START })));
  const [first] = value(await listOpsIssues(opsContext(outside, { now: () => START }), { severity: 1 })).issues;
  const id = String(first?.id);
  const person = (n: number, time = START) => {
    const ctx = opsContext(outside, { now: () => time });
    return { ...ctx, actor: { ...ctx.actor, id: `token:${n}`, scopes: new Set(["ops:write", "ops:read"] as const) } };
  };
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) => claimIssue(person(n), { id, body: { minutes: 10 } })),
  );
  const won = answers.findIndex(({ ok }) => ok);
  expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
  expect(answers.filter((answer) => !answer.ok).every((answer) => !answer.ok && answer.error.code === "CONFLICT")).toBe(
    true,
  );
  expect(outside.issues.flatMap(({ comments }) => comments)).toEqual(["Claimed in VibeHQ: now in progress."]);
  expect(await claimIssue(person(200), { id, body: { release: true } })).toMatchObject({
    error: { code: "FORBIDDEN" },
  });
  const later = START + 11 * 60_000;
  expect(value(await listOpsIssues(person(1, later), { status: "open" })).issues.map((issue) => issue.id)).toContain(
    first?.id,
  );
  expect(await expireClaims(person(1, later))).toEqual({ expired: 0 });
  expect(value(await claimIssue(person(300, later), { id, body: {} })).issue.claimed_by).toBe("token:300");
  expect(await claimIssue(person(300, later), { id, body: {} })).toMatchObject({ error: { code: "CONFLICT" } });
  const renewed = value(await claimIssue(person(300, later + 60_000), { id, body: { renew: true } }));
  expect(renewed.issue.claim_expires_at).toBe(new Date(later + 61 * 60_000).toISOString());
  expect(value(await claimIssue(person(300, later), { id, body: { release: true } })).status).toBe("open");
  expect(won).toBeGreaterThanOrEqual(0);
});

test("work on it makes an order with a task that mends it, once", async () => {
  const outside = aNight();
  const ctx = opsContext(outside, { now: () => START });
  value(await scan(ctx));
  const [issue] = value(await listOpsIssues(ctx, { severity: 1 })).issues;
  const ask = () => workOnIssue(ctx, { id: String(issue?.id), body: {} });
  const first = await ask();
  const again = await ask();
  for (const answer of [first, again]) {
    if (!answer.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`);
    expect(answer).toMatchObject({ order: { id: `ORD-OPS-${issue?.id}.1` }, tasks: [{ type: "fix" }] });
    expect(answer.order.description).toContain("no such table: carts");
  }
});

test("the summary counts by status, severity, kind and age; the last scan is told and none is started", async () => {
  const outside = aNight();
  const ctx = opsContext(outside, { now: () => START });
  expect(value(await getLastScan(ctx)).scan).toBeNull();
  value(await scan(ctx));
  const summary = value(await getOpsSummary(ctx));
  expect(summary).toMatchObject({
    totals: 4,
    breakdown: [{ status: "open", count: 4 }],
    by_age: { day: 4, week: 0, month: 0, older: 0 },
    last_scan: { outcome: "done" },
  });
  expect(await rowsIn(env.DB_OPS, "SELECT count(*) AS n FROM ops_scans")).toEqual([{ n: 1 }]);
});
