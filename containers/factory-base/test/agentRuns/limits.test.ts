import { describe, expect, test } from "vitest";
import { eventsPage, hostWithAgent, leftOfRuns, processesWith, runToEnd, textOf } from "../support/agents.ts";

/** A number that stands in no other process's command line. */
const unique = (): string => `9${Math.floor(Math.random() * 1e8)}.5`;

describe("an agent that goes over a limit ends in that limit's class, with nothing to apply", () => {
  test("disk: one file, or many", async () => {
    const limits = { diskBytes: 2_000_000 };
    const one = await hostWithAgent("echo x >> src/a.ts; dd if=/dev/zero of=big bs=1M count=1024; sleep 0.1");
    expect((await runToEnd(one, { limits })).result).toMatchObject({ class: "disk-limit", diff: null });
    const many = await hostWithAgent("for i in $(seq 1 100000); do head -c 100000 /dev/zero > $HOME/f$i; done");
    expect((await runToEnd(many, { limits })).result).toMatchObject({ class: "disk-limit", diff: null });
  });

  test("time: it never ends, and does not listen", async () => {
    const mark = unique();
    const host = await hostWithAgent(`trap '' TERM; echo x >> src/a.ts; while true; do sleep ${mark}; done`);
    const { result } = await runToEnd(host, { limits: { timeoutMs: 1_000 } });
    expect(result).toMatchObject({ class: "timeout", diff: null });
    expect(await processesWith(mark)).toEqual([]);
  });

  test("processor time", async () => {
    const host = await hostWithAgent("while true; do :; done");
    expect((await runToEnd(host, { limits: { cpuSeconds: 1 } })).result).toMatchObject({ class: "cpu-limit" });
  });

  test("memory", async () => {
    const host = await hostWithAgent(
      `exec ${process.execPath} -e 'const b = []; setInterval(() => b.push(Buffer.alloc(2e7, 1)), 5)'`,
    );
    const { result } = await runToEnd(host, { limits: { memoryBytes: 300_000_000 } });
    expect(result).toMatchObject({ class: "memory-limit" });
  });

  test("processes: it forks, and what it forked is gone", async () => {
    const mark = unique();
    const host = await hostWithAgent(`for i in $(seq 1 300); do sleep ${mark} & done; wait`);
    const { result } = await runToEnd(host, { limits: { processes: 20 } });
    expect(result).toMatchObject({ class: "process-limit" });
    expect(await processesWith(mark)).toEqual([]);
  });

  test("output, which is cut where the limit is", async () => {
    const host = await hostWithAgent("echo x >> src/a.ts; yes 'a line of text' ");
    const { result, events } = await runToEnd(host, { limits: { outputBytes: 200_000 } });
    expect(result).toMatchObject({ class: "output-limit", diff: null });
    const told = events.reduce((sum, event) => sum + ("text" in event ? event.text.length : 0), 0);
    expect(told).toBeGreaterThan(100_000);
    // A line that was cut ends all the same.
    expect(told).toBeLessThanOrEqual(200_001);
    expect(Object.values(await leftOfRuns(host)).join("").length).toBeLessThan(400_000);
  });
});

test("much output is read in answers of bounded size, and whole", async () => {
  // Each of these bytes is six in JSON.
  const host = await hostWithAgent("echo x >> src/a.ts; head -c 1000000 /dev/zero");
  const { result, events } = await runToEnd(host);
  expect(result).toMatchObject({ class: "change" });
  expect(textOf(events).replaceAll(/[^\0]/gu, "")).toHaveLength(1_000_000);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  for (let after = 0; after < events.length;) {
    const page = await eventsPage(host, "run-1", after);
    expect(page.bytes).toBeLessThan(1_500_000);
    expect(page.events.length).toBeGreaterThan(0);
    after = page.events.at(-1)!.seq;
  }
});

describe("no process of a run outlives it", () => {
  test.each([
    ["in the background", (mark: string) => `sleep ${mark} & echo x >> src/a.ts`],
    ["in a session of its own", (mark: string) => `setsid sleep ${mark} & sleep 0.2; echo x >> src/a.ts`],
    ["forked twice", (mark: string) => `(setsid bash -c 'sleep ${mark} & disown' &) ; sleep 0.2; echo x >> src/a.ts`],
    ["holding its output", (mark: string) => `setsid sleep ${mark} 2>&1 & echo x >> src/a.ts`],
  ])("%s", async (_how, script) => {
    const mark = unique();
    const host = await hostWithAgent(script(mark));
    const { result } = await runToEnd(host);
    expect(result.class).toBe("change");
    expect(await processesWith(mark)).toEqual([]);
  });
});
