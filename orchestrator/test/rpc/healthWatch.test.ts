import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { ServiceContext } from "../../worker/context.ts";
import { HealthOps } from "../../worker/entrypoints/HealthOps.ts";
import { heartbeat } from "../../worker/services/health/heartbeat.ts";
import { getHealthCheck, listHealthChecks } from "../../worker/services/health/readChecks.ts";
import { daysQuery, getHealthSummary, getLatestWorkerHealth } from "../../worker/services/health/readWorkers.ts";
import { refreshStanding } from "../../worker/services/health/refreshStanding.ts";
import { runSchedules } from "../../worker/services/health/runSchedules.ts";
import {
  changeHealthSchedule,
  createHealthSchedule,
  deleteHealthSchedule,
  listHealthSchedules,
} from "../../worker/services/health/schedules.ts";
import { submitResult } from "../../worker/services/health/submitResult.ts";
import { summariseFailures } from "../../worker/services/health/summariseFailures.ts";
import { sweepHealth } from "../../worker/services/health/sweepHealth.ts";
import { endOverdueChecks } from "../../worker/services/health/endOverdueChecks.ts";
import { watchHealth } from "../../worker/services/health/watchHealth.ts";
import { watchHeartbeats } from "../../worker/services/health/watchHeartbeats.ts";
import { scheduleCause, tellAlert, workerCause } from "../../worker/services/health/tellAlert.ts";
import { alertsOf, healthContext, pending, resultFor, toldOf, value } from "./healthHarness.ts";

/** Lets a Worker's checks end so, one after the other. */
async function ends(ctx: ServiceContext, worker: string, outcomes: string): Promise<void> {
  for (const outcome of outcomes) {
    const { workerCheck } = await pending(ctx, worker);
    value(await submitResult(ctx, resultFor(ctx, worker, workerCheck, outcome === "P"), { kind: "signed" }));
  }
}
const kindsOf = async (worker: string) => (await toldOf(worker)).map(({ kind }) => kind);
const standing = async (ctx: ServiceContext, worker: string) =>
  value(await getLatestWorkerHealth(ctx, { worker })).worker;

/** Each test has Workers of its own: standing is kept. */
const targets = (...names: string[]) => ({ HEALTH_WORKER_TARGETS: names.join(",") });

