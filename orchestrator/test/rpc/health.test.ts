import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { probe } from "../../worker/services/health/probe.ts";
import { getHealthSummary, getLatestWorkerHealth, listWorkerHealth } from "../../worker/services/health/readWorkers.ts";
import { runHealthCheck } from "../../worker/services/health/runHealthCheck.ts";
import { startHealthCheck } from "../../worker/services/health/startHealthCheck.ts";
import { applyPatches } from "../../worker/services/patch/applyPatches.ts";
import { become, check, healthContext, instantClock, value } from "./healthHarness.ts";

const WORKER = "agent-factory";
beforeEach(() => become("HEALTH_AGENT_FACTORY", "well"));

describe("a Worker broken on purpose is reported as exactly that", () => {
  const cases: [health: string, hangs: boolean, status: string, code: string, dispatches: string[]][] = [
    ["throws", false, "failed", "WORKER_UNREACHABLE", ["failed", "failed", "failed"]],
    ["hangs", true, "timed_out", "WORKER_TIMEOUT", ["timed_out", "timed_out", "timed_out"]],
    ["refuses", false, "failed", "WORKER_REFUSED", ["passed"]],
    ["breaks off", false, "failed", "WORKER_UNREACHABLE", ["passed"]],
    ["sends no result", false, "timed_out", "WORKER_SILENT", ["passed"]],
  ];
  test.each(cases)("one that %s", async (health, hangs, status, code, dispatches) => {
    const { ctx } = healthContext();
    await become("HEALTH_AGENT_FACTORY", health);
    const clock = instantClock(ctx, hangs);
    const { worker_checks, ...run } = await check(ctx, { workers: [WORKER] }, { clock });
    expect(run).toMatchObject({
      status: status === "timed_out" ? "timed_out" : "failed",
      failed_workers: 1,
      total_workers: 1,
    });
    expect(worker_checks).toMatchObject([{ worker_name: WORKER, status, code }]);
    expect(worker_checks[0]?.dispatches.map((attempt) => attempt.status)).toEqual(dispatches);
    // Between attempts a second and more is waited, longer each time.
    expect(clock.waits).toEqual(dispatches.length === 3 ? [1_000, 2_000] : []);
    expect(JSON.stringify(worker_checks)).not.toContain("a secret cause");
  });

  test("one that runs its check for ever", async () => {
    const { ctx } = healthContext();
    await become("HEALTH_AGENT_FACTORY", "never ends");
    // Its doors answer within their limit; the check itself does not within its own, which is longer.
    const clock = {
      ...instantClock(ctx, false),
      sleep: (ms: number) => (ms > 60_000 ? Promise.resolve() : new Promise<void>(() => undefined)),
    };
    const { worker_checks } = await check(ctx, { workers: [WORKER] }, { clock });
    expect(worker_checks).toMatchObject([
      { status: "timed_out", code: "WORKER_TIMEOUT", dispatches: [{ status: "passed" }] },
    ]);
  });

  test("one that is named as a target and bound to nothing", async () => {
    const { ctx } = healthContext({ HEALTH_WORKER_TARGETS: "ghost-api" });
    const { worker_checks } = await check(ctx, {});
    expect(worker_checks).toMatchObject([
      { worker_name: "ghost-api", status: "failed", code: "WORKER_UNBOUND", dispatches: [{ attempt: 1 }] },
    ]);
  });

  test("one elsewhere, where nobody listens", async () => {
    const { ctx } = healthContext({ HEALTH_WORKER_TARGETS: "far-api=http://127.0.0.1:9" });
    const { worker_checks } = await check(ctx, { max_retries: 0 });
    expect(worker_checks).toMatchObject([{ status: "failed", code: "WORKER_UNREACHABLE" }]);
  });

  test("and no other Worker's check is touched by it", async () => {
    const { ctx } = healthContext();
    await become("HEALTH_AGENT_FACTORY", "throws");
    const { worker_checks } = await check(ctx, {
      workers: [WORKER, "vibehq-orchestrator"],
      profiles: ["identity", "database"],
    });
    expect(worker_checks).toMatchObject([
      { worker_name: WORKER, status: "failed" },
      { worker_name: "vibehq-orchestrator", status: "passed" },
    ]);
  });
});

