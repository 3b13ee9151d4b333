import { appHealth, type AppHealthBindings, describeWorker } from "@shared/worker-kit";
import { env, exports } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { getHealthCheck } from "../../worker/services/health/readChecks.ts";
import { check, healthContext, value } from "./healthHarness.ts";

const ORCHESTRATOR_URL = "https://vibehq.test";
const farEnv: AppHealthBindings = {
  WORKER_NAME: "far-api",
  WORKER_TYPE: "api",
  CF_VERSION_METADATA: { id: "v7", tag: "", timestamp: "2026-01-01T00:00:00.000Z" },
  ORCHESTRATOR_URL,
  HEALTH_SECRET: env.HEALTH_SECRET,
};
const far = describeWorker<AppHealthBindings>("far-api", (given) =>
  appHealth(given, { worker: "far-api", type: "api" }),
);

afterEach(() => vi.restoreAllMocks());

/** The network between a Worker elsewhere and the orchestrator: requests go to the doors they are addressed to. */
function network(given: AppHealthBindings): { paths: string[]; background: Promise<unknown>[] } {
  const paths: string[] = [];
  const background: Promise<unknown>[] = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    const { host, pathname } = new URL(request.url);
    paths.push(`${host}${pathname}`);
    if (host === "far.test") return far(request, given, { waitUntil: (work) => background.push(work) });
    if (host === "vibehq.test") return exports.default.fetch(request);
    throw new Error(`nobody is at ${host}`);
  });
  return { paths, background };
}

const target = { HEALTH_WORKER_TARGETS: "far-api=https://far.test", ORCHESTRATOR_URL };

test("a Worker elsewhere is asked with a signature, and answers with one at the callback", async () => {
  const { ctx } = healthContext(target);
  const { paths, background } = network(farEnv);
  const begun = await check(ctx, { profiles: ["identity"] });
  await Promise.all(background);
  expect(paths).toEqual([
    "far.test/health-check/quick",
    "far.test/health-check/execute",
    "vibehq.test/health-check/result",
  ]);
  expect(value(await getHealthCheck(ctx, { uuid: begun.uuid })).check).toMatchObject({
    status: "passed",
    worker_checks: [{ worker_name: "far-api", worker_type: "api", status: "passed", version: { id: "v7" } }],
  });
});

test.each<[string, AppHealthBindings]>([
  ["that has another secret", { ...farEnv, HEALTH_SECRET: "another-secret-entirely" }],
  ["that has none", { ...farEnv, HEALTH_SECRET: undefined }],
])("a Worker elsewhere %s refuses, and is reported so at once", async (_, given) => {
  const { ctx } = healthContext(target);
  network(given);
  const { worker_checks } = await check(ctx, { profiles: ["identity"] });
  expect(worker_checks).toMatchObject([{ status: "failed", code: "WORKER_REFUSED", dispatches: [{ attempt: 1 }] }]);
});

test("a Worker elsewhere that is told of another orchestrator answers nobody", async () => {
  const { ctx } = healthContext(target);
  network({ ...farEnv, ORCHESTRATOR_URL: "https://other.test" });
  const { worker_checks } = await check(ctx, { profiles: ["identity"] });
  expect(worker_checks).toMatchObject([
    { status: "failed", code: "WORKER_REFUSED", message: expect.stringContaining("HEALTH_CALLBACK_FOREIGN") },
  ]);
});
