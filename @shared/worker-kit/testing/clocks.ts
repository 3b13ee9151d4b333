import type { Clock } from "../health/retrying.ts";

/** Limits in tests are odd numbers, so that they cannot be taken for waits. */
const isLimit = (ms: number): boolean => ms % 1000 !== 0;

/**
 * A clock for tests of what retries: waits between attempts are over at once and are noted; a limit on how long something
 * may take is never reached, or, where `late` says so, at once.
 */
export function testClock(late: (ms: number) => boolean = () => false): Clock & { waits: number[] } {
  let at = Date.parse("2026-01-01T00:00:00.000Z");
  const waits: number[] = [];
  return {
    waits,
    now: () => new Date(at),
    random: () => 0,
    sleep: async (ms) => {
      if (isLimit(ms) && !late(ms)) await new Promise(() => undefined);
      at += ms;
      if (!isLimit(ms)) waits.push(ms);
    },
  };
}
