import { HEALTH_CHECK_PATHS, MAX_HEALTH_RESULT_BYTES, ProblemSchema } from "@shared/contracts";
import { expect, test } from "vitest";
import { answerHealthRequest } from "../health/answerHealthRequest.ts";
import { HealthDoors } from "../health/HealthDoors.ts";
import { realClock } from "../health/retrying.ts";
import { signedHeaders } from "../health/signature.ts";
import { createLogger } from "../logger.ts";

const SECRET = "the-secret-that-workers-share";
const bindings = { WORKER_NAME: "far-api", WORKER_TYPE: "api", ORCHESTRATOR_URL: "https://vibehq.test" };
const doors = new HealthDoors({
  env: bindings,
  health: { worker: "far-api", type: "api", profiles: {} },
  deliver: async () => ({ ok: true, status: "passed" }),
  clock: realClock,
  mintId: () => crypto.randomUUID(),
  log: createLogger({ fields: {}, secrets: [] }),
});
/** Far from any other test's minute: the places of a minute are the process's. */
let at = Date.parse("2030-01-01T00:00:00.000Z");

async function ask(secret: string | null, body: string | null = null): Promise<[status: number, code: string | null]> {
  const path = body === null ? HEALTH_CHECK_PATHS.quick : HEALTH_CHECK_PATHS.execute;
  const method = body === null ? "GET" : "POST";
  const now = new Date(at);
  const headers = secret === null ? {} : signedHeaders(secret, { method, path, body: body ?? "" }, now);
  const request = new Request(`https://far.test${path}`, { method, headers, ...(body === null ? {} : { body }) });
  const response = await answerHealthRequest(request, {
    doors,
    secret: SECRET,
    now: () => now,
    background: () => undefined,
  });
  if (response === null) throw new Error("there is no such door");
  return [response.status, response.ok ? null : ProblemSchema.parse(await response.json()).code];
}
const times = async (count: number, one: () => ReturnType<typeof ask>) => {
  const codes: (string | null)[] = [];
  for (let n = 0; n < count; n += 1) codes.push((await one())[1]);
  return { limited: codes.filter((code) => code === "RATE_LIMITED").length, codes: new Set(codes) };
};

test("sixty a minute are answered, who signs and who does not apart: strangers take nobody's place", async () => {
  const strangers = await times(200, () => ask(null));
  expect(strangers).toEqual({ limited: 140, codes: new Set(["UNAUTHENTICATED", "RATE_LIMITED"]) });
  expect(await ask("another-secret-entirely")).toEqual([429, "RATE_LIMITED"]);
  expect(await ask(SECRET)).toEqual([200, null]);
  expect(await times(100, () => ask(SECRET))).toEqual({ limited: 41, codes: new Set([null, "RATE_LIMITED"]) });

  at += 30_000;
  expect((await times(40, () => ask(SECRET))).limited).toBe(10);
  at += 3_600_000;
  expect((await times(61, () => ask(SECRET))).limited).toBe(1);
  expect(await ask(null)).toEqual([401, "UNAUTHENTICATED"]);
});

test("a body over the limit is refused and counts among strangers', whatever it is signed with", async () => {
  at += 3_600_000;
  const large = " ".repeat(MAX_HEALTH_RESULT_BYTES + 1);
  expect(await ask(SECRET, large)).toEqual([413, "BODY_TOO_LARGE"]);
  expect((await times(200, () => ask(null, large))).limited).toBe(141);
  expect(await ask(SECRET)).toEqual([200, null]);
});
