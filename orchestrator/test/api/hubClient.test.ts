import { HubClient, type HubClientOptions } from "@shared/client";
import { type HubConnected, type HubMessage, ProblemSchema, type Result } from "@shared/contracts";
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { HUB_LIMITS } from "../../worker/durable-objects/event-hub/Subscriber.ts";
import { record, records } from "../rpc/hubClient.ts";
import { answerOf, call, tokenWith } from "./caller.ts";

/** A browser's WebSocket through the Worker's own door. */
class DoorSocket extends EventTarget {
  static headers: Record<string, string> = {};
  binaryType = "blob";
  readyState = 0;
  #socket: WebSocket | null = null;

  constructor(url: string, protocols: string[]) {
    super();
    void this.#open(url, protocols);
  }
  async #open(url: string, protocols: string[]): Promise<void> {
    const { pathname, search } = new URL(url);
    const headers = { upgrade: "websocket", "sec-websocket-protocol": protocols.join(", "), ...DoorSocket.headers };
    const { webSocket } = await call(`${pathname}${search}`, { token: null, headers });
    if (webSocket === null || this.readyState !== 0) {
      webSocket?.accept();
      webSocket?.close(1000);
      return this.#over(1006);
    }
    this.#socket = webSocket;
    webSocket.addEventListener("message", ({ data }) => this.dispatchEvent(new MessageEvent("message", { data })));
    webSocket.addEventListener("close", ({ code }) => this.#over(code));
    webSocket.accept();
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }
  #over(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.dispatchEvent(new CloseEvent("close", { code }));
  }
  send(text: string): void {
    this.#socket?.send(text);
  }
  close(code = 1000): void {
    this.#socket?.close(code);
    this.#over(code);
  }
}

async function watch(room: string, more: Partial<HubClientOptions> & { expects?: string } = {}) {
  const { expects = "open" } = more;
  const { token } = await tokenWith(["patches:read", "requests:write"]);
  const messages: HubMessage[] = [];
  const resets: HubConnected[] = [];
  const errors: Error[] = [];
  const states: string[] = [];
  let changed = Promise.withResolvers<void>();
  const note =
    <T>(list: T[]) =>
    (item: T): void => {
      list.push(item);
      changed.resolve();
      changed = Promise.withResolvers<void>();
    };
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await changed.promise;
  };
  const client = new HubClient({
    url: "https://vibehq.test",
    token,
    room,
    WebSocket: DoorSocket,
    delay: () => 0,
    onMessage: note(messages),
    onReset: note(resets),
    onState: note(states),
    onError: note(errors),
    ...more,
  });
  await until(() => states.includes(expects));
  const opened = () => states.filter((state) => state === "open").length;
  return { client, messages, resets, errors, states, until, opened };
}

const hub = (room: string) => env.EVENT_HUB.getByName(room);
const deliver = (room: string, from: number, to: number) =>
  hub(room).deliver({ source: "default", records: records(from, to) });
const crash = (room: string) =>
  runInDurableObject(hub(room), (_, state) => state.abort("crash")).catch(() => undefined);
const range = (to: number): number[] => Array.from({ length: to }, (_, i) => i + 1);

test("the client gives every message once, over lost connections, and never asks to reload", async () => {
  const room = "project:client-1";
  const watched = await watch(room);
  for (let turn = 0; turn < 5; turn += 1) {
    await deliver(room, turn * 10 + 1, turn * 10 + 6);
    // Some of them may be on their way when the object dies.
    await crash(room);
    await deliver(room, turn * 10 + 4, turn * 10 + 10);
    await watched.until(() => watched.messages.length >= (turn + 1) * 10);
  }
  expect(watched.messages.map(({ offset }) => offset)).toEqual(range(50));
  expect(watched.resets).toEqual([]);
  expect(watched.errors).toEqual([]);
  expect(watched.opened()).toBeGreaterThan(1);
  watched.client.close();
});

test("the client is told to reload when the room has lost what it missed, and goes on", async () => {
  const room = "project:client-2";
  const watched = await watch(room, { filter: { file: ["src/a.ts"] } });
  await deliver(room, 1, 3);
  await watched.until(() => watched.messages.length === 3);
  await runInDurableObject(hub(room), (_, state) => state.storage.deleteAll());
  await crash(room);
  await watched.until(() => watched.resets.length === 1);
  expect(watched.resets[0]).toMatchObject({ recovered: false, offset: 0 });
  await hub(room).deliver({ source: "default", records: [record(1, { file: "b.ts" }), record(2)] });
  await watched.until(() => watched.messages.length === 4);
  expect(watched.messages[3]).toMatchObject({ offset: 2, prev: 0 });
  watched.client.close();
  expect(watched.states.at(-1)).toBe("closed");
});

