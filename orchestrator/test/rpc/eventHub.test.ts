import type { CustodyRecord } from "@shared/contracts";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { HUB_LIMITS, type HubLimits } from "../../worker/durable-objects/event-hub/Subscriber.ts";
import { actor, HubClient, record, records } from "./hubClient.ts";

let rooms = 0;
const freshRoom = (): string => `order:ORD-${++rooms}`;
const hubOf = (room: string) => env.EVENT_HUB.getByName(room);
const deliver = (room: string, batch: CustodyRecord[], source = "default") =>
  hubOf(room).deliver({ source, records: batch });
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const limit = (room: string, limits: Partial<HubLimits>) =>
  runInDurableObject(hubOf(room), (hub) => {
    hub.limits = { ...HUB_LIMITS, ...limits };
  });
const stored = (room: string) =>
  runInDurableObject(hubOf(room), (_, state) =>
    state.storage.sql
      .exec<{ offset: number; seq: number }>("SELECT offset, seq FROM messages ORDER BY offset")
      .toArray(),
  );
/** Ends the instance at once, as a crash would; what was committed survives. */
const crash = (room: string) =>
  runInDurableObject(hubOf(room), (_, state) => state.abort("crash")).catch(() => undefined);

describe("a room's stream", () => {
  it("tells a client that asks for nothing where the stream stands, and then what happens, as it happened", async () => {
    const room = freshRoom();
    await deliver(room, records(1, 3));
    const client = await HubClient.open(`room=${room}`);
    expect(client.connected).toMatchObject({ type: "connected", room, offset: 3, recovered: true });
    expect(client.connected.epoch).toMatch(/./);

    await deliver(room, records(4, 6));
    await client.until(() => client.events.length === 3);
    expect(client.offsets).toEqual([4, 5, 6]);
    expect(client.events[0]).toEqual({ type: "patch_applied", offset: 4, payload: record(4) });
  });

  it("gives a client that comes back what it missed, once and in order, and goes on live", async () => {
    const room = freshRoom();
    const first = await HubClient.open(`room=${room}`);
    await deliver(room, records(1, 2));
    await first.until(() => first.events.length === 2);
    first.close();
    await deliver(room, records(3, 700));

    const second = await HubClient.open(`room=${room}&${first.position}`);
    expect(second.connected).toMatchObject({ offset: 2, recovered: true });
    await deliver(room, records(701, 705));
    await second.until(() => second.events.length >= 703);
    expect(second.offsets).toEqual(range(3, 705));
  });

  it("says recovered:false, and goes on live, for an unknown epoch, a trimmed offset and one in the future", async () => {
    const room = freshRoom();
    await limit(room, { keep: 20 });
    for (let seq = 1; seq <= 60; seq += 1) await deliver(room, [record(seq)]);
    const { epoch } = (await HubClient.open(`room=${room}`)).connected;
    const oldest = (await stored(room))[0]!.offset;
    expect(oldest).toBeGreaterThan(1);
    expect(oldest).toBeLessThanOrEqual(41);

    const clients = await Promise.all(
      [`epoch=unknown&offset=59`, `epoch=${epoch}&offset=${oldest - 2}`, `epoch=${epoch}&offset=61`].map((position) =>
        HubClient.open(`room=${room}&${position}`),
      ),
    );
    for (const client of clients) expect(client.connected).toMatchObject({ offset: 60, recovered: false, epoch });
    const edge = await HubClient.open(`room=${room}&epoch=${epoch}&offset=${oldest - 1}`);
    expect(edge.connected).toMatchObject({ recovered: true });

    await deliver(room, [record(61)]);
    for (const client of clients) {
      await client.until(() => client.events.length > 0);
      expect(client.offsets).toEqual([61]);
    }
    await edge.until(() => edge.offsets.at(-1) === 61);
    expect(edge.offsets).toEqual(range(oldest, 61));
  });

  it("keeps its epoch over a crash and mints another when its storage is lost", async () => {
    const room = freshRoom();
    await deliver(room, records(1, 2));
    const before = (await HubClient.open(`room=${room}`)).connected.epoch;
    await crash(room);
    expect((await HubClient.open(`room=${room}`)).connected.epoch).toBe(before);
    await runInDurableObject(hubOf(room), (_, state) => state.storage.deleteAll());
    await crash(room);
    const lost = await HubClient.open(`room=${room}&epoch=${before}&offset=2`);
    expect(lost.connected).toMatchObject({ recovered: false, offset: 0 });
    expect(lost.connected.epoch).not.toBe(before);
  });

  it("has nothing to do with another room", async () => {
    const [a, b] = [freshRoom(), freshRoom()];
    const [watcherA, watcherB] = await Promise.all([HubClient.open(`room=${a}`), HubClient.open(`room=${b}`)]);
    await deliver(a, records(1, 2));
    await deliver(b, records(9, 9));
    await watcherA.until(() => watcherA.events.length === 2);
    await watcherB.until(() => watcherB.events.length === 1);
    expect(watcherA.offsets).toEqual([1, 2]);
    expect(watcherB.events.map((frame) => [frame.offset, frame.payload?.seq])).toEqual([[1, 9]]);
    expect(watcherA.connected.epoch).not.toBe(watcherB.connected.epoch);
  });
});

