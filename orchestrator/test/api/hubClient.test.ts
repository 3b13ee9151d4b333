import { HubClient, type HubClientOptions } from "@shared/client";
import type { HubConnected, HubMessage } from "@shared/contracts";
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { record, records } from "../rpc/hubClient.ts";
import { call, tokenWith } from "./caller.ts";

/** Joins through the Worker's own door, as a browser does. */
async function open(url: string, protocols: string[]): Promise<WebSocket> {
  const { pathname, search } = new URL(url);
  const headers = { upgrade: "websocket", "sec-websocket-protocol": protocols.join(", ") };
  const { webSocket, status } = await call(`${pathname}${search}`, { token: null, headers });
  if (webSocket === null) throw new Error(`refused with ${status}`);
  // Accepted once whoever asked for it listens.
  setTimeout(() => webSocket.accept(), 0);
  return webSocket;
}

async function watch(room: string, more: Partial<HubClientOptions> = {}) {
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
    open,
    delay: () => 0,
    onMessage: note(messages),
    onReset: note(resets),
    onState: note(states),
    onError: note(errors),
    ...more,
  });
  await until(() => states.includes("open"));
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
