import { problemOf, vibeError } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  aBuildLine,
  aWorkerLine,
  type Cut,
  emptyOps,
  opsContext,
  opsSnapshot,
  Outside,
  rowsIn,
  scanOf,
} from "./opsHarness.ts";
import { value } from "./workspaceHarness.ts";

/**
 * A later night in which everything happens to issues that can: one is seen again and said so, one has been silent and is
 * closed, one that was closed is back. It is cut off everywhere.
 */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 10, 20, 9);
const LATER = START + 74 * HOUR;

const missing = (id: string, at: number) =>
  aWorkerLine(id, at, `D1_ERROR: no such table: carts: SQLITE_ERROR (request ${id}9-0)`);
const money = (id: string, at: number) =>
  aBuildLine(id, at, `src/a.ts(${id.length},2): error TS2304: Cannot find name 'Money'.`);

let restore: () => Promise<void>;
let begun: Outside["issues"];

/** The outside as it stands before the later night. */
function theLaterNight(): Outside {
  const outside = new Outside();
  outside.issues = structuredClone(begun);
  outside.workerLines = [missing("e9", LATER - 30 * MINUTE), missing("e10", LATER - 20 * MINUTE)];
  outside.buildLines = [money("1/9", LATER - 25 * MINUTE)];
  return outside;
}

beforeAll(async () => {
  await emptyOps();
  const outside = new Outside();
  outside.workerLines = [
    missing("e1", START - HOUR),
    aWorkerLine(
      "e2",
      START - HOUR,
      "TypeError: Cannot read properties of undefined (reading 'id')\n    at load (index.js:3:7)",
    ),
  ];
  outside.buildLines = [money("1/1", START - HOUR)];
  value(await scanOf(opsContext(outside, { now: () => START })));
  if (outside.issues.length !== 3) throw new Error(`${outside.issues.length} issues are filed`);
  // Somebody closed the build's issue meanwhile.
  await env.DB_OPS.prepare(
    "UPDATE ops_issues SET status = 'closed', gh_state = 'closed', closed_at = ?1 WHERE kind = 'build-log'",
  )
    .bind(new Date(START + HOUR).toISOString())
    .run();
  const build = outside.issues.find(({ title }) => title.includes("TS2304"));
  if (build) build.state = "closed";
  begun = outside.issues;
  restore = await opsSnapshot();
});
afterAll(emptyOps);

async function expectTheLaterNight(outside: Outside, comments: readonly number[]): Promise<void> {
  expect(await rowsIn(env.DB_LOGS, "SELECT count(*) AS n FROM worker_logs")).toEqual([{ n: 4 }]);
  expect(await rowsIn(env.DB_LOGS, "SELECT count(*) AS n FROM build_logs")).toEqual([{ n: 2 }]);
  expect(
    await rowsIn(
      env.DB_OPS,
      "SELECT status, gh_state, occurrences, reopened FROM ops_issues ORDER BY occurrences DESC, kind",
    ),
  ).toEqual([
    { status: "open", gh_state: "open", occurrences: 3, reopened: 0 },
    { status: "open", gh_state: "open", occurrences: 2, reopened: 1 },
    { status: "closed", gh_state: "closed", occurrences: 1, reopened: 0 },
  ]);
  const states = Object.fromEntries(outside.issues.map(({ title, state }) => [title.split(":")[1]?.trim(), state]));
  expect(states).toEqual({ "a.ts": "open", TypeError: "closed", D1_ERROR: "open" });
  // Said before it is said: a crash may keep a day's comment back, and never says it twice.
  const said = outside.issues.flatMap((issue) =>
    issue.comments.map((text) => [issue.title.split(":")[1]?.trim(), text]),
  );
  expect(comments).toContain(said.filter(([about]) => about === "D1_ERROR").length);
  expect(said.filter(([about]) => about === "a.ts").length).toBeLessThanOrEqual(1);
  expect(said.filter(([about]) => about === "TypeError")).toEqual([]);
  expect(
    await rowsIn(
      env.DB_OPS,
      "SELECT status, count(*) AS n FROM alerts WHERE kind = 'ops.issue.filed' GROUP BY status ORDER BY status",
    ),
  ).toEqual([
    { status: "open", n: 1 },
    { status: "resolved", n: 1 },
  ]);
}