describe("what is told to the hub", () => {
  test("nothing of a blip; an outage once, and once that it is over", async () => {
    const { ctx } = healthContext(targets("w-one"));
    await ends(ctx, "w-one", "PPFPPPP");
    expect(await kindsOf("w-one")).toEqual([]);
    expect(await standing(ctx, "w-one")).toMatchObject({ status: "up", flapping: false });
    await ends(ctx, "w-one", "FFFF");
    expect(await kindsOf("w-one")).toEqual(["health.down"]);
    await ends(ctx, "w-one", "PPP");
    expect(await kindsOf("w-one")).toEqual(["health.down", "health.recovered"]);
  });

  test("an outage is one open alert, closed once it is over, whoever the results came from", async () => {
    const { ctx } = healthContext(targets("w-open"));
    const factory = healthContext(targets("w-open"), {
      ...ctx.actor,
      id: "worker:w-open",
      kind: "factory",
      scopes: new Set(["health:read", "health:write", "events:write"]),
    });
    await ends(factory.ctx, "w-open", "PFFFFF");
    expect(await alertsOf(workerCause("w-open"))).toEqual([{ kind: "health.down", status: "open", told: 1 }]);
    factory.pass(60_000);
    await ends(factory.ctx, "w-open", "PP");
    expect(await alertsOf(workerCause("w-open"))).toEqual([
      { kind: "health.down", status: "resolved", told: 1 },
      { kind: "health.recovered", status: "resolved", told: 1 },
    ]);
  });

  test("what is handed over again, later too, is not told again and opens nothing", async () => {
    const { ctx, pass } = healthContext(targets("w-again"));
    const say = (kind: "down" | "up", key: string) =>
      tellAlert(ctx, {
        key,
        kind,
        severity: kind === "down" ? "critical" : "info",
        subject: "w-again",
        message: kind,
        code: null,
        at: "",
      });
    await say("down", "one");
    pass(60_000);
    await say("up", "two");
    const told = [
      { kind: "health.down", status: "resolved", told: 1 },
      { kind: "health.recovered", status: "resolved", told: 1 },
    ];
    expect(await alertsOf(workerCause("w-again"))).toEqual(told);
    pass(2 * 86_400_000);
    await say("down", "one");
    await say("up", "two");
    expect(await alertsOf(workerCause("w-again"))).toEqual(told);
  });

  test("that it flaps, though an outage is open; and what it has settled to", async () => {
    const { ctx, pass } = healthContext(targets("w-settles"));
    await ends(ctx, "w-settles", "PFFF");
    pass(60_000);
    await ends(ctx, "w-settles", "PFPFPF");
    expect(await kindsOf("w-settles")).toEqual(["health.down", "health.flapping"]);
    pass(60_000);
    await ends(ctx, "w-settles", "PPPPPPP");
    expect(await kindsOf("w-settles")).toEqual(["health.down", "health.flapping", "health.recovered"]);
    expect((await alertsOf(workerCause("w-settles"))).filter(({ status }) => status === "open")).toEqual([]);
  });

  test("of one that fails and passes by turns, that it flaps", async () => {
    const { ctx } = healthContext(targets("w-flap"));
    await ends(ctx, "w-flap", "PPPFPFPFP");
    expect(await kindsOf("w-flap")).toEqual(["health.flapping"]);
    expect(await standing(ctx, "w-flap")).toMatchObject({ status: "up", flapping: true });
  });

  test("once, though results of a Worker come all at the same moment", async () => {
    const { ctx } = healthContext(targets("w-race"));
    const checks = await Promise.all(Array.from({ length: 6 }, () => pending(ctx, "w-race")));
    await Promise.all(
      checks.map(({ workerCheck }) =>
        submitResult(ctx, resultFor(ctx, "w-race", workerCheck, false), { kind: "signed" }),
      ),
    );
    await refreshStanding(ctx, "w-race");
    expect(await standing(ctx, "w-race")).toMatchObject({ status: "down", recent: "FFFFFF" });
    const told = await toldOf("w-race");
    expect(new Set(told.map(({ key }) => key)).size).toBe(1);
  });

  test("what was cut off between a result and its alert is done by the minute's run", async () => {
    const { ctx } = healthContext(targets("w-cut"));
    await ends(ctx, "w-cut", "FF");
    const { workerCheck } = await pending(ctx, "w-cut");
    // The third failure is written, and whoever wrote it died there.
    await env.DB_HEALTH.prepare(
      "UPDATE worker_health_checks SET status = 'failed', code = 'DATABASE_FAILED', settled_by = 'result:x', settled_seq = 3, finished_at = ?2 WHERE uuid = ?1",
    )
      .bind(workerCheck, ctx.now().toISOString())
      .run();
    expect(await kindsOf("w-cut")).toEqual([]);
    await watchHealth(ctx);
    expect(await kindsOf("w-cut")).toEqual(["health.down"]);
    await watchHealth(ctx);
    expect(await kindsOf("w-cut")).toEqual(["health.down"]);
  });

  test("an alert that could not be handed over waits, and is handed over by the next run", async () => {
    const { ctx } = healthContext(targets("w-deaf"));
    await ends(ctx, "w-deaf", "FF");
    const deaf = healthContext({
      ...targets("w-deaf"),
      DB_OPS: {
        prepare: () => {
          throw new Error("D1_ERROR: away");
        },
      },
    });
    await ends(deaf.ctx, "w-deaf", "F");
    expect(await standing(ctx, "w-deaf")).toMatchObject({ status: "down" });
    expect(await kindsOf("w-deaf")).toEqual([]);
    await watchHealth(ctx);
    expect(await kindsOf("w-deaf")).toEqual(["health.down"]);
  });
});

