import { type HealthOpsRpc, type HealthResult } from "@shared/contracts";
import { signedHeaders } from "@shared/worker-kit";
import { env, exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { systemActor } from "../../worker/context.ts";
import { getHealthCheck } from "../../worker/services/health/readChecks.ts";
import { startHealthCheck } from "../../worker/services/health/startHealthCheck.ts";
import { settle } from "../../worker/services/health/settle.ts";
import { submitResult } from "../../worker/services/health/submitResult.ts";
import { call, problemOf } from "../api/caller.ts";
import { healthContext, pending, resultFor, value } from "./healthHarness.ts";

type Bound = (options: { props: { caller: string } }) => HealthOpsRpc;
const bound = (caller: string): HealthOpsRpc =>
  (exports as unknown as { HealthOps: Bound }).HealthOps({ props: { caller } });

/** As a Worker elsewhere sends it. */
async function post(result: unknown, options: { secret?: string | null; at?: Date; raw?: string } = {}) {
  const { secret = env.HEALTH_SECRET, at = new Date() } = options;
  const body = options.raw ?? JSON.stringify(result);
  const path = "/health-check/result";
  return call(path, {
    token: null,
    raw: body,
    headers: {
      "content-type": "application/json",
      ...(secret === null ? {} : signedHeaders(secret, { method: "POST", path, body }, at)),
    },
  });
}

const statusOf = async (ctx: Parameters<typeof getHealthCheck>[0], uuid: string) =>
  value(await getHealthCheck(ctx, { uuid })).check;

test("a Worker has itself checked by its binding, and reads how that went and how all stand; none without a name does", async () => {
  const health = bound("agent-factory");
  const { check } = value(await health.executeHealthCheck({ workers: ["agent-factory"] }));
  expect(check).toMatchObject({ trigger_type: "rpc", total_workers: 1 });
  expect(value(await health.getHealthCheck(check.uuid)).check).toMatchObject({
    uuid: check.uuid,
    worker_checks: [{ worker_name: "agent-factory" }],
  });
  expect(value(await health.getLatestWorkerHealth("agent-factory")).worker).toMatchObject({
    worker_name: "agent-factory",
    kind: "worker",
    target: true,
  });
  const summary = value(await health.getSummary({ days: 1 }));
  expect(summary.workers.map(({ worker_name: name }) => name)).toContain("agent-factory");
  const unnamed = (exports as unknown as { HealthOps: HealthOpsRpc }).HealthOps;
  for (const refused of [await unnamed.executeHealthCheck(), await unnamed.getSummary()]) {
    expect(refused).toMatchObject({ ok: false, error: { code: "UNAUTHENTICATED" } });
  }
});

describe.each(["by binding", "signed"] as const)("a callback %s", (way) => {
  const send = async (result: HealthResult, caller = "agent-factory") => {
    if (way === "by binding") {
      const answer = await bound(caller).submitResult(result);
      return answer.ok ? answer.status : answer.error.code;
    }
    const response = await post(result);
    return response.ok ? (await response.json<{ status: string }>()).status : (await problemOf(response)).code;
  };

  test("is taken once: the second is refused, and nothing is counted twice", async () => {
    const { ctx } = healthContext();
    const { uuid, result } = await pending(ctx);
    expect(await send(result)).toBe("passed");
    expect(await send(result)).toBe("HEALTH_CALLBACK_REPEATED");
    expect(await send({ ...result, status: "failed" })).toBe("HEALTH_CALLBACK_REPEATED");
    expect(await statusOf(ctx, uuid)).toMatchObject({
      status: "passed",
      passed_workers: 1,
      worker_checks: [{ version: { id: "v1" }, results: [{ profile: "database" }] }],
    });
  });

  test("is taken once of ten at the same moment", async () => {
    const { ctx } = healthContext();
    const { result } = await pending(ctx);
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(result)));
    expect(answers.filter((answer) => answer === "passed")).toHaveLength(1);
    expect(answers.filter((answer) => answer === "HEALTH_CALLBACK_REPEATED")).toHaveLength(9);
  });

  test("with a nonce that nobody was given is forged", async () => {
    const { ctx } = healthContext();
    const { uuid, result } = await pending(ctx);
    expect(await send({ ...result, nonce: "x".repeat(43) })).toBe("HEALTH_CALLBACK_FORGED");
    expect(await send({ ...result, nonce: "" })).toBe("HEALTH_CALLBACK_FORGED");
    expect(await statusOf(ctx, uuid)).toMatchObject({ status: "queued", worker_checks: [{ status: "pending" }] });
  });

  test("with the nonce of another check, of another Worker's, or for another Worker, is none of this one", async () => {
    const { ctx } = healthContext();
    const mine = await pending(ctx);
    const other = await pending(ctx);
    const theirs = await pending(ctx, "ui-factory");
    expect(await send({ ...mine.result, nonce: other.result.nonce })).toBe("HEALTH_CALLBACK_MISMATCHED");
    expect(await send({ ...mine.result, nonce: theirs.result.nonce })).toBe("HEALTH_CALLBACK_MISMATCHED");
    expect(await send({ ...mine.result, worker: "ui-factory" })).toBe("HEALTH_CALLBACK_MISMATCHED");
    expect(await statusOf(ctx, mine.uuid)).toMatchObject({ worker_checks: [{ status: "pending" }] });
    expect(await send(mine.result)).toBe("passed");
  });

  test("that comes when the check was given up is late", async () => {
    const { ctx } = healthContext();
    const { uuid, workerCheck, result } = await pending(ctx);
    await settle(ctx, {
      uuid: workerCheck,
      checkUuid: uuid,
      worker: "agent-factory",
      status: "timed_out",
      code: "WORKER_SILENT",
      message: null,
      durationMs: null,
      by: "deadline",
    });
    expect(await send(result)).toBe("HEALTH_CALLBACK_LATE");
    expect(await statusOf(ctx, uuid)).toMatchObject({
      status: "timed_out",
      worker_checks: [{ code: "WORKER_SILENT" }],
    });
  });
});

