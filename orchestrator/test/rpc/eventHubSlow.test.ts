import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { HUB_LIMITS, type HubLimits } from "../../worker/durable-objects/event-hub/Subscriber.ts";
import { STALE_MS } from "../../worker/services/auth/CredentialCache.ts";
import { actor, HubClient, record, records } from "./hubClient.ts";

let rooms = 0;
const freshRoom = (): string => `project:slow-${++rooms}`;
const hubOf = (room: string) => env.EVENT_HUB.getByName(room);
const limit = (room: string, limits: Partial<HubLimits>) =>
  runInDurableObject(hubOf(room), (hub) => {
    hub.limits = { ...HUB_LIMITS, ...limits };
  });
const deliver = (room: string, batch: ReturnType<typeof records>) =>
  hubOf(room).deliver({ source: "default", records: batch });
const large = (from: number, to: number) =>
  records(from, to, { meta: { requester: "agent", text: "x".repeat(1_000) } });
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe("what one socket may hold back is bounded", () => {
  it("in characters, where it confirms: it is sent no more until it has, and then the rest", async () => {
    const room = freshRoom();
    await limit(room, { ackCharacters: 10_000, chunk: 2 });
    const slow = await HubClient.open(`room=${room}&acks=1`);
    const fast = await HubClient.open(`room=${room}`);
    await deliver(room, large(1, 40));
    await fast.until(() => fast.events.length === 40);
    const held = slow.events.length;
    expect(held).toBeGreaterThan(4);
    expect(held).toBeLessThan(12);
    for (let at = held; at < 40; at = slow.offsets.at(-1)!) {
      slow.send({ type: "ack", offset: at });
      await slow.until(() => slow.offsets.at(-1)! > at);
    }
    expect(slow.offsets).toEqual(range(1, 40));
  });

  it("where it does not: it is closed with 1013, told what to do, and goes on where it stopped", async () => {
    const room = freshRoom();
    await limit(room, { unconfirmedCharacters: 10_000, chunk: 2 });
    const client = await HubClient.open(`room=${room}`);
    await deliver(room, large(1, 40));
    await client.until(() => client.closed !== null);
    expect(client.closed).toMatchObject({ code: 1013, reason: expect.stringMatching(/connect again/) });
    const seen = [...client.offsets];
    for (let position = client.position; seen.length < 40;) {
      const again = await HubClient.open(`room=${room}&${position}`);
      expect(again.connected.recovered).toBe(true);
      await again.until(() => again.closed !== null || again.offsets.at(-1) === 40);
      seen.push(...again.offsets);
      position = again.position;
    }
    expect(seen).toEqual(range(1, 40));
  });
});

describe("presence", () => {
  it("is in the first message, and then told to those who asked, once things are quiet", async () => {
    const room = freshRoom();
    await limit(room, { presenceMs: 20 });
    const watcher = await HubClient.open(`room=${room}&presence=1`);
    expect(watcher.connected).toMatchObject({ present: 1 });
    const others = await Promise.all(range(1, 5).map(() => HubClient.open(`room=${room}`)));
    expect(Math.max(...others.map((other) => (other.connected as { present?: number }).present ?? 0))).toBe(6);
    const counts = () =>
      watcher.raw.filter((text) => text.includes('"presence"')).map((text) => JSON.parse(text).count);
    await watcher.until(() => counts().at(-1) === 6);
    // Five came, in fewer tellings than that.
    expect(counts().length).toBeLessThan(5);
    for (const other of others.slice(0, 3)) other.close();
    await watcher.until(() => counts().at(-1) === 3);
    await deliver(room, [record(1)]);
    await watcher.until(() => watcher.events.length === 1);
    expect(others[4]!.raw.some((text) => text.includes('"presence"'))).toBe(false);
  });
});

describe("who may still be here", () => {
  const credential = { kind: "session" as const, id: "nobody's", expiresAt: null };

  it("cannot be looked up while D1 is down: all stay for ten minutes, as they do at every door, and no longer", async () => {
    const room = freshRoom();
    const client = await HubClient.open(`room=${room}`, actor(["patches:read"], { credential }));
    const start = Date.now();
    const reviewAt = async (ms: number) => {
      await runInDurableObject(hubOf(room), (hub) => {
        hub.now = () => start + ms;
        Object.defineProperty(hub, "env", {
          value: {
            ...env,
            DB_OPS: new Proxy(env.DB_OPS, {
              get: () => () => {
                throw new Error("D1_ERROR: unreachable");
              },
            }),
          },
        });
      });
      await runDurableObjectAlarm(hubOf(room));
    };
    await reviewAt(HUB_LIMITS.reviewMs);
    client.send("ping");
    await client.until(() => client.frames.at(-1)?.type === "pong");
    expect(client.closed).toBeNull();
    await reviewAt(STALE_MS + HUB_LIMITS.reviewMs);
    await client.until(() => client.closed !== null);
    expect(client.closed?.code).toBe(4401);
  });

  it("is looked up over hibernation too", async () => {
    const room = freshRoom();
    const gone = await HubClient.open(`room=${room}`, actor(["patches:read"], { credential }));
    const part = await HubClient.open(`room=${room}`, actor(["patches:read"]));
    await evictDurableObject(hubOf(room), { webSockets: "hibernate" });
    expect(await runDurableObjectAlarm(hubOf(room))).toBe(true);
    await gone.until(() => gone.closed !== null);
    expect(gone.closed?.code).toBe(4401);
    expect(part.closed).toBeNull();
  });
});
