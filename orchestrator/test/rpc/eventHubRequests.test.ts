import { type FactoryName, type JsonObject, WebSocketMessageRequests } from "@shared/contracts";
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { createContext } from "../../worker/context.ts";
import { HUB_LIMITS, type HubLimits } from "../../worker/durable-objects/event-hub/Subscriber.ts";
import { routeRequest } from "../../worker/services/hub/routeRequest.ts";
import { actor, HubClient, records } from "./hubClient.ts";

const at = "2026-01-01T00:00:00.000Z";
const order = (id: string, factory: FactoryName, workspace: string) =>
  env.DB_PROJECTS.prepare(
    `INSERT INTO orders (id, title, description, factory, status, workspace_id, created_by, created_at, updated_at)
     VALUES (?, 'An order', '', ?, 'received', ?, 'test', ?, ?)`,
  ).bind(id, factory, workspace, at, at);

beforeAll(async () => {
  await env.DB_PROJECTS.batch([
    order("ORD-1", "ui-factory", "order:ORD-1"),
    order("ORD-2", "data-factory", "order:ORD-2"),
  ]);
});

const limit = (room: string, limits: Partial<HubLimits>) =>
  runInDurableObject(env.EVENT_HUB.getByName(room), (hub) => {
    hub.limits = { ...HUB_LIMITS, ...limits };
  });

describe("a request on a socket", () => {
  it("reaches the factory of its order, with who asks, and is answered by its id", async () => {
    const client = await HubClient.open("room=all");
    client.send({ type: "deploy", requestId: "r-1", orderId: "ORD-1", payload: { target: "preview" } });
    expect(await client.answerTo("r-1")).toEqual({
      type: "accepted",
      requestId: "r-1",
      data: {
        factory: "ui-factory",
        caller: "orchestrator",
        request: {
          type: "deploy",
          orderId: "ORD-1",
          requestId: "r-1",
          actor: "token:watcher",
          payload: { target: "preview" },
        },
      },
    });
  });

  it("in an order's room is about that order, and is given an id if it has none", async () => {
    const client = await HubClient.open("room=order:ORD-2");
    client.send({ type: "stop_generation" });
    await client.until(() => client.frames.length === 2);
    const { type, requestId, data } = client.frames[1]!;
    expect(type).toBe("accepted");
    expect(data).toMatchObject({ factory: "data-factory", request: { orderId: "ORD-2", requestId, payload: {} } });
    expect(requestId).toMatch(/./);
  });

  it("may be any of the names that the documents give", async () => {
    const client = await HubClient.open("room=order:ORD-1");
    for (const type of Object.values(WebSocketMessageRequests)) {
      client.send({ type, requestId: type });
      expect((await client.answerTo(type)).data).toMatchObject({ request: { type } });
    }
  });

  it.each<[string, unknown, string]>([
    ["that is not JSON", "{", "MALFORMED_JSON"],
    ["that is binary", new ArrayBuffer(3), "MALFORMED_JSON"],
    ["that is no object", [1], "VALIDATION_FAILED"],
    ["without a type", { requestId: "r" }, "VALIDATION_FAILED"],
    ["with a requestId over 100 characters", { type: "deploy", requestId: "x".repeat(101) }, "VALIDATION_FAILED"],
    ["with a payload that is no object", { type: "deploy", requestId: "r", payload: [] }, "VALIDATION_FAILED"],
    ["without an order in a room of all", { type: "deploy", requestId: "r" }, "VALIDATION_FAILED"],
    ["with an order id no order can have", { type: "deploy", requestId: "r", orderId: "../x" }, "VALIDATION_FAILED"],
    ["with a lone surrogate", `{"type":"deploy","requestId":"r","orderId":"\\ud800"}`, "ILL_FORMED_UNICODE"],
    ["of an unknown type", { type: "self_destruct", requestId: "r", orderId: "ORD-1" }, "UNKNOWN_REQUEST"],
    ["named as a response", { type: "phase_validated", requestId: "r", orderId: "ORD-1" }, "UNKNOWN_REQUEST"],
    ["for an order that does not exist", { type: "deploy", requestId: "r", orderId: "ORD-404" }, "NOT_FOUND"],
  ])("%s is answered with its code, and the socket lives on", async (_, message, code) => {
    const client = await HubClient.open("room=all");
    client.send(message);
    await client.until(() => client.frames.length === 2);
    const answer = client.frames[1]!;
    expect(answer).toMatchObject({ type: "error", code, retryable: false });
    expect(answer.requestId).toBe(
      JSON.stringify(message).includes('requestId":"r"') || String(message).includes('"r"') ? "r" : null,
    );
    expect(client.raw[1]).not.toMatch(/\bat .*:\d+:\d+|\.ts\b|node_modules/);

    client.send({ type: "deploy", requestId: "after", orderId: "ORD-1" });
    expect((await client.answerTo("after")).type).toBe("accepted");
    expect(client.closed).toBeNull();
  });

  it("over 64 KiB is refused and the socket closed with 1009", async () => {
    const client = await HubClient.open("room=all");
    // Few enough characters, too many bytes.
    client.send({ type: "deploy", orderId: "ORD-1", payload: { text: "€".repeat(30_000) } });
    await client.until(() => client.closed !== null);
    expect(client.frames[1]).toMatchObject({ type: "error", code: "BODY_TOO_LARGE" });
    expect(client.closed?.code).toBe(1009);
  });

  it("needs the scope for requests, and a confined caller its own workspace", async () => {
    const reader = await HubClient.open("room=all", actor(["patches:read"]));
    reader.send({ type: "deploy", requestId: "r", orderId: "ORD-1" });
    expect(await reader.answerTo("r")).toMatchObject({ type: "error", code: "FORBIDDEN" });

    const confined = await HubClient.open("room=order:ORD-1", actor(undefined, { workspaceId: "order:ORD-1" }));
    confined.send({ type: "deploy", requestId: "own" });
    confined.send({ type: "deploy", requestId: "other", orderId: "ORD-2" });
    expect((await confined.answerTo("own")).type).toBe("accepted");
    expect(await confined.answerTo("other")).toMatchObject({ code: "FORBIDDEN" });
  });

  it("too often is refused, one socket at a time, and far too often closes the socket", async () => {
    await limit("project:busy", { burst: 3, perSecond: 0 });
    const [busy, calm] = [await HubClient.open("room=project:busy"), await HubClient.open("room=project:busy")];
    for (let i = 0; i < 4; i += 1) busy.send({ type: "deploy", requestId: `r-${i}`, orderId: "ORD-1" });
    expect(await busy.answerTo("r-3")).toMatchObject({ type: "error", code: "RATE_LIMITED", retryable: true });
    expect((await busy.answerTo("r-2")).type).toBe("accepted");
    calm.send({ type: "deploy", requestId: "calm", orderId: "ORD-1" });
    expect((await calm.answerTo("calm")).type).toBe("accepted");

    for (let i = 0; i < 100; i += 1) busy.send("x");
    await busy.until(() => busy.closed !== null);
    expect(busy.closed?.code).toBe(1008);
  });

  it("that a factory is slow to answer holds up nothing else", async () => {
    await limit("project:slow", { inFlight: 2 });
    const release = Promise.withResolvers<void>();
    await runInDurableObject(env.EVENT_HUB.getByName("project:slow"), (hub) => {
      const slow = {
        handleRequest: async ({ requestId }: { requestId: string }) => {
          await release.promise;
          return { ok: true, data: { requestId } };
        },
      };
      // The hub's own environment, with a factory that waits in the place of one.
      Object.defineProperty(hub, "env", { value: { ...env, FACTORY_UI: slow } });
    });
    const client = await HubClient.open("room=project:slow");
    client.send({ type: "deploy", requestId: "slow-1", orderId: "ORD-1" });
    client.send({ type: "deploy", requestId: "slow-2", orderId: "ORD-1" });
    client.send({ type: "deploy", requestId: "one-too-many", orderId: "ORD-1" });
    expect(await client.answerTo("one-too-many")).toMatchObject({ code: "RATE_LIMITED" });
    client.send("{");
    await client.answerTo(null);
    await env.EVENT_HUB.getByName("project:slow").deliver({ source: "default", records: records(1, 3) });
    await client.until(() => client.events.length === 3);
    expect(client.frames.some((frame) => frame.requestId === "slow-1")).toBe(false);

    release.resolve();
    expect(await client.answerTo("slow-1")).toMatchObject({ type: "accepted" });
    expect(await client.answerTo("slow-2")).toMatchObject({ type: "accepted" });
  });
});

