import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { importPKCS8, SignJWT } from "jose";
import { createPrivateKey } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { startGithubServer } from "../githubServer.ts";

const run = promisify(execFile);

async function aServer() {
  const server = await startGithubServer();
  onTestFinished(() => server.stop());
  await server.run({ action: "addRepository", repository: "acme/site" });
  const { token = "" } = await server.run({ action: "addToken", repositories: ["acme/site"] });
  const call = async (
    path: string,
    init: { method?: string; token?: string | null; body?: unknown; headers?: Record<string, string> } = {},
  ) => {
    const { token: given = token } = init;
    const response = await fetch(`${server.url}${path}`, {
      method: init.method ?? (init.body === undefined ? "GET" : "POST"),
      headers: {
        "user-agent": "test",
        ...(given === null ? {} : { authorization: `Bearer ${given}` }),
        ...init.headers,
      },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    });
    const text = await response.text();
    const body: unknown =
      /json/.test(response.headers.get("content-type") ?? "") && text !== "" ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body };
  };
  return { server, token, call };
}

async function jwtOf(app: { appId: string; privateKey: string }, claims: { exp: number; iat: number }) {
  const pem = createPrivateKey(app.privateKey).export({ type: "pkcs8", format: "pem" }).toString();
  const key = await importPKCS8(pem, "RS256");
  return new SignJWT({ iss: app.appId, ...claims }).setProtectedHeader({ alg: "RS256" }).sign(key);
}

test("a private repository is not there for who has no access to it, and a wrong token is refused", async () => {
  const { call, server } = await aServer();
  const { token: other = "" } = await server.run({ action: "addToken", repositories: [] });
  expect((await call("/repos/acme/site")).status).toBe(200);
  expect((await call("/repos/ACME/Site")).status).toBe(200);
  expect((await call("/repos/acme/site", { token: other })).status).toBe(404);
  expect((await call("/repos/acme/site", { token: null })).status).toBe(404);
  expect(await call("/repos/acme/site", { token: "ghp_wrong" })).toMatchObject({
    status: 401,
    body: { message: "Bad credentials" },
  });
});

test("lists come in pages of at most a hundred, with links by the repository's number, pull requests among the issues", async () => {
  const { call, server } = await aServer();
  await server.run({ action: "addIssues", repository: "acme/site", count: 120 });
  await server.run({ action: "commit", repository: "acme/site", branch: "topic", from: "main", files: { a: "1\n" } });
  expect((await call("/repos/acme/site/pulls", { body: { title: "Topic", head: "topic", base: "main" } })).status).toBe(
    201,
  );
  const first = await call("/repos/acme/site/issues?per_page=500");
  expect(first.body).toHaveLength(100);
  expect(z.array(z.json()).parse(first.body).slice(0, 2)).toMatchObject([
    { number: 121, pull_request: {} },
    { number: 120 },
  ]);
  expect(first.headers.get("link")).toMatch(/\/repositories\/\d+\/issues\?per_page=500&page=2>; rel="next"/);
  const second = await call("/repos/acme/site/issues?per_page=100&page=2");
  expect(second.body).toHaveLength(21);
  expect(second.headers.get("link")).not.toContain('rel="next"');
  expect((await call("/repos/acme/site/issues?since=yesterday")).status).toBe(422);
  expect((await call("/repos/acme/site/issues?state=in_progress")).status).toBe(422);
});

test("a conditional request that finds nothing new is free; the limit is kept and told", async () => {
  const { call, server } = await aServer();
  await server.run({ action: "limits", limits: { core: 3 } });
  const first = await call("/repos/acme/site/issues");
  const etag = first.headers.get("etag") ?? "";
  expect(first.headers.get("x-ratelimit-remaining")).toBe("2");
  const again = await call("/repos/acme/site/issues", { headers: { "if-none-match": etag } });
  expect(again).toMatchObject({ status: 304 });
  expect(again.headers.get("x-ratelimit-remaining")).toBe("2");
  await call("/repos/acme/site");
  await call("/repos/acme/site");
  const over = await call("/repos/acme/site");
  expect(over.status).toBe(403);
  expect(over.headers.get("x-ratelimit-remaining")).toBe("0");
  await server.run({ action: "advance", ms: 3_601_000 });
  expect((await call("/repos/acme/site")).status).toBe(200);
});

