import { HEALTH_CHECK_PATHS, type HealthProfile, type Json } from "@shared/contracts";
import {
  callbackUrlOf,
  factoryHealth,
  type FactoryHealthBindings,
  runProfiles,
  signedHeaders,
} from "@shared/worker-kit";
import { orderFor, testClock } from "@shared/worker-kit/testing";
import { env, exports } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import worker, { HealthCheck } from "../worker/index.ts";
import { orchestrator } from "./harness.ts";

type Bound = (options: { props: { caller: string } }) => HealthCheck;
const bindings = env as unknown as FactoryHealthBindings;
const doors = (exports as unknown as { HealthCheck: Bound }).HealthCheck({ props: { caller: "vibehq-orchestrator" } });
const PROFILES: HealthProfile[] = ["identity", "bindings", "database", "engine"];
const NONCE = "n".repeat(43);

const checkOf = (more: object = {}) => ({
  worker_check_uuid: crypto.randomUUID(),
  worker: "agent-factory",
  profiles: PROFILES,
  timeout_ms: 29_999,
  max_retries: 2,
  callback_url: callbackUrlOf(bindings) ?? "",
  nonce: NONCE,
  ...more,
});

const begin = (answers: Record<string, Json[]> = {}) =>
  orchestrator.begin({ order: orderFor("agent-factory"), answers });
beforeEach(() => begin());

/** What a check of this environment comes to: the fault of each profile, and the attempts. */
async function run(
  broken: Partial<Record<keyof FactoryHealthBindings, unknown>> = {},
  late = false,
  profiles = PROFILES,
) {
  const health = factoryHealth({ ...bindings, ...broken } as FactoryHealthBindings, "agent-factory");
  // 5 s is how long one part may take.
  const clock = {
    ...testClock(),
    sleep: (ms: number) => (late || ms < 5_000 ? Promise.resolve() : new Promise<void>(() => undefined)),
  };
  const result = await runProfiles(health, checkOf({ profiles }), {
    clock,
    mintId: () => crypto.randomUUID(),
    version: null,
  });
  return {
    status: result.status,
    code: result.attempts.at(-1)?.code ?? null,
    attempts: result.attempts.length,
    faults: Object.fromEntries(result.results.flatMap(({ profile, code }) => (code === null ? [] : [[profile, code]]))),
    messages: result.results.flatMap(({ message }) => message ?? []),
  };
}

const refusal = (code: string): Json => ({
  ok: false,
  error: { code, message: "a cause", retryable: false, nothingWritten: true },
});
const part = (name: string, code: string | null): Json => ({
  name,
  ok: code === null,
  code,
  message: code === null ? null : "broken",
  duration_ms: 1,
});

describe("a factory that is well", () => {
  test("passes every profile in one attempt, by really asking behind each binding", async () => {
    expect(await run()).toMatchObject({ status: "passed", code: null, attempts: 1, faults: {} });
    const asked = (await orchestrator.calls()).map(({ method }) => method);
    expect(asked).toEqual(expect.arrayContaining(["getPatch", "getOrder", "getByOrder", "probe"]));
  });
});

test("that a binding's verb has nothing by the name it was asked for is an answer, whatever code says so", async () => {
  for (const [method, codes] of [
    ["getPatch", ["PATCH_NOT_FOUND", "BATCH_NOT_FOUND", "WORKSPACE_NOT_FOUND"]],
    ["getExecution", ["EXECUTION_NOT_FOUND", "RUN_NOT_FOUND"]],
  ] as const) {
    for (const code of codes) {
      await begin({ [method]: [refusal(code)] });
      expect([code, await run()]).toMatchObject([code, { status: "passed", attempts: 1 }]);
    }
  }
});

