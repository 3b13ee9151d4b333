import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "../index.ts";
import { MISSION_CONTROL, WorkspaceLock } from "../workspace/WorkspaceLock.ts";
import type { Flushed } from "./tell.ts";

const FIRST_MS = 500;
const LONGEST_MS = 60_000;
/** With the pauses above: about ten minutes. Then the next edit's reporter begins anew. */
const TRIES = 16;

/**
 * How long to wait after a number of failures in a row, in milliseconds: doubling, up to a minute, and by chance
 * somewhere in the upper half, so that many that lost one orchestrator do not come back to it at once.
 */
export function pauseAfter(failures: number, random: number): number {
  const longest = Math.min(FIRST_MS * 2 ** (failures - 1), LONGEST_MS);
  return longest * (0.5 + random / 2);
}

/**
 * Flushes until nothing is left, with pauses between failures, unless a living process does so already: that one looks
 * at the log once more after it has let go, so whatever was logged before it was found at work is not left behind.
 */
export async function persistently(
  engine: Engine,
  root: string,
  lockName: string,
  flush: () => Promise<Flushed>,
): Promise<void> {
  for (;;) {
    const lock = await new WorkspaceLock(join(root, MISSION_CONTROL, lockName)).acquire(0);
    if (!lock.ok) return;
    let last: Flushed;
    try {
      let failures = 0;
      for (;;) {
        last = await flush();
        if (last.error === null) break;
        // Whatever was taken shows that someone is there again.
        failures = last.reported > 0 ? 1 : failures + 1;
        if (last.final || failures === TRIES) return;
        await sleep(pauseAfter(failures, Math.random()));
      }
    } finally {
      lock.release();
    }
    if ((await engine.entriesAfter(last.cursor, 1)).length === 0) return;
  }
}
