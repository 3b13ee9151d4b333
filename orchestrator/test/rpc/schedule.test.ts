import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { createContext, systemActor } from "../../worker/context.ts";
import { listSchedules } from "../../worker/services/schedule/listSchedules.ts";
import { noticeMissed } from "../../worker/services/schedule/noticeMissed.ts";
import { runSchedule } from "../../worker/services/schedule/runSchedule.ts";
import { duesBetween } from "../../worker/services/schedule/schedule.ts";
import { SCHEDULE, scheduled } from "../../worker/schedule.ts";

const at = (time: string) => createContext(env, { actor: systemActor("schedule"), now: () => new Date(time) });
const runs = async (schedule: string) =>
  (
    await env.DB_LOGS.prepare(
      "SELECT due_at, outcome, started_at, ended_at, message FROM scheduled_runs WHERE schedule = ? ORDER BY due_at",
    )
      .bind(schedule)
      .all<{ due_at: string; outcome: string; ended_at: string | null; message: string | null }>()
  ).results;
const lines = async (schedule: string) =>
  (
    await env.DB_LOGS.prepare(
      "SELECT operation, level, outcome FROM operation_logs WHERE source = 'system:schedule' AND message LIKE ? ORDER BY id",
    )
      .bind(`${schedule}:%`)
      .all<{ operation: string; level: string; outcome: string }>()
  ).results;
const alertsOf = async (schedule: string) =>
  (
    await env.DB_OPS.prepare("SELECT kind, status, told, count FROM alerts WHERE dedupe_key = ?")
      .bind(`schedule:${schedule}`)
      .all<{ kind: string; status: string; told: number; count: number }>()
  ).results;

describe("a scheduled run", () => {
  test("is a row with its outcome and a line in the log; a failure is told once, and over when a run goes well again", async () => {
    let fails = true;
    const schedule = {
      name: "flaky",
      run: async () => {
        if (fails) throw new Error("the moon was full");
        return { ok: true };
      },
    };
    for (const minute of ["00", "01", "02"]) {
      await expect(
        runSchedule(at(`2026-11-21T01:${minute}:00.500Z`), schedule, `2026-11-21T01:${minute}:00.000Z`),
      ).rejects.toThrow("moon");
    }
    expect(await alertsOf("flaky")).toEqual([{ kind: "schedule.failed", status: "open", told: 1, count: 3 }]);
    fails = false;
    await runSchedule(at("2026-11-21T01:03:00.500Z"), schedule, "2026-11-21T01:03:00.000Z");
    expect((await runs("flaky")).map(({ outcome }) => outcome)).toEqual(["failed", "failed", "failed", "ok"]);
    expect((await runs("flaky"))[0]).toMatchObject({
      message: "the moon was full",
      ended_at: "2026-11-21T01:00:00.500Z",
    });
    expect((await lines("flaky")).map(({ level, outcome }) => [level, outcome])).toEqual([
      ["error", "failed"],
      ["error", "failed"],
      ["error", "failed"],
      ["info", "ok"],
    ]);
    expect(await alertsOf("flaky")).toMatchObject([{ status: "resolved" }]);
  });

  test("a verb that refuses has failed", async () => {
    const schedule = {
      name: "refusing",
      run: async () => ({ ok: false, error: { code: "FORBIDDEN", message: "no" } }),
    };
    await expect(runSchedule(at("2026-11-21T01:00:00Z"), schedule, "2026-11-21T01:00:00.000Z")).rejects.toThrow(
      "FORBIDDEN",
    );
    expect(await runs("refusing")).toMatchObject([{ outcome: "failed", message: "FORBIDDEN: no" }]);
  });

  test("the same minute's trigger twice runs once; one whose predecessor is under way is left out, and said so", async () => {
    let count = 0;
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const schedule = {
      name: "slow",
      run: async () => {
        count += 1;
        await gate;
      },
    };
    const first = runSchedule(at("2026-11-21T01:00:00.000Z"), schedule, "2026-11-21T01:00:00.000Z");
    await expect.poll(() => count).toBe(1);
    await runSchedule(at("2026-11-21T01:00:01.000Z"), schedule, "2026-11-21T01:00:00.000Z");
    await runSchedule(at("2026-11-21T01:01:00.000Z"), schedule, "2026-11-21T01:01:00.000Z");
    release();
    await first;
    expect(count).toBe(1);
    expect((await runs("slow")).map(({ outcome }) => outcome)).toEqual(["ok", "skipped"]);
    expect((await lines("slow")).map(({ outcome }) => outcome)).toEqual(["skipped", "ok"]);
  });

  test("goes ahead where the database of the log does not answer", async () => {
    let ran = false;
    const broken = {
      ...env,
      DB_LOGS: {
        batch: () => Promise.reject(new Error("D1_ERROR: away")),
        prepare: () => {
          throw new Error("D1_ERROR: away");
        },
      },
    } as unknown as Env;
    const ctx = createContext(broken, { actor: systemActor("schedule") });
    await runSchedule(ctx, { name: "unlogged", run: async () => (ran = true) }, "2026-11-21T01:00:00.000Z");
    expect(ran).toBe(true);
  });
});