describe("schedules", () => {
  const only = async (id: string) => {
    await env.DB_HEALTH.prepare("UPDATE health_check_schedules SET enabled = 0 WHERE id <> ?1").bind(id).run();
    return async () =>
      (await env.DB_HEALTH.prepare("SELECT count(*) AS n FROM health_checks WHERE schedule_id = ?1")
        .bind(id)
        .first<number>("n")) ?? 0;
  };

  test("begin what is due, once, however many runs look at the same time; and not what is not", async () => {
    const { ctx, pass } = healthContext(targets("w-sched"));
    const { schedule } = value(
      await createHealthSchedule(ctx, {
        name: "often",
        workers: ["w-sched"],
        profiles: ["identity"],
        every_minutes: 5,
      }),
    );
    const begun = await only(schedule.id);
    await Promise.all([runSchedules(ctx), runSchedules(ctx), runSchedules(ctx)]);
    expect(await begun()).toBe(1);
    pass(4 * 60_000);
    await runSchedules(ctx);
    expect(await begun()).toBe(1);
    pass(60_000);
    await runSchedules(ctx);
    expect(await begun()).toBe(2);
  });

  test("count and tell the times that no run came for, and make up for none", async () => {
    const { ctx, pass } = healthContext(targets("w-missed"));
    const { schedule } = value(
      await createHealthSchedule(ctx, { name: "missed", workers: ["w-missed"], every_minutes: 5 }),
    );
    const begun = await only(schedule.id);
    await runSchedules(ctx);
    pass(33 * 60_000);
    await runSchedules(ctx);
    expect(await begun()).toBe(2);
    const { schedules } = value(await listHealthSchedules(ctx, {}));
    expect(schedules.find(({ id }) => id === schedule.id)).toMatchObject({ missed_runs: 5 });
    expect(await kindsOf(schedule.id)).toEqual(["schedule.missed"]);
    expect(await alertsOf(scheduleCause(schedule.id, "missed"))).toMatchObject([{ status: "open" }]);
    // The next that comes in time ends it.
    pass(5 * 60_000);
    await runSchedules(ctx);
    expect(await alertsOf(scheduleCause(schedule.id, "missed"))).toMatchObject([{ status: "resolved" }]);
  });

  test("notice a run that is stuck: its Workers are ended as silent, and it is said", async () => {
    const { ctx, pass } = healthContext(targets("w-stuck"));
    const { schedule } = value(
      await createHealthSchedule(ctx, { name: "stuck", workers: ["w-stuck"], every_minutes: 60 }),
    );
    await only(schedule.id);
    await runSchedules(ctx);
    const uuid = await env.DB_HEALTH.prepare("SELECT uuid FROM health_checks WHERE schedule_id = ?1")
      .bind(schedule.id)
      .first<string>("uuid");
    await env.DB_HEALTH.prepare("UPDATE health_checks SET status = 'running' WHERE uuid = ?1").bind(uuid).run();
    pass(20 * 60_000);
    expect((await endOverdueChecks(ctx)).stuck).toBeGreaterThanOrEqual(1);
    expect(value(await getHealthCheck(ctx, { uuid: uuid ?? "" })).check).toMatchObject({
      status: "timed_out",
      worker_checks: [{ code: "WORKER_SILENT" }],
    });
    expect(await kindsOf(schedule.id)).toEqual(["schedule.stuck"]);
    expect(value(await listHealthSchedules(ctx, {})).schedules.find(({ id }) => id === schedule.id)).toMatchObject({
      stuck_runs: 1,
    });
    // No run of a schedule that is switched off, or gone, ends it.
    const stuck = () => alertsOf(scheduleCause(schedule.id, "stuck"));
    expect(await stuck()).toMatchObject([{ status: "open" }]);
    value(await changeHealthSchedule(ctx, { id: schedule.id, change: { enabled: false } }));
    expect(await stuck()).toMatchObject([{ status: "resolved" }]);
    await tellAlert(ctx, {
      key: "again",
      kind: "missed-run",
      severity: "warning",
      subject: schedule.id,
      message: "missed",
      code: null,
      at: ctx.now().toISOString(),
    });
    value(await deleteHealthSchedule(ctx, { id: schedule.id }));
    expect(await alertsOf(scheduleCause(schedule.id, "missed"))).toMatchObject([{ status: "resolved" }]);
  });

  test("of a stuck check that somebody asked for people are told once, and no alert of it stays open", async () => {
    const { ctx, pass } = healthContext(targets("w-asked"));
    await pending(ctx, "w-asked");
    pass(60 * 60_000);
    await endOverdueChecks(ctx);
    const told = await alertsOf(scheduleCause("checks", "stuck"));
    expect(told.length).toBeGreaterThan(0);
    for (const { status } of told) expect(status).toBe("resolved");
    await endOverdueChecks(ctx);
    expect(await alertsOf(scheduleCause("checks", "stuck"))).toHaveLength(told.length);
  });

  test("a check that the queue lost is carried out by the minute's run", async () => {
    const { ctx, pass } = healthContext({ HEALTH_WORKER_TARGETS: "vibehq-orchestrator" });
    const { uuid } = await pending(ctx, "vibehq-orchestrator");
    pass(31_000);
    await watchHealth(ctx);
    expect(value(await getHealthCheck(ctx, { uuid })).check.status).toMatch(/passed|failed/);
  });

  test("are changed, switched off and taken away", async () => {
    const { ctx } = healthContext(targets("w-crud"));
    const { schedule } = value(await createHealthSchedule(ctx, { name: "a", every_minutes: 5 }));
    expect(await createHealthSchedule(ctx, { name: "b", every_minutes: 5, workers: ["nobody"] })).toMatchObject({
      error: { code: "NOT_FOUND" },
    });
    expect(await createHealthSchedule(ctx, { name: "b", every_minutes: 0 })).toMatchObject({
      error: { code: "VALIDATION_FAILED" },
    });
    expect(
      value(await changeHealthSchedule(ctx, { id: schedule.id, change: { enabled: false, every_minutes: 7 } }))
        .schedule,
    ).toMatchObject({ enabled: false, every_minutes: 7 });
    await runSchedules(ctx);
    expect(
      await env.DB_HEALTH.prepare("SELECT count(*) AS n FROM health_checks WHERE schedule_id = ?1")
        .bind(schedule.id)
        .first("n"),
    ).toBe(0);
    expect(await deleteHealthSchedule(ctx, { id: schedule.id })).toEqual({ ok: true });
    expect(await deleteHealthSchedule(ctx, { id: schedule.id })).toMatchObject({ error: { code: "NOT_FOUND" } });
  });
});

