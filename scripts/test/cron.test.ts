import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startCron } from "../start/cron.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: new Date("2026-03-01T02:29:30Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

test("a trigger is fired at its time, in UTC, through the Worker's own door, until it is stopped", async () => {
  const sent: string[] = [];
  const stop = startCron({
    url: "http://127.0.0.1:8787",
    say: () => undefined,
    crons: ["30 2 * * *", "*/5 * * * *"],
    send: async (url) => sent.push(url.pathname + url.search),
  });
  await vi.advanceTimersByTimeAsync(29_000);
  expect(sent).toEqual([]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(sent.toSorted()).toEqual([
    "/cdn-cgi/local/scheduled?cron=*%2F5+*+*+*+*",
    "/cdn-cgi/local/scheduled?cron=30+2+*+*+*",
  ]);
  stop();
  await vi.advanceTimersByTimeAsync(24 * 3_600_000);
  expect(sent).toHaveLength(2);
});

test("a call that gets no answer is told, and the next one is made", async () => {
  const said: string[] = [];
  let calls = 0;
  const stop = startCron({
    url: "http://127.0.0.1:8787",
    say: (line) => void said.push(line),
    crons: ["* * * * *"],
    send: async () => {
      calls += 1;
      throw new Error("fetch failed");
    },
  });
  await vi.advanceTimersByTimeAsync(121_000);
  stop();
  expect(calls).toBe(2);
  expect(said[0]).toBe("The schedule * * * * * was not run: fetch failed.");
});
