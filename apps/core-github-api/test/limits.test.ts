import { expect, test } from "vitest";
import { aProxy, problemOf, steer } from "./proxy.ts";

test("what has not changed is not paid for again, and is as it stands once it has", async () => {
  const { call, at, seen, repository } = await aProxy();
  await call(at("/issues"), { title: "One" });
  const first = await call(at("/issues"));
  const again = await call(at("/issues"));
  expect(again.body).toEqual(first.body);
  await call(at("/issues"), { title: "Two" });
  expect((await call(at("/issues"))).body).toHaveLength(2);
  const reads = (await seen(`/repos/${repository}/issues?`)).map(({ status, ifNoneMatch }) => [
    status,
    ifNoneMatch !== null,
  ]);
  expect(reads).toEqual([
    [200, false],
    [304, true],
    [200, true],
  ]);
});

test("a tag of one credential is never shown with another", async () => {
  const { call, at, bindings, repository, seen } = await aProxy();
  await call(at("/issues"));
  const { token: other = "" } = await steer({ action: "addToken", repositories: [repository] });
  Object.assign(bindings, { GITHUB_TOKEN: other });
  await call(at("/issues"));
  expect((await seen()).map(({ ifNoneMatch }) => ifNoneMatch)).toEqual([null, null]);
});

test("once the limit is spent GitHub is left alone until it says, and then asked again", async () => {
  const { call, at, seen, clock, repository } = await aProxy();
  const reset = Math.floor(Date.now() / 1000) + 900;
  const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(reset), "x-ratelimit-resource": "core" };
  await steer({
    action: "fault",
    path: repository,
    fault: { kind: "status", status: 403, message: "API rate limit exceeded", headers },
  });
  const refused = await call(at("/issues"));
  expect(problemOf(refused).code).toBe("RATE_LIMITED");
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(890);
  for (let n = 0; n < 5; n += 1) expect((await call(at("/issues"))).status).toBe(429);
  expect(await seen()).toHaveLength(1);
  clock.advance(901_000);
  expect((await call(at("/issues"))).status).toBe(200);
});

test("the last request of a limit is used, the one after it not sent", async () => {
  const { call, at, seen, repository } = await aProxy();
  const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(Math.floor(Date.now() / 1000) + 900) };
  await steer({
    action: "fault",
    path: repository,
    fault: { kind: "status", status: 404, message: "Not Found", headers },
  });
  expect((await call(at("/issues/5"))).status).toBe(404);
  expect((await call(at("/issues/5"))).status).toBe(429);
  expect(await seen()).toHaveLength(1);
});

test("a secondary limit is kept for as long as Retry-After says, for reads and writes alike; a short one is waited for", async () => {
  const { call, at, seen, slept, repository, clock } = await aProxy();
  const limit = (retryAfterSeconds: number | null) =>
    steer({ action: "fault", path: repository, fault: { kind: "secondary", retryAfterSeconds } });
  await limit(3);
  expect((await call(at("/issues"), { title: "Waited" })).status).toBe(201);
  expect(slept.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(2_900);

  await limit(120);
  const refused = await call(at("/issues"));
  expect(problemOf(refused).code).toBe("RATE_LIMITED");
  expect(refused.body).toMatchObject({ retryAfterSeconds: 120 });
  expect(refused.headers.get("retry-after")).toBe("120");
  expect((await call(at("/issues"), { title: "Not now" })).status).toBe(429);
  clock.advance(121_000);
  await limit(null);
  expect((await call(at("/issues"))).headers.get("retry-after")).toBe("60");
  expect(await seen()).toHaveLength(4);
});

test("a limit that lets nobody in at once is not hammered", async () => {
  const { call, at, seen, repository } = await aProxy();
  await steer({ action: "fault", path: repository, times: 50, fault: { kind: "secondary", retryAfterSeconds: 0 } });
  expect((await call(at("/issues"))).status).toBe(429);
  expect((await seen()).length).toBeLessThanOrEqual(2);
});

test("changes are sent a second apart, and one whose turn is too far off is refused at once", async () => {
  const { call, at, slept } = await aProxy({ pace: { writeGapMs: 1_000, maxWaitMs: 2_500 } });
  const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => call(at("/issues"), { title: `Number ${n}` })));
  const made = answers.filter(({ status }) => status === 201);
  expect(made.length).toBeGreaterThanOrEqual(3);
  expect(answers.filter(({ status }) => status === 429).length).toBe(6 - made.length);
  expect(slept.length).toBeGreaterThan(0);
});

test("a request that is lost is read again, and a change is not sent twice: it is in doubt", async () => {
  const { call, at, seen, repository } = await aProxy();
  await steer({ action: "fault", method: "GET", path: repository, fault: { kind: "reset" } });
  await steer({ action: "fault", method: "GET", path: repository, fault: { kind: "status", status: 502 } });
  expect((await call(at("/issues"))).status).toBe(200);
  expect(await seen()).toHaveLength(3);
  await steer({ action: "fault", method: "POST", path: repository, fault: { kind: "lose" } });
  expect(problemOf(await call(at("/issues"), { title: "Lost" }))).toMatchObject({
    code: "UPSTREAM_UNAVAILABLE",
    error: { nothingWritten: null, retryable: true },
  });
  expect((await call(at("/issues"))).body).toMatchObject([{ title: "Lost" }]);
  expect((await seen()).filter(({ method }) => method === "POST")).toHaveLength(1);
});

test("a GitHub that never answers is given up after its time", async () => {
  const { call, at, repository } = await aProxy({ pace: { attemptMs: 100 } });
  await steer({ action: "fault", path: repository, times: 3, fault: { kind: "hold" } });
  expect(problemOf(await call(at("/issues"))).code).toBe("UPSTREAM_UNAVAILABLE");
});

test("a GitHub that keeps failing, or answers with a page, is unavailable, and its text stays there", async () => {
  const { call, at, repository } = await aProxy();
  await steer({
    action: "fault",
    path: repository,
    times: 3,
    fault: { kind: "status", status: 503, text: "<html>Unicorn!" },
  });
  const answer = await call(at("/issues"));
  expect(problemOf(answer).code).toBe("UPSTREAM_UNAVAILABLE");
  expect(answer.text).not.toContain("Unicorn");
});
