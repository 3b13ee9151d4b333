import { HubClient } from "@shared/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FILES, type HubStack, record, startHub, TOKEN } from "./hubStack.ts";

const CLIENTS = 200;
/** Every so many reads the whole stream; the others follow one file each, so that most of what they get has a `prev`. */
const WHOLE = 5;
const DISCONNECTS = 50;
const EVENTS = 5_000;
const BATCH = 25;
/** How far the stream may run ahead of the slowest: disconnects happen while it flows, not after it. */
const AHEAD = 75;
const SEED = 20_261_121;

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
const range = (to: number): number[] => Array.from({ length: to }, (_, i) => i + 1);

let hub: HubStack;
beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.stop());

/** Whoever waits for a condition looks again whenever anyone has got further. */
let moved = Promise.withResolvers<void>();
const wake = (): void => {
  moved.resolve();
  moved = Promise.withResolvers<void>();
};
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await moved.promise;
}

interface Reader {
  seen: number[];
  gaps: number;
  opened: number;
  expected: number[];
  client: HubClient;
}

/** Reads the stream from its beginning, and lets go of its socket when it has so many messages. */
function read(n: number, epoch: string, all: number[]): Reader {
  const isWhole = n % WHOLE === 0;
  const filter = isWhole ? {} : { file: [`src/${n % FILES}.ts`] };
  const expected = isWhole ? all : all.filter((offset) => offset % FILES === n % FILES);
  const random = randomOf(SEED + n);
  const disconnects = new Set<number>();
  while (disconnects.size < DISCONNECTS) disconnects.add(1 + random(expected.length - 1));
  const reader: Omit<Reader, "client"> = { seen: [], gaps: 0, opened: 0, expected };
  const client = new HubClient({
    url: hub.url,
    token: TOKEN,
    filter,
    position: { epoch, offset: 0 },
    delay: () => random(50),
    onMessage: ({ offset }) => {
      reader.seen.push(offset);
      if (disconnects.has(reader.seen.length)) client.reconnect();
      wake();
    },
    onReset: () => {
      reader.gaps += 1;
      wake();
    },
    onState: (state) => {
      if (state === "open") reader.opened += 1;
      wake();
    },
  });
  return Object.assign(reader, { client });
}

test(`${CLIENTS} clients see each of ${EVENTS} events once and in order, or are told of the gap, over ${DISCONNECTS} disconnects each, a hub that dies and a restart`, async () => {
  const first = Promise.withResolvers<string>();
  const scout = new HubClient({
    url: hub.url,
    token: TOKEN,
    onMessage: () => undefined,
    onReset: () => undefined,
    onState: () => scout.position !== null && first.resolve(scout.position.epoch),
    onPresence: () => scout.position !== null && first.resolve(scout.position.epoch),
  });
  const epoch = await first.promise;
  scout.close();

  const all = range(EVENTS);
  const readers = range(CLIENTS).map((n) => read(n, epoch, all));
  await until(() => readers.every(({ opened }) => opened > 0));

  const deathAt = Math.floor(EVENTS * 0.4);
  const restartAt = Math.floor(EVENTS * 0.7);
  let stored = 0;
  let died = 0;
  let restarted = 0;
  while (stored < EVENTS) {
    if (died === 0 && stored >= deathAt) {
      died = await hub.call("/test/crash").then(() => stored);
    }
    if (restarted === 0 && stored >= restartAt) {
      restarted = stored;
      await hub.restart();
    }
    // As a source does: what was not acknowledged is delivered again.
    const batch = range(EVENTS).slice(Math.max(0, stored - 3), stored + BATCH);
    stored = await hub.deliver(batch.map(record)).catch(() => stored);
    const isNear = ({ seen, expected }: Reader) => stored - (expected[seen.length] ?? EVENTS) < AHEAD;
    await until(() => readers.every(isNear));
  }
  const isDone = ({ seen, expected }: Reader) => seen.at(-1) === expected.at(-1);
  await until(() => readers.every(isDone));

  expect([died, restarted]).toEqual([expect.any(Number), expect.any(Number)]);
  expect(died).toBeGreaterThan(0);
  expect(restarted).toBeGreaterThan(died);
  for (const { seen, expected, gaps, opened, client } of readers) {
    client.close();
    // Storage outlived both, and the room keeps more than was missed: nobody may have had a gap.
    expect(gaps).toBe(0);
    expect(seen).toEqual(expected);
    expect(opened).toBeGreaterThan(DISCONNECTS);
  }
});