describe("a factory broken on purpose is reported as exactly that", () => {
  test.each([
    "ORCHESTRATOR_PATCH",
    "ORCHESTRATOR_FACTORY",
    "ORCHESTRATOR_DELIVERY",
    "ORCHESTRATOR_AI_PROVIDER",
    "ORCHESTRATOR_LOGGING",
  ] as const)("without %s", async (name) => {
    const found = await run({ [name]: undefined });
    expect(found).toMatchObject({ code: "BINDING_MISSING", attempts: 1, faults: { bindings: "BINDING_MISSING" } });
    expect(found.messages).toEqual([`the binding ${name} is not configured`]);
  });

  test("with a binding that throws", async () => {
    const found = await run({
      ORCHESTRATOR_FACTORY: { getOrder: () => Promise.reject(new TypeError("a secret cause")) },
    });
    expect(found).toMatchObject({ code: "BINDING_FAILED", attempts: 3, faults: { bindings: "BINDING_FAILED" } });
    expect(found.messages).toEqual(["ORCHESTRATOR_FACTORY threw TypeError"]);
  });

  test("with a binding that answers that it is broken", async () => {
    await begin({ getPatch: [refusal("INTERNAL"), refusal("INTERNAL"), refusal("INTERNAL")] });
    expect(await run()).toMatchObject({ code: "BINDING_FAILED", faults: { bindings: "BINDING_FAILED" } });
  });

  test("with a binding that does not answer", async () => {
    const silent = { getOrder: () => new Promise(() => undefined) };
    // Only this part is given no time.
    const health = factoryHealth(
      { ...bindings, ORCHESTRATOR_FACTORY: silent } as unknown as FactoryHealthBindings,
      "agent-factory",
    );
    const clock = {
      ...testClock(),
      sleep: (ms: number) =>
        ms === 5_000
          ? new Promise<void>((done) => setTimeout(done, 500))
          : ms < 5_000
            ? Promise.resolve()
            : new Promise<void>(() => undefined),
    };
    const result = await runProfiles(health, checkOf({ profiles: ["bindings"], max_retries: 0 }), {
      clock,
      mintId: () => "1",
      version: null,
    });
    expect(result.results).toMatchObject([{ profile: "bindings", code: "BINDING_TIMEOUT" }]);
  });

  test("with a database that fails behind the orchestrator", async () => {
    const broken: Json = { ok: true, details: [part("DB_OPS", null), part("DB_LOGS", "DATABASE_FAILED")] };
    // `bindings` asks for the database too, and only whether it is answered.
    await begin({ probe: [broken, broken, broken, broken] });
    expect(await run({}, false, ["bindings", "database"])).toMatchObject({
      code: "DATABASE_FAILED",
      faults: { database: "DATABASE_FAILED" },
    });
  });

  test("with an engine that fails behind the orchestrator", async () => {
    const broken: Json = { ok: true, details: [part("engine", "ENGINE_FAILED")] };
    await begin({ probe: [broken, broken, broken] });
    expect(await run({}, false, ["engine"])).toMatchObject({
      code: "ENGINE_FAILED",
      attempts: 3,
      faults: { engine: "ENGINE_FAILED" },
    });
  });

  test("with a template that does not pass its check", async () => {
    await begin({ probe: [{ ok: true, details: [part("open", null), part("check", "TEMPLATE_FAILED")] }] });
    expect(await run({}, false, ["template"])).toMatchObject({ code: "TEMPLATE_FAILED", attempts: 1 });
  });

  test.each([
    ["WORKER_NAME", "ui-factory"],
    ["WORKER_NAME", undefined],
    ["WORKER_TYPE", "api"],
    ["CF_VERSION_METADATA", undefined],
  ] as const)("deployed with %s %s", async (name, value) => {
    const found = await run({ [name]: value });
    expect(found).toMatchObject({ code: "IDENTITY_WRONG", attempts: 1, faults: { identity: "IDENTITY_WRONG" } });
  });

  test("once, and well when it is asked again: it passes, with both attempts on record", async () => {
    await begin({ getPatch: [refusal("INTERNAL")] });
    expect(await run()).toMatchObject({ status: "passed", attempts: 2, faults: {} });
  });
});

