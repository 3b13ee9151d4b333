import { exports } from "cloudflare:workers";
import { afterEach, expect, inject, test, vi } from "vitest";
import { z } from "zod";
import { aProxy, problemOf, steer } from "./proxy.ts";

afterEach(() => vi.restoreAllMocks());

test("an App's token is used until shortly before its end, then a new one; a refused one is replaced once", async () => {
  const moving = inject("movingGithub");
  const { call, at, seen, clock, app } = await aProxy({ app: true, at: moving });
  const mintings = async () => (await seen(`/installations/${app?.installationId}/`)).length;
  const advance = async (ms: number) => {
    clock.advance(ms);
    await steer({ action: "advance", ms }, moving);
  };
  expect((await call(at("/issues"))).status).toBe(200);
  await call(at("/branches"));
  expect(await mintings()).toBe(1);
  await advance(50 * 60_000);
  await call(at("/issues"));
  expect(await mintings()).toBe(1);
  await advance(6 * 60_000);
  await call(at("/issues"));
  expect(await mintings()).toBe(2);

  const used = (await seen()).at(-1)?.token ?? "";
  await steer({ action: "revokeToken", token: used }, moving);
  expect(await call(at("/issues"), { title: "With a new one" })).toMatchObject({ status: 201 });
  expect(await mintings()).toBe(3);
  expect((await seen()).filter(({ method }) => method === "POST").map(({ status }) => status)).toEqual([401, 201]);
});

test("a credential that GitHub does not accept is no refusal of the caller", async () => {
  const { call, at, seen, token } = await aProxy();
  await steer({ action: "revokeToken", token });
  expect(problemOf(await call(at("/issues")))).toMatchObject({ code: "UPSTREAM_REFUSED", status: 502 });
  expect(await seen()).toHaveLength(1);
  const wrong = await aProxy({
    app: true,
    env: { GITHUB_APP_PRIVATE_KEY: "-----BEGIN RSA PRIVATE KEY-----\nbm8=\n-----END RSA PRIVATE KEY-----" },
  });
  expect(problemOf(await wrong.call(wrong.at("/issues")))).toMatchObject({
    code: "UPSTREAM_UNAVAILABLE",
    error: { retryable: false },
  });
});

test("nothing is reached but what is on the list, whatever the credential could", async () => {
  const { call, repository, bindings, seen } = await aProxy();
  const other = await aProxy();
  const { token = "" } = await steer({ action: "addToken", repositories: "all" });
  Object.assign(bindings, { GITHUB_TOKEN: token });
  expect(problemOf(await call(`/v1/repo/${encodeURIComponent(other.repository)}/issues`, { title: "No" })).code).toBe(
    "FORBIDDEN",
  );
  const [owner = ""] = repository.split("/");
  expect(problemOf(await call(`/v1/repo/${encodeURIComponent(`${owner}/site2`)}/issues`)).code).toBe("FORBIDDEN");
  expect(problemOf(await call(`/v1/repo/${encodeURIComponent(`${owner}x/site`)}/issues`)).code).toBe("FORBIDDEN");
  Object.assign(bindings, { GITHUB_REPOSITORIES: `x/y, ${owner.toUpperCase()}/*` });
  expect((await call(`/v1/repo/${encodeURIComponent(repository)}/issues`)).status).toBe(200);
  expect(await seen(other.repository)).toEqual([]);
});

test("a repository that was moved elsewhere is not followed there", async () => {
  const { call, at, repository } = await aProxy();
  const other = await aProxy();
  await steer({
    action: "fault",
    path: repository,
    fault: { kind: "redirect", to: `${other.bindings.GITHUB_API_URL}/repos/${other.repository}/issues` },
  });
  expect(problemOf(await call(at("/issues"))).code).toBe("UPSTREAM_REFUSED");
  expect(await other.seen()).toEqual([]);
});

