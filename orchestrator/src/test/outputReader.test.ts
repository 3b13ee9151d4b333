import type { AgentRunEvent } from "@shared/contracts";
import { expect, test } from "vitest";
import { OutputReader, type OutputState } from "../stream/OutputReader.ts";

const event = (seq: number): AgentRunEvent => ({
  seq,
  ts: "2026-01-01T00:00:00.000Z",
  type: "terminal_output",
  stream: "stdout",
  text: `${seq}\n`,
});

/** What is stored of an attempt, growing; every answer comes when the test lets it. */
class Store {
  stored = 0;
  ended = false;
  reads = 0;
  faults = 0;
  readonly page: number;
  constructor(page: number) {
    this.page = page;
  }
  read = async (after: number) => {
    this.reads += 1;
    await Promise.resolve();
    if (this.faults > 0) {
      this.faults -= 1;
      throw new Error("away");
    }
    const upTo = Math.min(this.stored, after + this.page);
    return {
      events: Array.from({ length: Math.max(0, upTo - after) }, (_, n) => event(after + n + 1)),
      next: Math.max(after, upTo),
      more: upTo < this.stored,
      ended: this.ended,
    };
  };
}

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
};
const seeded = (seed: number) => () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;

test("whatever the stream repeats, drops or swaps, each event is given once and in order", async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = seeded(seed);
    const store = new Store(1 + Math.floor(random() * 7));
    const given: number[] = [];
    let idle: () => void = () => undefined;
    const reader = new OutputReader({
      read: store.read,
      onEvents: async (events) => {
        given.push(...events.map(({ seq }) => seq));
        await turns(Math.floor(random() * 4));
      },
      onState: () => undefined,
      // Time passes when the test says so.
      wait: () => new Promise((resolve) => (idle = resolve)),
    });
    const done = reader.run();
    for (let step = 0; step < 80; step += 1) {
      const chance = random();
      if (chance < 0.5) store.stored += 1 + Math.floor(random() * 5);
      if (chance < 0.35) reader.hint(store.stored);
      else if (chance < 0.45) reader.hint(Math.floor(random() * (store.stored + 6)));
      else if (chance < 0.55) store.faults += 1;
      else if (chance < 0.65) idle();
      await turns(Math.floor(random() * 12));
    }
    store.ended = true;
    store.faults = 0;
    while (reader.next < store.stored) {
      idle();
      await turns(20);
    }
    idle();
    await turns(40);
    idle();
    await done;
    expect(given).toEqual(Array.from({ length: store.stored }, (_, n) => n + 1));
  }
});

test("a hint of what is never stored costs one more read, not one after the other", async () => {
  const store = new Store(10);
  store.stored = 3;
  const reader = new OutputReader({
    read: store.read,
    onEvents: () => undefined,
    onState: () => undefined,
    wait: () => new Promise(() => undefined),
  });
  void reader.run();
  await turns(50);
  const before = store.reads;
  reader.hint(99);
  await turns(200);
  expect(store.reads - before).toBeLessThanOrEqual(2);
  reader.stop();
});

test("it says when it is behind, level, failing and done, and reads nothing once it is stopped", async () => {
  const store = new Store(10);
  const states: OutputState["kind"][] = [];
  let idle: () => void = () => undefined;
  const reader = new OutputReader({
    read: store.read,
    onEvents: () => undefined,
    onState: ({ kind }) => states.push(kind),
    wait: () => new Promise((resolve) => (idle = resolve)),
  });
  store.faults = 1;
  const done = reader.run();
  await turns(20);
  idle();
  await turns(20);
  expect(states).toEqual(["reading", "failing", "live"]);
  reader.stop();
  await done;
  const { reads } = store;
  reader.hint(5);
  await turns(20);
  expect(store.reads).toBe(reads);
});