async function later(outside: Outside): Promise<void> {
  // Past the lease of a scan, and of an attempt at filing.
  for (const minutes of [6, 12, 18]) value(await scanOf(opsContext(outside, { now: () => LATER + minutes * MINUTE })));
}

test("uncut, each thing is done and said once, however often the night is scanned", async () => {
  await restore();
  const outside = theLaterNight();
  const { scan } = value(await scanOf(opsContext(outside, { now: () => LATER })));
  expect(scan).toMatchObject({ outcome: "done", totals: { issues_reopened: 1, issues_closed: 1, comments: 2 } });
  await later(outside);
  await expectTheLaterNight(outside, [1]);
});

const JUDGED = '{"severity": 1, "summary": "A cause."}';
test.each<[string, Omit<Cut, "at">, { model?: string }]>([
  ["evicted before any await", { when: "before", dead: true }, {}],
  ["evicted after any await", { when: "after", dead: true }, {}],
  ["any one await failing", { when: "before", dead: false }, {}],
  ["any one answer lost", { when: "after", dead: false }, {}],
  ["evicted before any await, with a model that grades", { when: "before", dead: true }, { model: JUDGED }],
  ["any one answer lost, with a model that grades", { when: "after", dead: false }, { model: JUDGED }],
])("%s, the later night is completed: nothing twice, nothing lost", async (_, how, model) => {
  await restore();
  const whole = opsContext(theLaterNight(), { now: () => LATER, ...model });
  value(await scanOf(whole));
  const awaits = whole.awaits();
  expect(awaits).toBeGreaterThan(30);
  for (let at = 1; at <= awaits; at += 1) {
    await restore();
    const outside = theLaterNight();
    // A door answers what is thrown with DATABASE_UNAVAILABLE.
    await scanOf(opsContext(outside, { now: () => LATER, cut: { at, ...how }, ...model })).catch(() => undefined);
    try {
      await later(outside);
      await expectTheLaterNight(outside, [0, 1]);
    } catch (error) {
      throw new Error(`await ${at} of ${awaits}`, { cause: error });
    }
  }
});

const limited = () => Response.json(problemOf(vibeError("RATE_LIMITED", "GitHub's limit is reached")), { status: 429 });
test.each<[string, number, () => Promise<Response>]>([
  ["500", 1, async () => new Response("bad gateway", { status: 500 })],
  ["500 from then on", 99, async () => new Response("bad gateway", { status: 500 })],
  ["429", 1, async () => limited()],
  ["429 from then on", 99, async () => limited()],
  ["a timeout", 1, () => Promise.reject(new DOMException("The operation was aborted due to timeout", "TimeoutError"))],
])("an upstream that answers %s at any point holds the night up, and it is completed", async (_, times, answer) => {
  await restore();
  const whole = opsContext(theLaterNight(), { now: () => LATER });
  value(await scanOf(whole));
  const asked = whole.asked();
  expect(asked).toBeGreaterThan(5);
  for (let at = 1; at <= asked; at += 1) {
    await restore();
    const outside = theLaterNight();
    const { scan } = value(await scanOf(opsContext(outside, { now: () => LATER, upstream: { at, times, answer } })));
    expect(scan.outcome, `request ${at}`).toBe("partial");
    expect(scan.error, `request ${at}`).not.toBeNull();
    try {
      await later(outside);
      await expectTheLaterNight(outside, [0, 1]);
    } catch (error) {
      throw new Error(`request ${at} of ${asked}`, { cause: error });
    }
  }
});
