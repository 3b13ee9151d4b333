import { afterEach, describe, expect, test } from "vitest";
import { startModelServer, type ModelServer, type ModelServerOptions } from "../modelServer.ts";
import { MODEL_CONTROL_PATH, type ModelCommand, type ModelProtocol, type ScriptStep } from "../modelControl.ts";

const running: ModelServer[] = [];
async function start(options: ModelServerOptions = {}): Promise<ModelServer> {
  const server = await startModelServer(options);
  running.push(server);
  return server;
}
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

interface Client {
  path: (stream: boolean) => string;
  header: (key: string) => Record<string, string>;
  body: (stream: boolean, tools: string[]) => unknown;
  /** What a stream ends with. */
  end: string;
  badKey: { status: number; text: string };
  quota: { status: number; text: string };
}
const CLIENTS: Record<ModelProtocol, Client> = {
  responses: {
    path: () => "/v1/responses",
    header: (key) => ({ authorization: `Bearer ${key}` }),
    body: (stream, tools) => ({
      model: "m",
      input: [{ role: "user", content: "hello" }],
      stream,
      tools: tools.map((name) => ({ type: "function", name, parameters: { properties: {} } })),
    }),
    end: "response.completed",
    badKey: { status: 401, text: "invalid_api_key" },
    quota: { status: 429, text: "insufficient_quota" },
  },
  messages: {
    path: () => "/v1/messages?beta=true",
    header: (key) => ({ "x-api-key": key, "anthropic-version": "2023-06-01" }),
    body: (stream, tools) => ({
      model: "m",
      max_tokens: 100,
      messages: [{ role: "user", content: "hello" }],
      stream,
      tools: tools.map((name) => ({ name, input_schema: {} })),
    }),
    end: "message_stop",
    badKey: { status: 401, text: "authentication_error" },
    quota: { status: 400, text: "credit balance" },
  },
  gemini: {
    path: (stream) => `/v1beta/models/m:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
    header: (key) => ({ "x-goog-api-key": key }),
    body: (_, tools) => ({
      contents: [{ role: "user", parts: [{ text: "hello" }] }],
      tools: [{ functionDeclarations: tools.map((name) => ({ name })) }],
    }),
    end: '"finishReason":"STOP"',
    badKey: { status: 400, text: "API_KEY_INVALID" },
    quota: { status: 429, text: "GenerateRequestsPerDay" },
  },
  chat: {
    path: () => "/v1/chat/completions",
    header: (key) => ({ authorization: `Bearer ${key}` }),
    body: (stream, tools) => ({
      model: "m",
      messages: [{ role: "user", content: "hello" }],
      stream,
      tools: tools.map((name) => ({ type: "function", function: { name } })),
    }),
    end: "data: [DONE]",
    badKey: { status: 401, text: "invalid_api_key" },
    quota: { status: 429, text: "insufficient_quota" },
  },
};

const ask = (
  server: ModelServer,
  client: Client,
  options: { stream?: boolean; key?: string; tools?: string[] } = {},
) => {
  const { stream = true, key = server.apiKey, tools = [] } = options;
  return fetch(server.url + client.path(stream), {
    method: "POST",
    headers: { "content-type": "application/json", ...client.header(key) },
    body: JSON.stringify(client.body(stream, tools)),
  });
};

describe.each(Object.entries(CLIENTS))("%s", (name, client) => {
  test.each([true, false])(
    "the scripted text comes back (streamed: %s), and the request is on record",
    async (stream) => {
      const server = await start({ script: [{ kind: "text", text: "quite done" }] });
      const response = await ask(server, client, { stream });
      const text = await response.text();
      expect(response.status).toBe(200);
      // In a stream it comes in pieces.
      expect(text).toContain(stream ? "quite" : "quite done");
      if (stream) expect(text).toContain(client.end);
      expect(server.requests).toMatchObject([{ protocol: name, model: "m", stream, status: 200 }]);
    },
  );

  test("another key, or none, is refused as the vendor refuses it", async () => {
    const server = await start();
    const response = await ask(server, client, { key: "wrong" });
    expect(response.status).toBe(client.badKey.status);
    expect(await response.text()).toContain(client.badKey.text);
    const without = await fetch(server.url + client.path(true), { method: "POST", body: "{}" });
    expect(without.status).toBe(client.badKey.status);
    expect(server.requests).toEqual([]);
  });

  test("a body that is none is a 400, and takes no step of the script", async () => {
    const server = await start({ script: [{ kind: "text", text: "first" }] });
    for (const body of ["{", "{}", '"text"', JSON.stringify({ model: 1, messages: "no", contents: [], input: [] })]) {
      const response = await fetch(server.url + client.path(true), {
        method: "POST",
        headers: client.header(server.apiKey),
        body,
      });
      expect(response.status).toBe(400);
      await response.body?.cancel();
    }
    expect(server.requests).toEqual([]);
  });

  test("a rate limit says when to come back, or does not", async () => {
    const server = await start({ script: [{ kind: "rate-limit", retryAfterSeconds: 7 }, { kind: "rate-limit" }] });
    const first = await ask(server, client);
    expect([first.status, first.headers.get("retry-after")]).toEqual([429, "7"]);
    const second = await ask(server, client);
    expect([second.status, second.headers.get("retry-after")]).toEqual([429, null]);
  });

  test("an exhausted account, a refusal and a fault have the vendor's status and body", async () => {
    const server = await start({
      script: [{ kind: "quota" }, { kind: "status", status: 403, message: "not you" }, { kind: "status", status: 500 }],
    });
    const quota = await ask(server, client);
    expect(quota.status).toBe(client.quota.status);
    expect(await quota.text()).toContain(client.quota.text);
    const refused = await ask(server, client);
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining("not you")]);
    expect((await ask(server, client)).status).toBe(500);
  });

  test.each([true, false])("a slow answer begins, and ends when the test says so (streamed: %s)", async (stream) => {
    const server = await start({ script: [{ kind: "slow", text: "at last" }] });
    const response = await ask(server, client, { stream });
    const text = response.text();
    await server.begun();
    server.release();
    expect(await text).toContain(stream ? client.end : "at last");
  });

  test("who hangs up on a slow answer is noticed", async () => {
    const server = await start({ script: [{ kind: "slow", text: "never" }] });
    const response = await ask(server, client);
    await server.begun();
    await response.body?.cancel();
    await server.left();
  });

  test.each([true, false])("a cut answer begins and breaks (streamed: %s)", async (stream) => {
    const server = await start({ script: [{ kind: "cut", text: "half and half" }] });
    const response = await ask(server, client, { stream });
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow("terminated");
  });

  test("a step with a tool goes to a request that offers tools; another is a side call", async () => {
    const edit: ScriptStep = { kind: "shell", command: "true" };
    const server = await start({ script: [edit, { kind: "text", text: "over" }] });
    await (await ask(server, client)).text();
    const text = await (await ask(server, client, { tools: ["bash"] })).text();
    expect(text).toContain("bash");
    expect(server.requests.map(({ step }) => step)).toEqual([null, edit]);
  });

  test("no key stands in what is on record", async () => {
    const server = await start();
    await (await ask(server, client)).text();
    expect(JSON.stringify(server.requests)).not.toContain(server.apiKey);
  });
});

test("each key has a script of its own, given over HTTP too", async () => {
  const server = await start({ script: [{ kind: "text", text: "one" }] });
  const control = (command: ModelCommand) =>
    fetch(server.url + MODEL_CONTROL_PATH, { method: "POST", body: JSON.stringify(command) });
  expect((await control({ action: "script", key: "another", steps: [{ kind: "text", text: "two" }] })).ok).toBe(true);
  const texts = await Promise.all(
    [server.apiKey, "another"].map(async (key) =>
      (await ask(server, CLIENTS.chat, { key, stream: false })).json().then((body) => JSON.stringify(body)),
    ),
  );
  expect(texts).toEqual([expect.stringContaining('"one"'), expect.stringContaining('"two"')]);
  const seen = await (await control({ action: "requests", key: "another" })).json();
  expect(seen).toMatchObject({ requests: [{ protocol: "chat", step: { text: "two" } }] });
  const bad = await fetch(server.url + MODEL_CONTROL_PATH, { method: "POST", body: '{"action":"script"}' });
  expect(bad.status).toBe(400);
});

test("what no API has is a 404 and on record; lists of models and counts of tokens are answered", async () => {
  const server = await start();
  expect((await fetch(`${server.url}/v1/telemetry`, { method: "POST", body: "{}" })).status).toBe(404);
  expect(server.unknown).toEqual(["POST /v1/telemetry"]);
  const headers = { authorization: `Bearer ${server.apiKey}`, "x-api-key": server.apiKey };
  expect((await fetch(`${server.url}/v1/models`, { headers })).status).toBe(200);
  expect((await fetch(`${server.url}/v1/models`)).status).toBe(401);
  const counted = await fetch(`${server.url}/v1/messages/count_tokens`, {
    method: "POST",
    headers,
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hello" }] }),
  });
  expect(await counted.json()).toMatchObject({ input_tokens: 1 });
});
