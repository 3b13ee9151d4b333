import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { createContext, factoryActor } from "../../worker/context.ts";
import { publish } from "../../worker/services/phase/publish.ts";
import { HubClient } from "../rpc/hubClient.ts";
import { call, problemOf, tokenWith } from "./caller.ts";

const handshake = { upgrade: "websocket" };

async function open(query: string, headers: Record<string, string>, token: string | null = null): Promise<HubClient> {
  const response = await call(`/ws?${query}`, { token, headers: { ...handshake, ...headers } });
  if (response.webSocket === null) throw new Error((await problemOf(response)).detail);
  expect(response.status).toBe(101);
  const client = new HubClient(response.webSocket);
  await client.until(() => client.frames.length > 0);
  return client;
}

test("a handshake that is refused says why in a problem document", async () => {
  const { token: orders } = await tokenWith(["orders:read"]);
  const { token: reader } = await tokenWith(["patches:read"]);
  const refusals = [
    [await call("/ws", { token: null, headers: handshake }), 401, "UNAUTHENTICATED"],
    [await call("/ws", { token: "vhq_nobody", headers: handshake }), 401, "UNAUTHENTICATED"],
    [await call("/ws", { token: orders, headers: handshake }), 403, "FORBIDDEN"],
    [await call("/ws", { token: reader, headers: { ...handshake, origin: "https://evil.test" } }), 403, "FORBIDDEN"],
    [await call("/ws?room=kitchen", { token: reader, headers: handshake }), 400, "VALIDATION_FAILED"],
    [await call("/ws", { token: reader }), 426, "UPGRADE_REQUIRED"],
  ] as const;
  for (const [response, status, code] of refusals) {
    expect([response.status, (await problemOf(response)).code]).toEqual([status, code]);
  }
  expect(refusals.at(-1)?.[0].headers.get("upgrade")).toBe("websocket");
});

test("a token opens the socket as a header, or beside the subprotocol as browsers must send it", async () => {
  const { token } = await tokenWith(["patches:read"]);
  await open("room=all", {}, token);
  const headers = { ...handshake, "sec-websocket-protocol": `vibehq, bearer.${token}`, origin: "https://vibehq.test" };
  const response = await call("/ws?room=all", { token: null, headers });
  expect(response.status).toBe(101);
  expect(response.headers.get("sec-websocket-protocol")).toBe("vibehq");
  response.webSocket?.accept();
});

test("what a factory reports of an order is on the sockets of its room and of all, and on no other's", async () => {
  const { token } = await tokenWith(["patches:read", "requests:write"]);
  for (const id of ["ORD-seen", "ORD-unseen"]) {
    const placed = await call("/api/orders", { body: { id, title: "An order", factory: "agent-factory" } });
    expect(placed.status).toBe(201);
  }
  const [all, own, other] = await Promise.all(
    ["all", "order:ORD-seen", "order:ORD-unseen"].map((room) => open(`room=${room}`, {}, token)),
  );
  const ctx = createContext(env, { actor: factoryActor("agent-factory") });
  const types = ["generation_started", "phase_generating", "phase_validated"] as const;
  for (const type of types) {
    expect(await publish(ctx, { type, orderId: "ORD-seen", message: "on its way" })).toMatchObject({ ok: true });
  }
  for (const client of [all!, own!]) {
    const seen = () => client.events.filter((frame) => frame.payload?.order_id === "ORD-seen");
    await client.until(() => seen().length === types.length);
    expect(seen().map((frame) => frame.type)).toEqual(types);
    expect(seen()[0]?.payload).toMatchObject({
      kind: "phase",
      actor: "factory:agent-factory",
      meta: { message: "on its way" },
    });
  }

  own!.send({ type: "generate_all", requestId: "r-1" });
  expect(await own!.answerTo("r-1")).toMatchObject({
    type: "accepted",
    data: { factory: "agent-factory", request: { orderId: "ORD-seen", actor: expect.stringMatching(/^token:/) } },
  });
  expect(other!.events).toEqual([]);
});
