import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LogEntry, PatchEvent } from "@shared/contracts";
import type { Engine } from "../index.ts";
import { replaceFile } from "../transaction/files.ts";
import { isMissing } from "../workspace/systemError.ts";
import { diffPath } from "../workspace/outcome.ts";
import { MISSION_CONTROL, WorkspaceLock } from "../workspace/WorkspaceLock.ts";
import type { ReportTarget } from "./reportInBackground.ts";

/**
 * What an engine that stands alone tells the orchestrator: each entry of its log with the events it stands for, in
 * order, from a cursor that moves only when they were taken. The receiver knows entries again, so a report that was
 * taken but whose answer was lost is sent once more without harm.
 */

const CURSOR = "report.cursor";
/** One request stays well under what the orchestrator takes. */
const MAX_ENTRIES = 50;
const MAX_BYTES = 4 * 1024 * 1024;
const TIMEOUT_MS = 10_000;

export interface Flushed {
  reported: number;
  /** The number of the last entry that was taken. */
  cursor: number;
  error: string | null;
  /** Whether the same would fail again: who is told refuses what is said, or who says it. */
  final: boolean;
}

/** Reports all entries after the cursor. `error` says why some were left; the cursor stands at the last one taken. */
export async function flushReports(
  engine: Engine,
  root: string,
  workspaceId: string,
  target: ReportTarget,
): Promise<Flushed> {
  const directory = join(root, MISSION_CONTROL);
  // One reporter at a time, or an older one would set the cursor back.
  const lock = await new WorkspaceLock(join(directory, "report.lock")).acquire(TIMEOUT_MS);
  if (!lock.ok) return { reported: 0, cursor: readCursor(directory, CURSOR), error: lock.error.message, final: false };
  try {
    let cursor = readCursor(directory, CURSOR);
    let reported = 0;
    for (;;) {
      const entries = withinBytes(await engine.entriesAfter(cursor, MAX_ENTRIES));
      const last = entries.at(-1);
      if (!last) return { reported, cursor, error: null, final: false };
      const failure = await post(target, { workspaceId, events: entries.flatMap(eventsOf), entries });
      if (failure) return { reported, cursor, ...failure };
      cursor = last.seq;
      reported += entries.length;
      await replaceFile(directory, CURSOR, `${cursor}\n`);
    }
  } finally {
    lock.release();
  }
}

/** The events an entry stands for, one a patch. */
export function eventsOf(entry: LogEntry): PatchEvent[] {
  const { seq, hash, treeAfter, ts, requester, reason, batchId, orderId, phase, door } = entry;
  return entry.patches.map((patch) => ({
    patch_id: patch.patch_id,
    file: patch.file,
    op: patch.op,
    task_id: patch.task_id,
    ts_check_ok: patch.ts_check_ok,
    diff_path: diffPath(entry, patch),
    ts,
    event_type: entry.kind === "revert" ? "patch_reverted" : "patch_applied",
    log: { seq, hash, treeAfter },
    meta: { requester, reason, batchId, orderId, phase, door },
  }));
}

function withinBytes(entries: LogEntry[]): LogEntry[] {
  let bytes = 0;
  const fitting = entries.findIndex((entry, at) => {
    bytes += Buffer.byteLength(JSON.stringify(entry));
    return at > 0 && bytes > MAX_BYTES;
  });
  return fitting === -1 ? entries : entries.slice(0, fitting);
}

async function post({ url, token }: ReportTarget, body: object): Promise<{ error: string; final: boolean } | null> {
  try {
    const response = await fetch(new URL("/api/patches/events", url), {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    const { ok, status } = response;
    // A request that is wrong stays wrong; a busy or absent orchestrator comes back.
    const final = status >= 400 && status < 500 && status !== 408 && status !== 409 && status !== 429;
    return ok ? null : { error: `the orchestrator answered ${status}`, final };
  } catch (error) {
    const timedOut = error instanceof Error && error.name === "TimeoutError";
    const what = timedOut ? "did not answer in time" : "cannot be reached";
    return { error: `the orchestrator ${what}`, final: false };
  }
}

/** The number of the last entry that a target was told; 0 before the first. */
export function readCursor(directory: string, name: string): number {
  try {
    const text = readFileSync(join(directory, name), "utf8").trim();
    return /^[0-9]+$/u.test(text) ? Number(text) : 0;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}
