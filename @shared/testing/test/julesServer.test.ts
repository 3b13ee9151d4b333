import { afterEach, expect, test } from "vitest";
import { z } from "zod";
import { JULES_CONTROL_PATH, type JulesCommand, type JulesScript } from "../julesControl.ts";
import { startJulesServer, type JulesServer } from "../julesServer.ts";

const running: JulesServer[] = [];
async function start(script: JulesScript = {}): Promise<JulesServer> {
  const server = await startJulesServer(script);
  running.push(server);
  return server;
}
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

async function call(server: JulesServer, method: string, path: string, body?: unknown, key = server.apiKey) {
  const response = await fetch(`${server.url}/${path}`, {
    method,
    headers: { "x-goog-api-key": key },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: z.looseObject({}).parse(await response.json()) };
}
const NEW = {
  prompt: "do it",
  title: "mine",
  sourceContext: { source: "sources/github/acme/shop", githubRepoContext: { startingBranch: "main" } },
};
async function session(server: JulesServer): Promise<string> {
  return z.string().parse((await call(server, "POST", "sessions", NEW)).body.name);
}

test("without the key, or with another, nothing is answered", async () => {
  const server = await start();
  expect(await call(server, "GET", "sources", undefined, "wrong")).toMatchObject({
    status: 401,
    body: { error: { code: 401, status: "UNAUTHENTICATED" } },
  });
  expect((await fetch(`${server.url}/sources?key=${server.apiKey}`)).status).toBe(401);
  expect(server.requests()).toEqual([]);
});

test("sources come in pages, and a session starts from one of them and a branch it has", async () => {
  const server = await start({
    sources: ["a", "b", "c"].map((repo) => ({ owner: "acme", repo, branches: ["main"] })),
    pageSize: 2,
  });
  const first = await call(server, "GET", "sources?pageSize=100");
  expect(first.body).toMatchObject({ sources: [{}, {}], nextPageToken: "2" });
  const second = await call(server, "GET", "sources?pageSize=100&pageToken=2");
  expect(second.body).toMatchObject({ sources: [{ name: "sources/github/acme/c" }] });
  expect(second.body).not.toHaveProperty("nextPageToken");
  const started = (source: string, startingBranch: string) =>
    call(server, "POST", "sessions", { prompt: "p", sourceContext: { source, githubRepoContext: { startingBranch } } });
  expect((await started("sources/github/acme/a", "main")).status).toBe(200);
  expect((await started("sources/github-acme-a", "main")).status).toBe(404);
  expect((await started("sources/github/acme/a", "gone")).status).toBe(400);
});

test("a body of another shape is refused", async () => {
  const server = await start();
  for (const body of [{}, { ...NEW, prompt: "" }, { ...NEW, branch: "main" }, { ...NEW, automationMode: "MAGIC" }]) {
    expect(await call(server, "POST", "sessions", body)).toMatchObject({
      status: 400,
      body: { error: { status: "INVALID_ARGUMENT" } },
    });
  }
});

test("a session goes through its states as it is looked at, and waits where a person must decide", async () => {
  const server = await start({
    steps: [
      { state: "PLANNING" },
      { state: "AWAITING_PLAN_APPROVAL", activities: [{ planGenerated: {} }] },
      { state: "AWAITING_USER_FEEDBACK" },
      { state: "COMPLETED", outputs: [{ pullRequest: { url: "u" } }] },
    ],
  });
  const name = await session(server);
  const state = async () => (await call(server, "GET", name)).body.state;
  expect([await state(), await state(), await state()]).toEqual([
    "PLANNING",
    "AWAITING_PLAN_APPROVAL",
    "AWAITING_PLAN_APPROVAL",
  ]);
  expect((await call(server, "POST", `${name}:approvePlan`, {})).status).toBe(200);
  expect((await call(server, "POST", `${name}:approvePlan`, {})).status).toBe(400);
  expect(await state()).toBe("AWAITING_USER_FEEDBACK");
  await call(server, "POST", `${name}:sendMessage`, { prompt: "go on" });
  expect((await call(server, "GET", name)).body).toMatchObject({
    state: "COMPLETED",
    outputs: [{ pullRequest: { url: "u" } }],
  });
  expect((await call(server, "GET", `${name}/activities`)).body).toMatchObject({
    activities: [{ planGenerated: {} }, { userMessaged: { userMessage: "go on" } }],
  });
  expect(server.sessions()).toMatchObject([{ name, messages: ["go on"] }]);
});

test("activities may be missing at first", async () => {
  const server = await start({ activitiesMissing: 1 });
  const name = await session(server);
  expect((await call(server, "GET", `${name}/activities`)).status).toBe(404);
  expect(await call(server, "GET", `${name}/activities`)).toMatchObject({ status: 200, body: {} });
});

test("a fault is for the calls it names, so many, after so many", async () => {
  const server = await start({
    faults: [
      { call: "getSession", kind: 429, after: 1, retryAfterSeconds: 3 },
      { call: "createSession", kind: "lost", after: 1 },
    ],
  });
  const name = await session(server);
  expect((await call(server, "GET", name)).status).toBe(200);
  const refused = await call(server, "GET", name);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "3"]);
  expect((await call(server, "GET", name)).status).toBe(200);
  // Carried out, and not answered.
  await expect(session(server)).rejects.toThrow("fetch failed");
  expect(server.sessions()).toHaveLength(2);
});

test("a held call waits for the test; accounts know nothing of each other", async () => {
  const server = await start();
  server.account("other", { faults: [{ call: "listSources", kind: "hold" }] });
  const held = call(server, "GET", "sources", undefined, "other");
  await server.held("other");
  expect((await call(server, "GET", "sources")).status).toBe(200);
  server.release("other");
  expect((await held).status).toBe(200);
  expect(server.requests()).toHaveLength(1);
});

test("it is steered over HTTP too", async () => {
  const server = await start();
  const tell = async (command: JulesCommand | object) =>
    fetch(new URL(JULES_CONTROL_PATH, server.url), { method: "POST", body: JSON.stringify(command) });
  await tell({ action: "account", key: "far", script: { sources: [] } } satisfies JulesCommand);
  expect(await call(server, "GET", "sources", undefined, "far")).toMatchObject({ status: 200, body: {} });
  expect(await (await tell({ action: "requests", key: "far" })).json()).toMatchObject({
    requests: [{ call: "listSources", status: 200 }],
  });
  expect((await tell({ action: "sessions", key: "nobody" })).status).toBe(404);
  expect((await tell({ action: "nonsense" })).status).toBe(400);
});