describe("a callback", () => {
  test("after the check's time is late, though nobody has given it up yet", async () => {
    const { ctx, pass } = healthContext();
    const { result } = await pending(ctx);
    pass(10 * 60_000);
    expect(await submitResult(ctx, result, { kind: "signed" })).toMatchObject({
      ok: false,
      error: { code: "HEALTH_CALLBACK_LATE" },
    });
  });

  test("by another Worker's binding is refused, whatever it holds", async () => {
    const { ctx } = healthContext();
    const { result } = await pending(ctx);
    expect(await bound("ui-factory").submitResult(result)).toMatchObject({
      ok: false,
      error: { code: "HEALTH_CALLBACK_MISMATCHED" },
    });
    expect(await (exports as unknown as { HealthOps: HealthOpsRpc }).HealthOps.submitResult(result)).toMatchObject({
      ok: false,
      error: { code: "UNAUTHENTICATED" },
    });
  });

  test("that is not signed, or under another secret, or signed long ago, is forged", async () => {
    const { ctx } = healthContext();
    const { result } = await pending(ctx);
    for (const options of [
      { secret: null },
      { secret: "another-secret-entirely" },
      { at: new Date(Date.now() - 600_000) },
    ]) {
      const response = await post(result, options);
      expect([response.status, (await problemOf(response)).code]).toEqual([401, "HEALTH_CALLBACK_FORGED"]);
    }
  });

  test("over the limit, or of no shape there is, is refused and nothing is written", async () => {
    const { ctx } = healthContext();
    const { uuid, result } = await pending(ctx);
    expect((await problemOf(await post(null, { raw: " ".repeat(70_000) }))).code).toBe("BODY_TOO_LARGE");
    expect((await problemOf(await post(null, { raw: "{" }))).code).toBe("MALFORMED_JSON");
    expect((await problemOf(await post({ ...result, attempts: [] }))).code).toBe("VALIDATION_FAILED");
    expect(
      (await problemOf(await post({ ...result, results: [{ ...result.results[0], message: "x".repeat(501) }] }))).code,
    ).toBe("VALIDATION_FAILED");
    expect((await problemOf(await post(null, { raw: JSON.stringify(result).replace('"v1"', '"\\ud800"') }))).code).toBe(
      "ILL_FORMED_UNICODE",
    );
    expect(await statusOf(ctx, uuid)).toMatchObject({ worker_checks: [{ status: "pending" }] });
  });

  test("carries no nonce into what anybody may read", async () => {
    const { ctx } = healthContext();
    const { uuid, result } = await pending(ctx);
    value(await submitResult(ctx, result, { kind: "signed" }));
    expect(JSON.stringify(await statusOf(ctx, uuid))).not.toContain(result.nonce);
  });
});

test("nobody begins more than ten checks a minute, at the same moment either", async () => {
  const { ctx, pass } = healthContext({}, systemActor("somebody-busy"));
  const begin = () => startHealthCheck(ctx, { workers: ["agent-factory"] });
  const answers = await Promise.all(Array.from({ length: 14 }, begin));
  expect(answers.filter(({ ok }) => ok)).toHaveLength(10);
  expect(answers.find(({ ok }) => !ok)).toMatchObject({ error: { code: "RATE_LIMITED" } });
  pass(61_000);
  expect(await begin()).toMatchObject({ ok: true });
  expect(resultFor(ctx, "agent-factory", crypto.randomUUID()).nonce).toHaveLength(43);
});
