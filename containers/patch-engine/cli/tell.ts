import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LogEntry } from "@shared/contracts";
import type { Engine } from "../index.ts";
import { replaceFile } from "../transaction/files.ts";
import { isMissing } from "../workspace/systemError.ts";
import { MISSION_CONTROL, WorkspaceLock } from "../workspace/WorkspaceLock.ts";

const MAX_ENTRIES = 50;
const LOCK_TIMEOUT_MS = 10_000;

/** Who is told of the log's entries: `name` is that of its cursor and lock in `.mission_control/`. */
export interface Listener {
  name: "report" | "notify";
  /** How many of these entries go at once: all where it does not say. */
  fitting?(entries: LogEntry[]): LogEntry[];
  /** Null where they were taken. `final`: the same would fail again. */
  tell(entries: readonly LogEntry[]): Promise<{ error: string; final: boolean } | null>;
}

export interface Flushed {
  reported: number;
  /** The number of the last entry that was taken. */
  cursor: number;
  error: string | null;
  /** Whether the same would fail again: who is told refuses what is said, or who says it. */
  final: boolean;
}

/**
 * Tells a listener all entries after its own cursor, in order. The cursor moves only when they were taken; `error` says
 * why some were left.
 */
export async function tellEntries(engine: Engine, root: string, listener: Listener): Promise<Flushed> {
  const directory = join(root, MISSION_CONTROL);
  const file = `${listener.name}.cursor`;
  let cursor = readCursor(join(directory, file));
  // One at a time, or an older one would set the cursor back.
  const lock = await new WorkspaceLock(join(directory, `${listener.name}.lock`)).acquire(LOCK_TIMEOUT_MS);
  if (!lock.ok) return { reported: 0, cursor, error: lock.error.message, final: false };
  try {
    cursor = readCursor(join(directory, file));
    let reported = 0;
    for (;;) {
      const next = await engine.entriesAfter(cursor, MAX_ENTRIES);
      const entries = listener.fitting?.(next) ?? next;
      const last = entries.at(-1);
      if (!last) return { reported, cursor, error: null, final: false };
      const failure = await listener.tell(entries);
      if (failure) return { reported, cursor, ...failure };
      cursor = last.seq;
      reported += entries.length;
      await replaceFile(directory, file, `${cursor}\n`);
    }
  } finally {
    lock.release();
  }
}

/** The number of the last entry that was told; 0 before the first. */
function readCursor(path: string): number {
  try {
    const text = readFileSync(path, "utf8").trim();
    return /^[0-9]+$/u.test(text) ? Number(text) : 0;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}
