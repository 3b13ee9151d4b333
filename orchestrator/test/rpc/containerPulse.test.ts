import { WorkspaceIdSchema } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { describe, expect, inject, test } from "vitest";
import { beat, containerActor, lastBeat, pulseSeconds } from "../../worker/durable-objects/factory-container/pulse.ts";
import { getLatestWorkerHealth } from "../../worker/services/health/readWorkers.ts";
import { workerCause } from "../../worker/services/health/tellAlert.ts";
import { watchHealth } from "../../worker/services/health/watchHealth.ts";
import { watchHeartbeats } from "../../worker/services/health/watchHeartbeats.ts";
import { alertsOf, healthContext, toldOf, value } from "./healthHarness.ts";
import { mint } from "./workspaceHarness.ts";

/** A container with the engine host of these tests in it, and the object that owns it. */
function container(broken: Record<string, unknown> = {}) {
  const workspaceId = WorkspaceIdSchema.parse(mint("pulse"));
  const { ctx, pass } = healthContext(broken, containerActor(workspaceId));
  const { ctx: system } = healthContext();
  const watcher = { ...system, now: () => ctx.now() };
  let { url } = inject("engine");
  let answer: number | null = null;
  const everyS = 30;
  return {
    name: `container:${workspaceId}`,
    cause: workerCause(`container:${workspaceId}`),
    ctx,
    watcher,
    pass,
    beat: () =>
      beat(ctx, {
        workspaceId,
        everyS,
        ask: async (signal) =>
          answer === null ? fetch(new URL("/readyz", url), { signal }) : new Response("draining", { status: answer }),
      }),
    lastBeat: () => lastBeat(ctx, { workspaceId, everyS }),
    /** Its host is gone. */
    loses: () => (url = "http://127.0.0.1:1"),
    returns: () => (url = inject("engine").url),
    /** Its host is there, and answers so. */
    answers: (status: number) => (answer = status),
    /** So many minutes, each with its run and no beat. */
    minutes: async (count: number) => {
      for (let minute = 0; minute < count; minute += 1) {
        pass(60_000);
        await watchHeartbeats(watcher);
      }
    },
    standing: async () => value(await getLatestWorkerHealth(watcher, { worker: `container:${workspaceId}` })).worker,
  };
}

describe("a container, by the object that owns it", () => {
  test("beats where its host is ready; one that stops beating is named as missed, and as down after three", async () => {
    const one = container();
    expect(await one.beat()).toBe(true);
    await watchHealth(one.watcher);
    expect(await one.standing()).toMatchObject({ kind: "container", status: "up", recent: "P" });

    one.loses();
    expect(await one.beat()).toBe(false);
    await one.minutes(2);
    expect(await one.standing()).toMatchObject({ latest: { status: "failed", code: "HEARTBEAT_MISSED" } });
    await one.minutes(2);
    expect(await one.standing()).toMatchObject({ status: "down", latest: { code: "HEARTBEAT_MISSED" } });
    expect(await alertsOf(one.cause)).toEqual([{ kind: "health.down", status: "open", told: 1 }]);

    one.returns();
    expect(await one.beat()).toBe(true);
    await watchHeartbeats(one.watcher);
    await watchHeartbeats(one.watcher);
    expect(await one.standing()).toMatchObject({ status: "up" });
    expect((await toldOf(one.name)).map(({ kind }) => kind)).toEqual(["health.down", "health.recovered"]);
    expect((await alertsOf(one.cause)).every(({ status }) => status === "resolved")).toBe(true);
  });

  test("whose host answers that it is not ready, or whose database is away, has missed a beat and nothing else", async () => {
    const unready = container();
    unready.answers(503);
    expect(await unready.beat()).toBe(false);
    const away = container({
      DB_HEALTH: {
        prepare: () => {
          throw new Error("D1_ERROR: away");
        },
      },
    });
    expect(await away.beat()).toBe(false);
    await expect(away.lastBeat()).resolves.toBeUndefined();
    const { results } = await env.DB_HEALTH.prepare(
      "SELECT worker_name FROM worker_states WHERE worker_name IN (?1, ?2)",
    )
      .bind(unready.name, away.name)
      .all();
    expect(results).toEqual([]);
  });

  test("that ended on purpose is not missed; an outage that it had before is over with it", async () => {
    const one = container();
    await one.beat();
    await watchHeartbeats(one.watcher);
    await one.minutes(4);
    expect(await alertsOf(one.cause)).toEqual([{ kind: "health.down", status: "open", told: 1 }]);
    await one.beat();
    await one.lastBeat();
    await one.minutes(5);
    expect(await alertsOf(one.cause)).toEqual([{ kind: "health.down", status: "resolved", told: 1 }]);
    expect(await one.standing()).toMatchObject({ status: "unknown", recent: "" });
    // It begins anew: what it missed before counts for nothing.
    await one.beat();
    await watchHeartbeats(one.watcher);
    expect(await one.standing()).toMatchObject({ status: "up", recent: "P" });
  });

  test("that has been silent for a day is given up, and its alert with it", async () => {
    const one = container();
    await one.beat();
    await watchHeartbeats(one.watcher);
    await one.minutes(4);
    expect(await alertsOf(one.cause)).toMatchObject([{ status: "open" }]);
    one.pass(24 * 3_600_000);
    await watchHeartbeats(one.watcher);
    expect(await alertsOf(one.cause)).toMatchObject([{ status: "resolved" }]);
    const count = () =>
      env.DB_HEALTH.prepare("SELECT count(*) AS n FROM worker_health_checks WHERE worker_name = ?1")
        .bind(one.name)
        .first("n");
    const before = await count();
    await one.minutes(3);
    expect(await count()).toBe(before);
  });
});

test.each([
  [undefined, 30],
  ["", 30],
  ["5", 5],
  ["90", 90],
  ["4", 30],
  ["1e9", 30],
  ["soon", 30],
])("a pace of %j is one of %d seconds", (said, seconds) => {
  expect(pulseSeconds(said)).toBe(seconds);
});