describe("a container's heartbeats", () => {
  test("keep it up; missed ones are noted each minute, and three of them are an outage", async () => {
    const { ctx, pass } = healthContext();
    const beat = () => heartbeat(ctx, { container: "c-1", every_s: 30 });
    const name = "container:c-1";
    value(await beat());
    await watchHeartbeats(ctx);
    expect(await standing(ctx, name)).toMatchObject({ status: "up", kind: "container", recent: "P" });
    pass(80_000);
    await watchHeartbeats(ctx);
    expect(await standing(ctx, name)).toMatchObject({ recent: "P" });
    pass(20_000);
    for (let minute = 0; minute < 3; minute += 1) {
      await watchHeartbeats(ctx);
      pass(60_000);
    }
    expect(await standing(ctx, name)).toMatchObject({ status: "down", latest: { code: "HEARTBEAT_MISSED" } });
    expect(await kindsOf(name)).toEqual(["health.down"]);
    value(await beat());
    await watchHeartbeats(ctx);
    await watchHeartbeats(ctx);
    expect(await kindsOf(name)).toEqual(["health.down", "health.recovered"]);
  });

  test("one that ends on purpose is not missed", async () => {
    const { ctx, pass } = healthContext();
    value(await heartbeat(ctx, { container: "c-2" }));
    value(await heartbeat(ctx, { container: "c-2", ending: true }));
    pass(10 * 60_000);
    await watchHeartbeats(ctx);
    expect(await toldOf("container:c-2")).toEqual([]);
    expect(
      await env.DB_HEALTH.prepare(
        "SELECT count(*) AS n FROM worker_health_checks WHERE worker_name = 'container:c-2'",
      ).first("n"),
    ).toBe(0);
  });

  test("no Worker speaks for a container, whatever it is bound to", () => {
    // RPC reaches what stands on the prototype.
    const reached = Object.getOwnPropertyNames(HealthOps.prototype);
    expect(reached).toContain("submitResult");
    expect(reached).not.toContain("heartbeat");
  });

  test("a container's token speaks for its own workspace, whatever it says", async () => {
    const { ctx } = healthContext();
    const confined = healthContext({}, { ...ctx.actor, scopes: new Set(["events:write"]), workspaceId: "order:ORD-9" });
    value(await heartbeat(confined.ctx, { container: "somebody-else" }));
    const { results } = await env.DB_HEALTH.prepare(
      "SELECT worker_name FROM worker_states WHERE worker_name IN ('container:order:ORD-9', 'container:somebody-else')",
    ).all();
    expect(results).toEqual([{ worker_name: "container:order:ORD-9" }]);
  });
});