test("what cannot be stored is refused as GitHub does", async () => {
  const { call, server } = await aServer();
  expect(await call("/repos/acme/site/issues", { body: { body: "no title" } })).toMatchObject({ status: 422 });
  expect(await call("/repos/acme/site/issues", { body: { title: "x".repeat(257) } })).toMatchObject({
    status: 422,
    body: { message: "Validation Failed", errors: [{ field: "title" }] },
  });
  expect(await call("/repos/acme/site/issues", { body: [] })).toMatchObject({ status: 400 });
  expect(await call("/repos/acme/site/git/refs", { body: { ref: "refs/heads/x", sha: "1" } })).toMatchObject({
    status: 422,
  });
  await server.run({ action: "addRepository", repository: "acme/empty", files: null });
  const { token = "" } = await server.run({ action: "addToken", repositories: "all" });
  expect(await call("/repos/acme/empty/commits", { token })).toMatchObject({
    status: 409,
    body: { message: "Git Repository is empty." },
  });
});

test("an App's signed word is exchanged for an hour's token; one too long, from the future or of another key is not", async () => {
  const { call, server } = await aServer();
  const { app } = await server.run({ action: "addApp", repositories: ["acme/site"], permissions: { issues: "read" } });
  if (!app) throw new Error("no app");
  const now = Math.floor(Date.now() / 1000);
  const path = `/app/installations/${app.installationId}/access_tokens`;
  const mint = async (claims: { exp: number; iat: number }, by = app) =>
    call(path, { method: "POST", token: await jwtOf(by, claims) });
  const good = await mint({ iat: now - 30, exp: now + 540 });
  expect(good).toMatchObject({ status: 201, body: { permissions: { issues: "read", metadata: "read" } } });
  const { token, expires_at } = z.object({ token: z.string(), expires_at: z.string() }).parse(good.body);
  expect(Date.parse(expires_at) - Date.now()).toBeGreaterThan(3_500_000);
  expect((await mint({ iat: now - 30, exp: now + 7_200 })).status).toBe(401);
  expect((await mint({ iat: now + 300, exp: now + 540 })).status).toBe(401);
  const { app: other } = await server.run({ action: "addApp", repositories: [] });
  if (!other) throw new Error("no app");
  expect((await mint({ iat: now, exp: now + 60 }, { ...other, appId: app.appId })).status).toBe(401);
  expect((await call("/repos/acme/site/issues", { token })).status).toBe(200);
  expect((await call("/repos/acme/site/issues", { token, body: { title: "No" } })).status).toBe(403);
  await server.run({ action: "advance", ms: 3_700_000 });
  expect((await call("/repos/acme/site/issues", { token })).status).toBe(401);
});

test("git clones and pushes over smart HTTP with a token, and without one neither", async () => {
  const { server, token } = await aServer();
  const directory = await mkdtemp(join(tmpdir(), "github-clone-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const git = (...args: string[]) =>
    run("git", ["-c", "user.name=T", "-c", "user.email=t@example.com", ...args], {
      cwd: directory,
      env: { PATH: process.env.PATH ?? "", HOME: directory, GIT_TERMINAL_PROMPT: "0", GIT_CONFIG_NOSYSTEM: "1" },
    });
  const remote = (password: string) => server.url.replace("http://", `http://x:${password}@`) + "/acme/site.git";
  await git("clone", "--quiet", remote(token), "clone");
  await git("-C", "clone", "commit", "--quiet", "--allow-empty", "-m", "Mine");
  await git("-C", "clone", "push", "--quiet", "origin", "HEAD:refs/heads/mine");
  expect(
    (await server.run({ action: "git", repository: "acme/site", args: ["log", "-1", "--format=%s", "mine"] })).text,
  ).toBe("Mine");
  await expect(git("clone", "--quiet", `${server.url}/acme/site.git`, "anonymous")).rejects.toThrow(
    /could not read Username|No anonymous|terminal prompts disabled/,
  );
  const { token: reader = "" } = await server.run({
    action: "addToken",
    repositories: ["acme/site"],
    permissions: { contents: "read" },
  });
  await git("-C", "clone", "fetch", "--quiet", remote(reader));
  await expect(git("-C", "clone", "push", "--quiet", remote(reader), "HEAD:refs/heads/other")).rejects.toThrow(/403/);
});