describe("delivery", () => {
  it("stores each record once, however often and in whatever pieces it is delivered, and leaves no hole", async () => {
    const room = freshRoom();
    const client = await HubClient.open(`room=${room}`);
    expect(await deliver(room, records(1, 5))).toEqual({ seq: 5 });
    expect(await deliver(room, records(1, 5))).toEqual({ seq: 5 });
    expect(await deliver(room, records(3, 8))).toEqual({ seq: 8 });
    const answers = await Promise.all([
      deliver(room, records(6, 12)),
      deliver(room, records(9, 14)),
      deliver(room, records(9, 14)),
    ]);
    expect(answers.at(-1)).toEqual({ seq: 14 });
    expect(await deliver(room, [])).toEqual({ seq: 14 });
    await deliver(room, records(1, 3, { workspace_id: "other" }), "other");

    expect(await stored(room)).toEqual([...range(1, 14), 1, 2, 3].map((seq, i) => ({ offset: i + 1, seq })));
    await client.until(() => client.events.length === 17);
    expect(client.offsets).toEqual(range(1, 17));
  });

  it("loses nothing when the object dies after it stored and before it sent", async () => {
    const room = freshRoom();
    // A window that no test outlives: what was stored is sent by whom comes after, or not at all.
    await limit(room, { windowMs: 3_600_000 });
    const client = await HubClient.open(`room=${room}`);
    const { position } = client;
    await deliver(room, records(1, 5));
    await crash(room);
    await client.until(() => client.closed !== null);
    expect(client.events).toEqual([]);

    expect(await deliver(room, records(4, 6))).toEqual({ seq: 6 });
    const again = await HubClient.open(`room=${room}&${position}`);
    await again.until(() => again.events.length === 6);
    expect(again.offsets).toEqual(range(1, 6));
    expect(again.connected.recovered).toBe(true);
  });

  it("sends what was stored when the alarm finds it unsent", async () => {
    const room = freshRoom();
    await limit(room, { windowMs: 3_600_000 });
    const client = await HubClient.open(`room=${room}`);
    await deliver(room, records(1, 5));
    expect(await runDurableObjectAlarm(hubOf(room))).toBe(true);
    await client.until(() => client.events.length === 5);
    expect(client.offsets).toEqual(range(1, 5));
  });

  it("sends a record too large to keep without its meta, and says so", async () => {
    const room = freshRoom();
    const client = await HubClient.open(`room=${room}`);
    await deliver(room, [record(1, { meta: { message: "x".repeat(400_000) } }), record(2)]);
    await client.until(() => client.events.length === 2);
    expect(client.events[0]?.payload).toEqual(record(1, { meta: { truncated: true } }));
  });
});