test("a request is answered by the factory, refused with its code, or in doubt when the connection is lost", async () => {
  const placed = await call("/api/orders", { body: { id: "ORD-ask", title: "An order", factory: "ui-factory" } });
  expect(placed.status).toBe(201);
  const { client } = await watch("order:ORD-ask");
  expect(await client.request("deploy", { to: "preview" })).toMatchObject({
    ok: true,
    data: { factory: "ui-factory", request: { orderId: "ORD-ask", payload: { to: "preview" } } },
  });
  expect(await client.request("deploy", {}, "ORD-404")).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
  const asked = client.request("deploy");
  client.close();
  expect(await asked).toMatchObject({ ok: false, error: { code: "FACTORY_UNAVAILABLE", nothingWritten: null } });
  expect(await client.request("deploy")).toMatchObject({ ok: false, error: { code: "SHUTTING_DOWN" } });
});

test("whoever works slowly is sent no more than a window ahead, holds a bounded queue, and gets everything once", async () => {
  const room = "project:client-slow";
  await runInDurableObject(hub(room), (object) => {
    object.limits = { ...HUB_LIMITS, ackWindow: 512, chunk: 64 };
  });
  const release = Promise.withResolvers<void>();
  const seen: number[] = [];
  let inHand = 0;
  const watched = await watch(room, {
    onMessage: async ({ offset }) => {
      inHand += 1;
      expect(inHand).toBe(1);
      await (offset === 1 ? release.promise : Promise.resolve());
      seen.push(offset);
      inHand -= 1;
    },
  });
  const fast = await watch(room);
  for (let from = 1; from <= 2_000; from += 500) await deliver(room, from, from + 499);
  await fast.until(() => fast.messages.length === 2_000);
  expect(seen).toEqual([]);
  release.resolve();
  await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(2_000);
  expect(seen).toEqual(range(2_000));
  expect(watched.client.position?.offset).toBe(2_000);
  watched.client.close();
  fast.client.close();
});

test("a queue that runs over is let go of and asked for again, without a message lost or given twice", async () => {
  const room = "project:client-over";
  const release = Promise.withResolvers<void>();
  const seen: number[] = [];
  const watched = await watch(room, {
    maxQueued: 20,
    onMessage: async ({ offset }) => {
      if (offset === 1) await release.promise;
      seen.push(offset);
    },
  });
  await deliver(room, 1, 300);
  await watched.until(() => watched.opened() > 2);
  release.resolve();
  await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(300);
  expect(seen).toEqual(range(300));
  expect(watched.resets).toEqual([]);
  watched.client.close();
});

test("the client asks for a ticket for every socket, and stops for good when it is signed out", async () => {
  const room = "project:client-ticket";
  const { token, id } = await tokenWith(["patches:read"]);
  let tickets = 0;
  const ticket = async (asked: string): Promise<Result<{ ticket: string }>> => {
    tickets += 1;
    const response = await call("/api/auth/ws-ticket", { token, body: { room: asked } });
    const answer = await answerOf(response);
    return response.ok
      ? { ok: true, ticket: String(answer.ticket) }
      : { ok: false, error: ProblemSchema.parse(answer).error };
  };
  const watched = await watch(room, { token: undefined, ticket });
  watched.client.reconnect();
  await watched.until(() => watched.opened() === 2);
  expect(tickets).toBe(2);
  await deliver(room, 1, 2);
  await watched.until(() => watched.messages.length === 2);

  await call(`/api/auth/tokens/${id}`, { method: "DELETE" });
  await runInDurableObject(hub(room), (object) => {
    object.now = () => Date.now() + HUB_LIMITS.reviewMs;
  });
  await runDurableObjectAlarm(hub(room));
  await watched.until(() => watched.states.includes("signed-out"));
  expect(watched.states.at(-1)).toBe("signed-out");

  const refused = await watch(room, { token: undefined, ticket, expects: "signed-out" });
  expect(refused.states.at(-1)).toBe("signed-out");
});

test("the client tells how many are in the room", async () => {
  const room = "project:client-presence";
  await runInDurableObject(hub(room), (object) => {
    object.limits = { ...HUB_LIMITS, presenceMs: 1 };
  });
  const counts: number[] = [];
  const first = await watch(room, { onPresence: (count) => void counts.push(count) });
  await expect.poll(() => counts.at(-1)).toBe(1);
  const second = await watch(room);
  await expect.poll(() => counts.at(-1)).toBe(2);
  second.client.close();
  await expect.poll(() => counts.at(-1)).toBe(1);
  first.client.close();
});