describe("whichever trigger comes next", () => {
  const table = { "0 * * * *": [{ name: "hourly" }], "0 9 * * *": [{ name: "daily" }] };

  test("finds the runs that nobody started, writes each once, tells of them once, and watches from when a line is first seen", async () => {
    await noticeMissed(at("2026-11-20T08:30:00Z"), table);
    expect(await runs("hourly")).toEqual([]);
    await runSchedule(at("2026-11-20T09:00:03Z"), { name: "daily", run: async () => null }, "2026-11-20T09:00:00.000Z");
    await runSchedule(
      at("2026-11-20T10:00:03Z"),
      { name: "hourly", run: async () => null },
      "2026-11-20T10:00:00.000Z",
    );
    // Two looks at once, and a trigger that is merely late is not missed yet: 13:00 has until 13:05.
    await Promise.all([
      noticeMissed(at("2026-11-20T13:04:00Z"), table),
      noticeMissed(at("2026-11-20T13:04:00Z"), table),
    ]);
    expect((await runs("hourly")).map(({ due_at, outcome }) => [due_at.slice(11, 16), outcome])).toEqual([
      ["09:00", "missed"],
      ["10:00", "ok"],
      ["11:00", "missed"],
      ["12:00", "missed"],
    ]);
    expect(await runs("daily")).toMatchObject([{ outcome: "ok" }]);
    expect((await lines("hourly")).filter(({ operation }) => operation === "schedule.missed")).toHaveLength(1);
    expect(await alertsOf("hourly")).toMatchObject([{ kind: "schedule.missed", told: 1 }]);
    await noticeMissed(at("2026-11-20T13:04:30Z"), table);
    expect(await alertsOf("hourly")).toMatchObject([{ count: 1 }]);
  });

  test("a run counted as missed that comes late after all is run, and ends the alert", async () => {
    let ran = 0;
    await runSchedule(
      at("2026-11-20T13:20:00Z"),
      { name: "hourly", run: async () => (ran += 1) },
      "2026-11-20T12:00:00.000Z",
    );
    expect(ran).toBe(1);
    expect((await runs("hourly")).find(({ due_at }) => due_at.includes("12:00"))).toMatchObject({ outcome: "ok" });
  });

  test("a run that was killed is written as stuck once its time is over, and the next one runs", async () => {
    await env.DB_LOGS.prepare(
      "INSERT INTO scheduled_runs (schedule, due_at, started_at, deadline, outcome) VALUES ('killed', '2026-11-20T09:00:00.000Z', '2026-11-20T09:00:01.000Z', '2026-11-20T09:15:01.000Z', 'running')",
    ).run();
    await noticeMissed(at("2026-11-20T09:15:00Z"), table);
    expect(await runs("killed")).toMatchObject([{ outcome: "running" }]);
    await noticeMissed(at("2026-11-20T09:15:02Z"), table);
    await noticeMissed(at("2026-11-20T09:16:00Z"), table);
    expect(await runs("killed")).toMatchObject([{ outcome: "stuck" }]);
    expect(await lines("killed")).toEqual([{ operation: "schedule.stuck", level: "error", outcome: "stuck" }]);
    expect(await alertsOf("killed")).toMatchObject([{ kind: "schedule.stuck", status: "open", told: 1 }]);
    await runSchedule(
      at("2026-11-20T10:00:00Z"),
      { name: "killed", run: async () => null },
      "2026-11-20T10:00:00.000Z",
    );
    expect((await runs("killed")).map(({ outcome }) => outcome)).toEqual(["stuck", "ok"]);
    expect(await alertsOf("killed")).toMatchObject([{ status: "resolved" }]);
  });

  test("a line whose times are changed is watched anew, from then on", async () => {
    await noticeMissed(at("2026-11-20T00:00:00Z"), { "*/5 * * * *": [{ name: "moved" }] });
    await noticeMissed(at("2026-11-20T06:00:00Z"), { "30 * * * *": [{ name: "moved" }] });
    expect(await runs("moved")).toEqual([]);
    await noticeMissed(at("2026-11-20T06:40:00Z"), { "30 * * * *": [{ name: "moved" }] });
    expect((await runs("moved")).map(({ due_at }) => due_at)).toEqual(["2026-11-20T06:30:00.000Z"]);
  });
});

test("a trigger of the platform leaves a row for each of its lines, and the table says what became of them", async () => {
  await scheduled({ cron: "15 3 * * *", scheduledTime: Date.parse("2026-11-21T03:15:07.123Z") }, env);
  const answer = await listSchedules(at("2026-11-21T04:00:00Z"));
  if (!answer.ok) throw new Error(answer.error.message);
  expect(answer.schedules.map(({ name }) => name).toSorted()).toEqual(
    Object.values(SCHEDULE)
      .flat()
      .map(({ name }) => name)
      .toSorted(),
  );
  expect(answer.schedules.find(({ name }) => name === "log-retention")).toMatchObject({
    cron: "15 3 * * *",
    next_at: "2026-11-22T03:15:00.000Z",
    last: { due_at: "2026-11-21T03:15:00.000Z", outcome: "ok" },
  });
  const names = Object.values(SCHEDULE)
    .flat()
    .map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test("times between are the expression's, in UTC, and bounded", () => {
  const dues = duesBetween("*/20 * * * *", new Date("2026-11-20T23:50:00Z"), new Date("2026-11-21T00:40:00Z"), 10);
  expect(dues.map((due) => due.toISOString().slice(11, 16))).toEqual(["00:00", "00:20", "00:40"]);
  expect(duesBetween("* * * * *", new Date(0), new Date(), 500)).toHaveLength(500);
});