describe("a factory", () => {
  const route = (factory: object, timeoutMs = 10_000) =>
    routeRequest(createContext({ ...env, FACTORY_UI: factory as Fetcher }, { actor: actor() }), {
      type: "deploy",
      orderId: "ORD-1",
      requestId: "r",
      payload: {} satisfies JsonObject,
      timeoutMs,
    });

  it.each<[string, object, number?]>([
    ["that throws", { handleRequest: () => Promise.reject(new Error("secret of the inside")) }],
    ["that does not answer in time", { handleRequest: () => new Promise(() => undefined) }, 1],
    ["that answers out of shape", { handleRequest: async () => ({ ok: true, data: 1 }) }],
    ["that is none", {}],
  ])("%s is FACTORY_UNAVAILABLE, in doubt, without a word of why", async (_, factory, timeoutMs) => {
    const answer = await route(factory, timeoutMs);
    expect(answer).toMatchObject({
      ok: false,
      error: { code: "FACTORY_UNAVAILABLE", retryable: true, nothingWritten: null },
    });
    expect(JSON.stringify(answer)).not.toContain("secret of the inside");
  });

  it("that refuses is passed on with its own code", async () => {
    const error = { code: "UNKNOWN_REQUEST", message: "no use for it", retryable: false, nothingWritten: true };
    expect(await route({ handleRequest: async () => ({ ok: false, error }) })).toEqual({ ok: false, error });
  });

  it("is not asked while D1 cannot say which it is", async () => {
    const broken = { prepare: () => ({ bind: () => ({ all: () => Promise.reject(new Error("D1_ERROR: gone")) }) }) };
    const context = createContext({ ...env, DB_PROJECTS: broken as unknown as D1Database }, { actor: actor() });
    const input = { type: "deploy", orderId: "ORD-1", requestId: "r", payload: {}, timeoutMs: 10_000 };
    expect(await routeRequest(context, input)).toMatchObject({
      ok: false,
      error: { code: "DATABASE_UNAVAILABLE", retryable: true, nothingWritten: true },
    });
  });
});