describe("the doors", () => {
  test("by the binding: the check is run, and its result sent to the orchestrator with the check's nonce", async () => {
    const check = checkOf();
    expect(await doors.execute(check)).toMatchObject({ ok: true, delivered: true });
    const sent = (await orchestrator.calls()).find(({ method }) => method === "submitResult");
    expect(sent).toMatchObject({
      caller: "agent-factory",
      input: { worker_check_uuid: check.worker_check_uuid, worker: "agent-factory", nonce: NONCE, status: "passed" },
    });
    expect(await doors.result({ worker_check_uuid: check.worker_check_uuid })).toMatchObject({ ok: true });
    expect(await doors.status()).toMatchObject({
      ok: true,
      status: { running: [], last: { worker_check_uuid: check.worker_check_uuid } },
    });
    expect(await doors.quick()).toMatchObject({ ok: true, quick: { worker: "agent-factory", worker_type: "factory" } });
  });

  test.each([
    ["https://evil.test/health-check/result"],
    ["https://vibehq-orchestrator.evil.test/health-check/result"],
    ["https://vibehq-orchestrator/health-check/result?to=evil"],
    ["https://vibehq-orchestrator/elsewhere"],
    ["http://vibehq-orchestrator/health-check/result"],
  ])("answer at the orchestrator's own address alone, not at %s", async (callback_url) => {
    expect(await doors.execute(checkOf({ callback_url }))).toMatchObject({
      ok: false,
      error: { code: "HEALTH_CALLBACK_FOREIGN" },
    });
    expect(await orchestrator.calls()).toEqual([]);
  });

  test("take a check once, and none that is for another Worker or out of bounds", async () => {
    const check = checkOf();
    await doors.execute(check);
    expect(await doors.execute(check)).toMatchObject({ ok: false, error: { code: "CONFLICT" } });
    expect(await doors.execute(checkOf({ worker: "ui-factory" }))).toMatchObject({
      ok: false,
      error: { code: "CONFLICT" },
    });
    for (const wrong of [
      { timeout_ms: 30_001 },
      { max_retries: 6 },
      { worker_check_uuid: "1" },
      { nonce: "short" },
      { profiles: [] },
    ])
      expect(await doors.execute(checkOf(wrong))).toMatchObject({ ok: false, error: { code: "VALIDATION_FAILED" } });
  });

  test("let nobody in whose binding names no caller", async () => {
    const unnamed = (exports as unknown as { HealthCheck: HealthCheck }).HealthCheck;
    expect(await unnamed.quick()).toMatchObject({ ok: false, error: { code: "UNAUTHENTICATED" } });
  });

  const SECRET = "the-secret-of-these-tests";
  const fetchSigned = async (method: string, path: string, body = "", secret: string | null = SECRET) => {
    const work: Promise<unknown>[] = [];
    const request = new Request(`https://factory.test${path}`, {
      method,
      headers: {
        "content-type": "application/json",
        ...(secret === null ? {} : signedHeaders(secret, { method, path, body }, new Date())),
      },
      ...(method === "POST" ? { body } : {}),
    });
    const response = await worker.fetch(request, { ...bindings, HEALTH_SECRET: SECRET } as never, {
      waitUntil: (promise) => work.push(promise),
    });
    await Promise.all(work);
    return response;
  };

  test("over HTTP: who signs is answered at once, and the result follows", async () => {
    const quick = await fetchSigned("GET", HEALTH_CHECK_PATHS.quick);
    expect([quick.status, await quick.json()]).toMatchObject([200, { ok: true, quick: { worker: "agent-factory" } }]);
    const accepted = await fetchSigned("POST", HEALTH_CHECK_PATHS.execute, JSON.stringify(checkOf()));
    expect(accepted.status).toBe(202);
    expect((await orchestrator.calls()).some(({ method }) => method === "submitResult")).toBe(true);
  });

  test.each(Object.values(HEALTH_CHECK_PATHS))(
    "over HTTP: who does not sign, or under another secret, is nobody: %s",
    async (path) => {
      const method = path === HEALTH_CHECK_PATHS.execute ? "POST" : "GET";
      for (const secret of [null, "another-secret-entirely"]) {
        const response = await fetchSigned(method, path, method === "POST" ? "{}" : "", secret);
        expect([response.status, await response.json()]).toMatchObject([401, { code: "UNAUTHENTICATED" }]);
      }
      expect(await orchestrator.calls()).toEqual([]);
    },
  );

  test("over HTTP: a body over the limit is refused, signed or not", async () => {
    const response = await fetchSigned("POST", HEALTH_CHECK_PATHS.execute, " ".repeat(70_000));
    expect([response.status, await response.json()]).toMatchObject([413, { code: "BODY_TOO_LARGE" }]);
  });
});

test("a caller reaches the four doors and nothing that they share", () => {
  const reachable: string[] = [];
  for (let proto = HealthCheck.prototype; "execute" in proto; proto = Object.getPrototypeOf(proto)) {
    reachable.push(...Object.getOwnPropertyNames(proto).filter((name) => name !== "constructor"));
  }
  expect(reachable.toSorted()).toEqual(["execute", "quick", "result", "status"]);
});
