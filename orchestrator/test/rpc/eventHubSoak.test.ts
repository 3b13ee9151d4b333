import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { HubClient, record } from "./hubClient.ts";

/** xorshift32: the same run for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const EVENTS = 500;
const CLIENTS = 20;
const RECONNECTS = 10;
/** Every third event is of the file that filtered clients ask for. */
const LAST_OF_A = EVENTS - (EVENTS % 3);
const range = (to: number): number[] => Array.from({ length: to }, (_, i) => i + 1);

/** Reads to the last event over many connections, each ended after a random number of messages. */
async function read(query: string, epoch: string, last: number, random: (below: number) => number): Promise<number[]> {
  const seen: number[] = [];
  let client = await HubClient.open(`${query}&epoch=${epoch}&offset=0`);
  let at = client.connected.offset!;
  for (let reconnects = 0; ; reconnects += 1) {
    const stopAfter = reconnects < RECONNECTS ? 1 + random(80) : Number.POSITIVE_INFINITY;
    await client.until(
      () => client.closed !== null || client.events.length >= stopAfter || client.offsets.at(-1) === last,
    );
    client.close();
    // What a client has received up to the moment it lets go is what it goes on from.
    for (const { offset, prev } of client.events) {
      expect(prev ?? offset! - 1).toBe(at);
      at = offset!;
      seen.push(at);
    }
    if (at === last) return seen;
    client = await HubClient.open(`${query}&epoch=${epoch}&offset=${at}`);
    expect(client.connected).toMatchObject({ recovered: true, offset: at });
  }
}

it.each([1, 2])(
  "every client sees every event once, over random disconnects, crashes and repeated deliveries (seed %i)",
  { timeout: 60_000 },
  async (seed) => {
    const room = `order:SOAK-${seed}`;
    // A stub whose object died stays broken; a source, as every caller should, takes a fresh one for each call.
    const hub = () => env.EVENT_HUB.getByName(room);
    const random = randomOf(seed * 7919);
    const files = ["a.ts", "b.ts", "c.ts"];
    const stream = range(EVENTS).map((seq) => record(seq, { file: files[seq % 3]! }));

    const start = await HubClient.open(`room=${room}`);
    const epoch = start.connected.epoch!;
    const readers = range(CLIENTS).map((n) =>
      n % 4 === 0
        ? read(`room=${room}&file=a.ts${n === 4 ? "&acks=1" : ""}`, epoch, LAST_OF_A, randomOf(seed * 100 + n))
        : read(`room=${room}`, epoch, EVENTS, randomOf(seed * 100 + n)),
    );

    // A source's cursor: it goes on from what was acknowledged, sometimes from before, sometimes in two calls at once.
    let acknowledged = 0;
    while (acknowledged < EVENTS) {
      const begin = Math.max(0, acknowledged - random(4));
      const batch = stream.slice(begin, acknowledged + 1 + random(12));
      const calls = random(5) === 0 ? [batch, batch.slice(0, 3)] : [batch];
      if (random(12) === 0) await runInDurableObject(hub(), (_, state) => state.abort("crash")).catch(() => undefined);
      const answers = await Promise.allSettled(calls.map((records) => hub().deliver({ source: "default", records })));
      for (const answer of answers)
        if (answer.status === "fulfilled") acknowledged = Math.max(acknowledged, answer.value.seq);
      if (acknowledged === 0 || random(3) !== 0) continue;
      // Goes on when a socket was sent all of it: readers come and go while the stream flows, not after it.
      const pace = await HubClient.open(`room=${room}&epoch=${epoch}&offset=${acknowledged - 1}`);
      await pace.until(() => pace.offsets.at(-1) === acknowledged);
      pace.close();
    }

    const seen = await Promise.all(readers);
    for (const [i, offsets] of seen.entries())
      expect(offsets).toEqual(range(EVENTS).filter((n) => (i + 1) % 4 !== 0 || n % 3 === 0));
    const stored = await runInDurableObject(hub(), (_, state) =>
      state.storage.sql
        .exec<{ seq: number; offset: number }>("SELECT offset, seq FROM messages ORDER BY offset")
        .toArray(),
    );
    expect(stored).toEqual(range(EVENTS).map((n) => ({ offset: n, seq: n })));
  },
);
