import { readdirSync } from "node:fs";
import path from "node:path";
import { HEALTH_PROFILES, type HealthCheckDetail } from "@shared/contracts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stack, startStack } from "./stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

/** The check once it is over. It ends by itself: by its results, or by its time. */
async function over(uuid: string): Promise<HealthCheckDetail> {
  for (;;) {
    const answer = await stack.client.healthChecks.get(uuid);
    if (!answer.ok) throw new Error(answer.error.message);
    if (answer.check.finished_at !== null) return answer.check;
    await new Promise((wake) => setTimeout(wake, 200));
  }
}

test("every Worker runs its profiles over its real bindings, and its result comes back, down to a canary patch", async () => {
  const begun = await stack.client.healthChecks.start({ profiles: [...HEALTH_PROFILES] });
  if (!begun.ok) throw new Error(begun.error.message);
  const check = await over(begun.check.uuid);
  expect(
    check.worker_checks.map(({ worker_name, status, code, message }) => [worker_name, status, code, message]),
  ).toEqual(
    [...readdirSync(path.resolve(import.meta.dirname, "../../..")), "vibehq-orchestrator"]
      .toSorted()
      .map((name) => [name, "passed", null, null]),
  );
  const profiles = (name: string) =>
    Object.fromEntries(
      (check.worker_checks.find(({ worker_name }) => worker_name === name)?.results ?? []).map((each) => [
        each.profile,
        each.status,
      ]),
    );
  expect(profiles("data-factory")).toEqual(Object.fromEntries(HEALTH_PROFILES.map((profile) => [profile, "passed"])));
  expect(profiles("vibehq-orchestrator")).toMatchObject({ canary: "passed", template: "skipped" });
});

test("where the engine is gone, that is what each reports, and not that a Worker is broken", async () => {
  await stack.engine.stop();
  const begun = await stack.client.healthChecks.start({
    workers: ["ui-factory", "vibehq-orchestrator"],
    max_retries: 0,
  });
  if (!begun.ok) throw new Error(begun.error.message);
  const check = await over(begun.check.uuid);
  for (const { code, results } of check.worker_checks) {
    expect(code).toBe("ENGINE_FAILED");
    expect(results.filter(({ status }) => status === "failed").map(({ profile }) => profile)).toEqual(["engine"]);
  }
});