describe("what is kept", () => {
  test("a check that passed goes after two weeks, one that failed after three months, the days stay", async () => {
    const { ctx, pass } = healthContext(targets("w-old"));
    await ends(ctx, "w-old", "PF");
    const kept = async () =>
      (
        await env.DB_HEALTH.prepare(
          "SELECT status FROM worker_health_checks WHERE worker_name = 'w-old' ORDER BY status",
        ).all()
      ).results.map(({ status }) => status);
    pass(15 * 86_400_000);
    await sweepHealth(ctx);
    expect(await kept()).toEqual(["failed"]);
    pass(80 * 86_400_000);
    await sweepHealth(ctx);
    expect(await kept()).toEqual([]);
    expect(
      await env.DB_HEALTH.prepare("SELECT count(*) AS n FROM test_results WHERE worker_name = 'w-old'").first("n"),
    ).toBe(0);
    expect(
      await env.DB_HEALTH.prepare("SELECT checks FROM health_summaries WHERE worker_name = 'w-old'").first("checks"),
    ).toBe(2);
    // What ends after everything before it was swept still counts.
    await ends(ctx, "w-old", "F");
    expect(await standing(ctx, "w-old")).toMatchObject({ recent: "PFF" });
  });

  test("days of containers go with their checks, and a summary reads those of whom it shows alone", async () => {
    const { ctx, pass } = healthContext(targets("w-shown"));
    const day = ctx.now().toISOString().slice(0, 10);
    await env.DB_HEALTH.batch(
      ["container:gone", "w-shown", "w-other"].map((name) =>
        env.DB_HEALTH.prepare(
          "INSERT INTO health_summaries (worker_name, day, checks, passed, last_at) VALUES (?1, ?2, 4, 3, ?2)",
        ).bind(name, day),
      ),
    );
    const read = await daysQuery(ctx.db, ["w-shown"], day).execute();
    expect(read.map(({ worker_name: name }) => name)).toEqual(["w-shown"]);
    const { workers } = value(await getHealthSummary(ctx, { days: "1" }));
    expect(workers).toContainEqual({
      worker_name: "w-shown",
      uptime: 75,
      days: [expect.objectContaining({ checks: 4 })],
    });
    pass(95 * 86_400_000);
    await sweepHealth(ctx);
    const kept = await env.DB_HEALTH.prepare("SELECT worker_name FROM health_summaries WHERE day = ?1").bind(day).all();
    const names = kept.results.map(({ worker_name: name }) => name);
    expect(names).toEqual(expect.arrayContaining(["w-shown", "w-other"]));
    expect(names).not.toContain("container:gone");
  });

  test("lists are read in pages of a hundred at most", async () => {
    const { ctx } = healthContext(targets("w-page"));
    await ends(ctx, "w-page", "PPP");
    const first = value(await listHealthChecks(ctx, { worker: "w-page", limit: "2" }));
    const second = value(await listHealthChecks(ctx, { worker: "w-page", limit: "2", cursor: first.cursor ?? "" }));
    expect([first.checks.length, second.checks.length, second.cursor]).toEqual([2, 1, null]);
    expect(await listHealthChecks(ctx, { limit: "101" })).toMatchObject({ error: { code: "VALIDATION_FAILED" } });
  });
});

describe("a model that sums up", () => {
  test("is asked once of a run that failed, its answer bounded and on record; its failing is on record too", async () => {
    let asked = 0;
    const ai = {
      run: async () => {
        asked += 1;
        if (asked === 2) throw new Error("a secret cause");
        return { response: "x".repeat(5_000) };
      },
    };
    const { ctx } = healthContext({ ...targets("w-ai"), AI: ai, HEALTH_SUMMARY_MODEL: "a-model" });
    await env.DB_HEALTH.prepare("DELETE FROM health_checks WHERE status IN ('failed', 'timed_out')").run();
    await ends(ctx, "w-ai", "FF");
    await summariseFailures(ctx);
    await summariseFailures(ctx);
    expect(asked).toBe(2);
    const { results } = await env.DB_HEALTH.prepare(
      "SELECT model, length(response) AS length, error FROM ai_logs ORDER BY id",
    ).all();
    expect(results).toEqual([
      { model: "a-model", length: 2_000, error: null },
      { model: "a-model", length: null, error: "the model did not answer" },
    ]);
    expect(await standing(ctx, "w-ai")).toMatchObject({ recent: "FF" });
  });

  test("is not asked where none is configured", async () => {
    const { ctx } = healthContext();
    expect(await summariseFailures(ctx)).toEqual({ summarised: 0 });
  });
});
