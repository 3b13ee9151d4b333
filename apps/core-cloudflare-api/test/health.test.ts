import { realClock, runProfiles } from "@shared/worker-kit";
import { steerCloudflare } from "@shared/testing/cloudflareControl";
import { createExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeEach, describe, expect, inject, test } from "vitest";
import { type HealthBindings, healthOf } from "../worker/health.ts";
import { CloudflareApi, HealthCheck } from "../worker/index.ts";

const { url, account, token } = inject("cloudflare");
beforeEach(() => steerCloudflare(url, { action: "reset" }));

/** The orchestrator, well: the system suite asks the real one. */
const ORCHESTRATOR_HEALTH = {
  probe: async () => ({ ok: true, details: [{ name: "DB_OPS", ok: true, code: null, message: null, duration_ms: 1 }] }),
};

/** What a check of this environment comes to: of each part that is not well its fault, and what was said. */
async function faultsOf(broken: Partial<Record<keyof HealthBindings, unknown>> = {}) {
  const bindings = {
    ...env,
    ORCHESTRATOR_HEALTH,
    CLOUDFLARE_ACCOUNT_ID: account,
    CLOUDFLARE_API_TOKEN: token,
    ...broken,
  } as unknown as HealthBindings;
  const { results } = await runProfiles(
    healthOf(bindings),
    {
      worker_check_uuid: crypto.randomUUID(),
      worker: "core-cloudflare-api",
      profiles: ["identity", "bindings", "database"],
      timeout_ms: 29_999,
      max_retries: 0,
      callback_url: "https://vibehq-orchestrator/health-check/result",
      nonce: "n".repeat(43),
    },
    { clock: realClock, mintId: () => crypto.randomUUID(), version: null },
  );
  const said = JSON.stringify(results);
  for (const secret of [token, "not-a-token"]) expect(said).not.toContain(secret);
  return results.flatMap(({ details }) =>
    details.flatMap(({ name, code, message }) => (code ? [[name, code, message]] : [])),
  );
}

test("says to who is bound who it is", async () => {
  const bound = Object.assign(createExecutionContext(), { props: { caller: "vibehq-orchestrator" } });
  const health = new HealthCheck(bound, env as never);
  expect(await health.quick()).toMatchObject({
    ok: true,
    quick: { worker: "core-cloudflare-api", worker_type: "api" },
  });
});

test("shows its health to nobody who does not sign", async () => {
  const response = await exports.default.fetch("http://worker/health-check/quick");
  expect(response.status).toBe(401);
});

test("to who is bound and is not the orchestrator it is not told", async () => {
  const stranger = new HealthCheck(createExecutionContext(), env as never);
  expect(await stranger.quick()).toMatchObject({ ok: false, error: { code: "UNAUTHENTICATED" } });
});

test("a binding that names no caller reaches nothing behind it", async () => {
  const unnamed = new CloudflareApi(createExecutionContext(), env);
  const answer = await unnamed.fetch(new Request("https://core-cloudflare-api/v1/logs/workers?window=1h"));
  expect({ status: answer.status, type: answer.headers.get("content-type") }).toEqual({
    status: 401,
    type: "application/problem+json",
  });
  expect(await answer.json()).toMatchObject({ ok: false, code: "UNAUTHENTICATED" });
});

describe("broken on purpose it is reported as exactly that", () => {
  test.each<[string, Partial<Record<keyof HealthBindings, unknown>>, (string | RegExp)[]]>([
    ["by its name", { WORKER_NAME: "another" }, ["WORKER_NAME", "IDENTITY_WRONG"]],
    ["by its type", { WORKER_TYPE: "factory" }, ["WORKER_TYPE", "IDENTITY_WRONG"]],
    ["without its version", { CF_VERSION_METADATA: undefined }, ["CF_VERSION_METADATA", "IDENTITY_WRONG"]],
  ])("%s", async (_, broken, [part, code]) => {
    expect(await faultsOf(broken)).toEqual([[part, code, expect.any(String)]]);
  });

  test("without the orchestrator, by whom it also sees the database", async () => {
    const found = await faultsOf({ ORCHESTRATOR_HEALTH: undefined });
    expect(found.map(([part, code]) => `${part} ${code}`).toSorted()).toEqual([
      "ORCHESTRATOR_HEALTH BINDING_MISSING",
      "orchestrator BINDING_MISSING",
    ]);
  });

  test.each([
    ["with a token that Cloudflare does not accept", { CLOUDFLARE_API_TOKEN: "not-a-token" }, "UPSTREAM_REFUSED"],
    ["with a token and no account", { CLOUDFLARE_ACCOUNT_ID: "" }, "UPSTREAM_UNAVAILABLE"],
    ["where Cloudflare is not to be reached", { CLOUDFLARE_API_URL: "http://127.0.0.1:1" }, "UPSTREAM_UNAVAILABLE"],
    [
      "where its address is none to send a token to",
      { CLOUDFLARE_API_URL: "http://elsewhere.test" },
      "UPSTREAM_UNAVAILABLE",
    ],
  ])("%s", async (_, broken, said) => {
    expect(await faultsOf(broken)).toEqual([["cloudflare", "BINDING_FAILED", `cloudflare answers ${said}`]]);
  });

  test("where Cloudflare fails; where its limit is reached it is well", async () => {
    await steerCloudflare(url, { action: "fail", status: 500 });
    expect(await faultsOf()).toEqual([["cloudflare", "BINDING_FAILED", "cloudflare answers UPSTREAM_UNAVAILABLE"]]);
    await steerCloudflare(url, { action: "fail", status: 429 });
    expect(await faultsOf()).toEqual([]);
  });
});

test("well it is by one question to Cloudflare, and by none where it has no token", async () => {
  expect(await faultsOf()).toEqual([]);
  expect(await steerCloudflare(url, { action: "queries" })).toEqual({ queries: 1 });
  expect(await faultsOf({ CLOUDFLARE_API_TOKEN: undefined })).toEqual([]);
  expect(await steerCloudflare(url, { action: "queries" })).toEqual({ queries: 1 });
});