test("hostile names and numbers reach no address of GitHub's but their own", async () => {
  const { call, at, seen, repository, token } = await aProxy();
  const [owner = ""] = repository.split("/");
  const repositories = [
    "..",
    "../..",
    `${owner}/..`,
    `${owner}/../../user`,
    `${owner}/site/../../x`,
    "%2e%2e/x",
    `${owner}/site\r\nX: y`,
    `${owner}/si te`,
    `${owner}/${"x".repeat(200)}`,
    "\u202e/x",
    `-x/site`,
    `${owner}/site?x=`,
    `${owner}/site#`,
  ];
  for (const name of repositories) {
    const answer = await call(`/v1/repo/${encodeURIComponent(name)}/issues`);
    expect(answer.status, name).toBeGreaterThanOrEqual(400);
    expect(answer.status, name).toBeLessThan(500);
    problemOf(answer);
  }
  for (const number of ["0", "-1", "1e3", "1.5", "x", "1%2F..%2F2", "99999999999"]) {
    expect(problemOf(await call(at(`/issues/${number}`))).code).toBe("NOT_FOUND");
  }
  for (const branch of [
    "..",
    "a..b",
    "a%20b",
    "-x",
    "a%0d%0ab",
    ".a",
    "a%2F.b",
    "a.lock",
    "a~1",
    "a%40%7B1%7D",
    "%2Fa",
    "a%5Cb",
    "x".repeat(300),
  ]) {
    expect((await call(at(`/branches/${branch}`))).status, branch).toBeGreaterThanOrEqual(400);
    const made = await call(at("/branches"), { name: decodeURIComponent(branch), sha: "0".repeat(40) });
    expect(problemOf(made).code, branch).toBe("VALIDATION_FAILED");
  }
  // Wherever it led, it bore this proxy's token; others speak to the same server.
  const paths = (await seen("/")).filter((request) => request.token === token).map(({ path }) => path);
  expect(paths.filter((path) => /\.\.|user$/.test(path))).toEqual([]);
  expect((await seen()).length).toBeLessThanOrEqual(1);
});

test("neither token nor key is in an answer or a line of the log, whatever goes wrong", async () => {
  const { call, at, token, repository, logged, app, seen } = await aProxy({ app: true });
  await steer({
    action: "fault",
    path: repository,
    fault: { kind: "status", status: 422, message: `you sent ${token} and Bearer ghs_abcdefghijklmnop` },
  });
  const answers = [
    await call(at("/issues"), { title: "x" }),
    await call(at("/issues/9")),
    await call(at("/issues"), { title: "y" }),
    await call("/v1/nothing"),
  ];
  await steer({ action: "fault", path: repository, times: 3, fault: { kind: "reset" } });
  answers.push(await call(at("/branches")));
  const used = (await seen()).map((request) => request.token ?? "").filter((secret) => secret !== "");
  const body = (app?.privateKey ?? "").split("\n")[3] ?? "";
  expect(body.length).toBeGreaterThan(20);
  const told = [...answers.map(({ text }) => text), ...logged].join("\n");
  for (const secret of [...new Set(used), body]) expect(told).not.toContain(secret);
  expect(logged.length).toBeGreaterThan(3);
});

test("git gets a token of the App for that repository's contents alone; nobody but the orchestrator gets one", async () => {
  const { call, at, repository, bindings } = await aProxy({ app: true });
  const other = await aProxy();
  const answer = await call(at("/git-credential"), {});
  const { token, remote, expires_at } = z
    .object({ token: z.string(), remote: z.string(), expires_at: z.string() })
    .parse(answer.body);
  expect(remote).toBe(`${bindings.GITHUB_GIT_URL}/${repository}.git`);
  expect(Date.parse(expires_at)).toBeGreaterThan(Date.now() + 3_000_000);
  const as = (path: string) =>
    fetch(`${bindings.GITHUB_API_URL}/repos/${path}`, {
      headers: { authorization: `Bearer ${token}`, "user-agent": "x" },
    });
  expect((await as(`${repository}/branches`)).status).toBe(200);
  expect((await as(`${repository}/issues`)).status).toBe(404);
  expect((await as(`${other.repository}/branches`)).status).toBe(404);
  Object.assign(bindings, { CALLER: "agent-factory" });
  expect(problemOf(await call(at("/git-credential"), {})).code).toBe("FORBIDDEN");
});

test("without a configuration every call says what to set, and sends nothing", async () => {
  const none = { GITHUB_TOKEN: "", GITHUB_APP_ID: "", GITHUB_REPOSITORIES: "a/b" };
  const { call, bindings } = await aProxy({ env: none });
  expect(problemOf(await call("/v1/repo/a%2Fb/issues"))).toMatchObject({
    code: "UPSTREAM_UNAVAILABLE",
    detail: expect.stringContaining("GITHUB_TOKEN"),
  });
  Object.assign(bindings, { GITHUB_REPOSITORIES: "" });
  expect(problemOf(await call("/v1/repo/a%2Fb/issues")).detail).toContain("GITHUB_REPOSITORIES");
  Object.assign(bindings, { GITHUB_API_URL: "http://example.com" });
  expect(problemOf(await call("/v1/repo/a%2Fb/issues")).detail).toContain("GITHUB_API_URL");
});

test("the public door tells the Worker's name and nothing else; a binding without a caller is refused", async () => {
  expect(await (await exports.default.fetch("http://worker/")).text()).toContain("core-github-api");
  expect((await exports.default.fetch("http://worker/v1/repo/issues")).status).toBe(404);
  const unnamed = await exports.GithubApi.fetch("http://worker/v1/repo/issues");
  expect(unnamed.status).toBe(401);
});