describe("hibernation", () => {
  it("keeps sockets, filters and places", async () => {
    const room = freshRoom();
    const all = await HubClient.open(`room=${room}`);
    const some = await HubClient.open(`room=${room}&file=b.ts`);
    await deliver(room, [record(1), record(2, { file: "b.ts" }), record(3)]);
    await all.until(() => all.events.length === 3);
    await some.until(() => some.events.length === 1);

    await evictDurableObject(hubOf(room), { webSockets: "hibernate" });
    await deliver(room, [record(4), record(5, { file: "b.ts" })]);
    await all.until(() => all.events.length === 5);
    await some.until(() => some.events.length === 2);
    expect(all.offsets).toEqual(range(1, 5));
    expect(some.events.map(({ offset, prev }) => [offset, prev])).toEqual([
      [2, 0],
      [5, 2],
    ]);
    expect(all.closed).toBeNull();
  });

  it("on waking sends what was stored and unsent when it began", async () => {
    const room = freshRoom();
    const client = await HubClient.open(`room=${room}`);
    await deliver(room, [record(1)]);
    await client.until(() => client.events.length === 1);
    // Stored beside the hub: the runtime waits for a pending timer, so no eviction can come between store and send.
    await runInDurableObject(hubOf(room), async (_, state) => {
      await state.storage.deleteAlarm();
      state.storage.sql.exec(
        "INSERT INTO messages SELECT 2, workspace, 2, type, file, op, requester, body FROM messages WHERE offset = 1",
      );
    });
    await evictDurableObject(hubOf(room), { webSockets: "hibernate" });
    // Anything wakes it: here a delivery that changes nothing.
    await deliver(room, [record(1)]);
    await client.until(() => client.events.length === 2);
    expect(client.offsets).toEqual([1, 2]);
  });

  it("answers a ping without waking", async () => {
    const client = await HubClient.open(`room=${freshRoom()}`);
    client.send("ping");
    await client.until(() => client.frames.length === 2);
    expect(client.frames[1]).toEqual({ type: "pong" });
  });
});

describe("filters", () => {
  const batch = [
    record(1, { file: "a.ts" }),
    record(2, { file: "b.ts", op: "create-file" }),
    record(3, { file: "a.ts", event_type: "patch_failed", meta: { requester: "ui" } }),
    record(4, { kind: "phase", event_type: "phase_validated", file: null, op: null, patch_id: null, meta: {} }),
    record(5, { file: "a.ts" }),
  ];

  it.each([
    ["file=a.ts", [1, 3, 5]],
    ["file=a.ts&file=b.ts", [1, 2, 3, 5]],
    ["op=create-file", [2]],
    ["requester=ui", [3]],
    ["type=patch_applied&file=a.ts", [1, 5]],
    ["type=phase_validated", [4]],
  ])("%s passes what it names, and prev tells what it left out from a gap", async (query, expected) => {
    const room = freshRoom();
    const client = await HubClient.open(`room=${room}&${query}`);
    const { position } = client;
    await deliver(room, batch);
    await client.until(() => client.events.length === expected.length);
    expect(client.offsets).toEqual(expected);
    let last = client.connected.offset;
    for (const frame of client.events) {
      expect(frame.prev).toBe(last);
      last = frame.offset;
    }
    const again = await HubClient.open(`room=${room}&${query}&${position}`);
    await again.until(() => again.events.length === expected.length);
    expect(again.raw.slice(1)).toEqual(client.raw.slice(1));
  });

  it("sends no prev where nothing is left out", async () => {
    const room = freshRoom();
    const client = await HubClient.open(`room=${room}`);
    await deliver(room, batch);
    await client.until(() => client.events.length === 5);
    expect(client.events.every((frame) => frame.prev === undefined)).toBe(true);
  });
});

describe("a slow client", () => {
  it("that confirms is sent no more than the window, others all, and goes on when it confirms", async () => {
    const room = freshRoom();
    await limit(room, { ackWindow: 10, chunk: 5 });
    const slow = await HubClient.open(`room=${room}&acks=1`);
    const fast = await HubClient.open(`room=${room}`);
    await deliver(room, records(1, 40));
    await fast.until(() => fast.events.length === 40);
    expect(slow.offsets).toEqual(range(1, 10));
    for (const offset of [10, 20, 30]) {
      slow.send({ type: "ack", offset });
      await slow.until(() => slow.events.length === offset + 10);
    }
    expect(slow.offsets).toEqual(range(1, 40));
  });

  it("that stands still too long, or falls behind what is kept, is closed and may connect again", async () => {
    const room = freshRoom();
    await limit(room, { ackWindow: 5, chunk: 5, stallMs: 0, keep: 10 });
    const stalled = await HubClient.open(`room=${room}&acks=1`);
    await deliver(room, records(1, 8));
    await stalled.until(() => stalled.closed !== null);
    expect(stalled.closed?.code).toBe(1013);
    expect(stalled.offsets).toEqual(range(1, 5));

    await limit(room, { windowMs: 3_600_000, keep: 10 });
    const behind = await HubClient.open(`room=${room}`);
    for (let seq = 9; seq < 60; seq += 1) await deliver(room, [record(seq)]);
    await runDurableObjectAlarm(hubOf(room));
    await behind.until(() => behind.closed !== null);
    expect(behind.closed?.code).toBe(1013);
    const again = await HubClient.open(`room=${room}&${behind.position}`, actor());
    expect(again.connected.recovered).toBe(false);
  });
});
