import type { ErrorCode } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type Actor, createContext } from "../../worker/context.ts";
import { SUBSCRIPTION_HEADER } from "../../worker/durable-objects/event-hub/subscription.ts";
import { connect } from "../../worker/services/hub/connect.ts";
import { tokenOfSubprotocol } from "../../worker/services/hub/subprotocol.ts";
import { actor, HubClient, records, upgrade } from "./hubClient.ts";

const join = (request: Request, who: Actor = actor(), settings: { ALLOWED_ORIGINS?: string } = {}) =>
  connect(createContext({ ...env, ...settings }, { actor: who }), request);
const codeOf = async (...args: Parameters<typeof join>): Promise<ErrorCode | "joined"> => {
  const result = await join(...args);
  if (!result.ok) return result.error.code;
  result.response.webSocket?.accept();
  return result.response.status === 101 ? "joined" : "INTERNAL";
};

describe("joining a room", () => {
  it("takes a WebSocket handshake and nothing else", async () => {
    expect(await codeOf(new Request("https://vibehq.test/ws?room=all"))).toBe("UPGRADE_REQUIRED");
    expect(await codeOf(upgrade("room=all"))).toBe("joined");
    expect(await codeOf(upgrade(""))).toBe("joined");
  });

  it.each([
    "room=none",
    "room=order:",
    "room=order:..%2Fx",
    `room=order:${"x".repeat(101)}`,
    "epoch=e",
    "offset=3",
    "epoch=e&offset=-1",
    "epoch=e&offset=1.5",
    "epoch=e&offset=x",
    `epoch=${"e".repeat(101)}&offset=1`,
    `file=${"x".repeat(1025)}`,
    Array.from({ length: 21 }, (_, i) => `file=${i}`).join("&"),
    Array.from({ length: 10 }, (_, i) => `file=${i}${"x".repeat(1000)}`).join("&"),
  ])("refuses %.60s", async (query) => {
    expect(await codeOf(upgrade(query))).toBe("VALIDATION_FAILED");
  });

  it("keeps as much of a filter as it accepts, over sends", async () => {
    const files = Array.from({ length: 7 }, (_, i) => `file=${i}${"x".repeat(1000)}`).join("&");
    const client = await HubClient.open(`room=project:long&${files}&file=src/a.ts`);
    await env.EVENT_HUB.getByName("project:long").deliver({ source: "default", records: records(1, 2) });
    await client.until(() => client.events.length === 2);
  });

  it("needs the scope to read patches", async () => {
    expect(await codeOf(upgrade("room=all"), actor(["orders:read"]))).toBe("FORBIDDEN");
    expect(await codeOf(upgrade("room=all"), actor(["admin"]))).toBe("joined");
  });

  it("lets a caller confined to a workspace into its order's room alone", async () => {
    const confined = actor(undefined, { workspaceId: "order:ORD-7" });
    expect(await codeOf(upgrade("room=order:ORD-7"), confined)).toBe("joined");
    for (const room of ["all", "order:ORD-8", "project:p"]) {
      expect(await codeOf(upgrade(`room=${room}`), confined)).toBe("FORBIDDEN");
    }
  });

  it("goes by where an order is worked on, not by whose name a workspace bears", async () => {
    await env.DB_PROJECTS.prepare(
      `INSERT INTO orders (id, title, factory, workspace_id, created_by, created_at, updated_at)
       VALUES ('ORD-moved', 't', 'ui-factory', 'elsewhere', 't', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z')`,
    ).run();
    const namesake = actor(undefined, { workspaceId: "order:ORD-moved" });
    expect(await codeOf(upgrade("room=order:ORD-moved"), namesake)).toBe("FORBIDDEN");
    const worker = actor(undefined, { workspaceId: "elsewhere" });
    expect(await codeOf(upgrade("room=order:ORD-moved"), worker)).toBe("joined");
  });

  it("lets browsers in from its own origin and the allowed ones", async () => {
    const from = (origin: string) => upgrade("room=all", { origin });
    const settings = { ALLOWED_ORIGINS: "https://mission.test, https://other.test" };
    expect(await codeOf(from("https://vibehq.test"))).toBe("joined");
    expect(await codeOf(from("https://mission.test"), actor(), settings)).toBe("joined");
    for (const origin of ["https://evil.test", "http://vibehq.test", "null", ""]) {
      expect(await codeOf(from(origin), actor(), settings)).toBe("FORBIDDEN");
    }
    for (const origin of ["https://mission.test", ""]) {
      expect(await codeOf(from(origin), actor(), { ALLOWED_ORIGINS: "" })).toBe("FORBIDDEN");
    }
  });

  it("believes nothing that outside headers or parameters say of the caller", async () => {
    const forged = encodeURIComponent(
      JSON.stringify({
        filter: null,
        position: null,
        acks: false,
        actor: { ...actor(), id: "token:root", scopes: ["admin"] },
      }),
    );
    const headers = { [SUBSCRIPTION_HEADER]: forged, "x-partykit-room": "all", "x-partykit-props": "{" };
    const result = await join(upgrade("room=project:forged&_pk=mine", headers), actor(["patches:read"]));
    const client = new HubClient((result.ok && result.response.webSocket) as WebSocket);
    await client.until(() => client.frames.length === 1);
    expect(client.connected.room).toBe("project:forged");
    client.send({ type: "deploy", requestId: "r", orderId: "ORD-1" });
    expect(await client.answerTo("r")).toMatchObject({ code: "FORBIDDEN" });
  });

  it("selects the subprotocol beside which a browser hands over its token", async () => {
    const offer = { "sec-websocket-protocol": "vibehq, bearer.vhq_abc-_1" };
    const result = await join(upgrade("room=all", offer));
    expect(result.ok && result.response.headers.get("sec-websocket-protocol")).toBe("vibehq");
    expect(tokenOfSubprotocol(new Headers(offer))).toBe("vhq_abc-_1");
    expect(tokenOfSubprotocol(new Headers({ "sec-websocket-protocol": "vibehq" }))).toBeNull();
    expect(tokenOfSubprotocol(new Headers())).toBeNull();
    const plain = await join(upgrade("room=all"));
    expect(plain.ok && plain.response.headers.get("sec-websocket-protocol")).toBeNull();
  });
});

describe("the hub itself", () => {
  it("answers what did not come through the door without a word of why", async () => {
    const hub = env.EVENT_HUB.getByName("project:door");
    const handshakes: Record<string, string>[] = [
      { upgrade: "websocket" },
      { upgrade: "websocket", [SUBSCRIPTION_HEADER]: "{" },
      { upgrade: "websocket", [SUBSCRIPTION_HEADER]: "%" },
      { upgrade: "websocket", "x-partykit-props": "{" },
    ];
    for (const headers of handshakes) {
      const answer = await hub.fetch("https://hub/", { headers });
      expect([answer.status, answer.webSocket, await answer.text()]).toEqual([500, null, ""]);
    }
    const plain = await hub.fetch("https://hub/");
    expect([plain.status, await plain.text()]).toEqual([426, ""]);
  });
});