describe("the orchestrator checks itself", () => {
  const own = { workers: ["vibehq-orchestrator"] };
  const faultsOf = (found: Awaited<ReturnType<typeof check>>) =>
    Object.fromEntries(
      (found.worker_checks[0]?.results ?? []).flatMap(({ profile, details }) =>
        details.filter(({ ok }) => !ok).map(({ name, code }) => [`${profile}.${name}`, code]),
      ),
    );

  test("well: every profile passes, down to a canary patch through the real engine, the database and back", async () => {
    const { ctx } = healthContext();
    const clock = {
      now: () => ctx.now(),
      random: () => 0,
      sleep: (ms: number) =>
        ms < 1_000 ? new Promise<void>((done) => setTimeout(done, ms)) : new Promise<void>(() => undefined),
    };
    const found = await check(
      ctx,
      { ...own, profiles: ["identity", "bindings", "database", "engine", "canary"] },
      { clock },
    );
    expect(faultsOf(found)).toEqual({});
    expect(found).toMatchObject({
      status: "passed",
      passed_workers: 1,
      worker_checks: [{ status: "passed", worker_type: "orchestrator", code: null }],
    });
    const canary = found.worker_checks[0]?.results.find(({ profile }) => profile === "canary");
    expect(canary?.details.map(({ name }) => name)).toEqual(["open", "apply", "read", "record", "revert", "tree"]);
    const { results } = await env.DB_OPS.prepare(
      "SELECT event_type FROM patch_events WHERE workspace_id = 'health-canary-vibehq-orchestrator' ORDER BY seq",
    ).all<{ event_type: string }>();
    expect(results.map((row) => row.event_type)).toEqual(expect.arrayContaining(["patch_requested", "patch_applied"]));
  });

  test.each<[string, Record<string, unknown>, Record<string, string>]>([
    ["a database that is not bound", { DB_LOGS: undefined }, { "database.DB_LOGS": "DATABASE_FAILED" }],
    [
      "a database that throws",
      { DB_CHATS: { prepare: () => ({ first: () => Promise.reject(new Error("a secret cause")) }) } },
      { "database.DB_CHATS": "DATABASE_FAILED" },
    ],
    ["an engine that is not there", { ENGINE_URL: "http://127.0.0.1:9" }, { "engine.engine": "ENGINE_FAILED" }],
    ["another Worker's name", { WORKER_NAME: "somebody" }, { "identity.WORKER_NAME": "IDENTITY_WRONG" }],
    ["no version", { CF_VERSION_METADATA: undefined }, { "identity.CF_VERSION_METADATA": "IDENTITY_WRONG" }],
    ["no hub", { EVENT_HUB: undefined }, { "bindings.EVENT_HUB": "BINDING_MISSING" }],
    [
      "a hub that does not start",
      { EVENT_HUB: { getByName: () => ({ fetch: () => Promise.resolve(new Response(null, { status: 503 })) }) } },
      { "bindings.EVENT_HUB": "BINDING_FAILED" },
    ],
  ])("with %s: that is what is reported", async (_, broken, faults) => {
    const { ctx } = healthContext(broken);
    const found = await check(ctx, { ...own, max_retries: 0 });
    expect(faultsOf(found)).toEqual(faults);
    expect(found.worker_checks[0]).toMatchObject({ status: "failed", code: Object.values(faults)[0] });
    expect(JSON.stringify(found)).not.toContain("a secret cause");
  });

  test("with a template that does not pass its check: by the verb that factories ask, over the real engine", async () => {
    const { ctx } = healthContext();
    const well = value(await probe(ctx, { profile: "template", version: "a1" }, "agent-factory"));
    expect(well.details).toMatchObject([
      { name: "open", ok: true },
      { name: "check", ok: true, code: null },
    ]);
    value(
      await applyPatches(ctx, {
        workspaceId: "health-template-agent-factory-a1",
        patches: [{ op: "search-replace", file: "src/tools.ts", search: '"echo"', replace: '"clock"' }],
      }),
    );
    const broken = value(await probe(ctx, { profile: "template", version: "a1" }, "agent-factory"));
    expect(broken.details).toMatchObject([
      { name: "open", ok: true },
      { name: "check", ok: false, code: "TEMPLATE_FAILED" },
    ]);
    expect(await probe(ctx, { profile: "template" }, "core-github-api")).toMatchObject({
      ok: false,
      error: { code: "CONFLICT" },
    });
  });
});

describe("a run", () => {
  test("is carried out once, however often its message comes", async () => {
    const { ctx } = healthContext();
    const { check: begun } = value(
      await startHealthCheck(ctx, { workers: ["vibehq-orchestrator"], profiles: ["identity"] }, { type: "schedule" }),
    );
    const clock = instantClock(ctx, false);
    const ran = await Promise.all([
      runHealthCheck(ctx, begun.uuid, clock),
      runHealthCheck(ctx, begun.uuid, clock),
      runHealthCheck(ctx, begun.uuid, clock),
    ]);
    expect(ran.filter(Boolean)).toEqual([true]);
  });

  test("of a Worker that is no target, or of no profile there is, is refused", async () => {
    const { ctx } = healthContext();
    expect(await startHealthCheck(ctx, { workers: ["nobody"] })).toMatchObject({
      ok: false,
      error: { code: "NOT_FOUND" },
    });
    expect(await startHealthCheck(ctx, { profiles: ["mood"] })).toMatchObject({
      ok: false,
      error: { code: "VALIDATION_FAILED" },
    });
  });

  test("is counted in the Worker's day, and its latest is shown with its parts", async () => {
    const { ctx } = healthContext({ HEALTH_WORKER_TARGETS: "ui-factory,vibehq-orchestrator" });
    await become("HEALTH_UI_FACTORY", "throws");
    await check(ctx, { workers: ["ui-factory"] });
    await check(ctx, { workers: ["ui-factory"] });
    const summary = value(await getHealthSummary(ctx, { days: 7 }));
    expect(summary.workers.find(({ worker_name }) => worker_name === "ui-factory")).toMatchObject({
      uptime: 0,
      days: [{ checks: 2, passed: 0, failed: 2, timed_out: 0 }],
    });
    expect(value(await getLatestWorkerHealth(ctx, { worker: "ui-factory" }))).toMatchObject({
      worker: { status: "unknown", recent: "FF" },
      check: { code: "WORKER_UNREACHABLE" },
    });
    expect(value(await listWorkerHealth(ctx)).workers.map(({ worker_name }) => worker_name)).toEqual([
      "ui-factory",
      "vibehq-orchestrator",
    ]);
    expect(await getLatestWorkerHealth(ctx, { worker: "nobody" })).toMatchObject({
      ok: false,
      error: { code: "NOT_FOUND" },
    });
  });
});
