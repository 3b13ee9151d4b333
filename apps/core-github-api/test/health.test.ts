import { env, exports } from "cloudflare:workers";
import { createExecutionContext } from "cloudflare:test";
import { expect, test } from "vitest";
import { HealthCheck } from "../worker/index.ts";

test("says to who is bound who it is", async () => {
  const bound = Object.assign(createExecutionContext(), { props: { caller: "vibehq-orchestrator" } });
  const health = new HealthCheck(bound, env as never);
  expect(await health.quick()).toMatchObject({ ok: true, quick: { worker: "core-github-api", worker_type: "api" } });
});

test("shows its health to nobody who does not sign", async () => {
  const response = await exports.default.fetch("http://worker/health-check/quick");
  expect(response.status).toBe(401);
});
