import type { LogEntry, PatchEvent } from "@shared/contracts";
import type { Engine } from "../index.ts";
import { diffPath } from "../workspace/outcome.ts";
import type { ReportTarget } from "./reportInBackground.ts";
import { tellEntries, type Flushed } from "./tell.ts";

/**
 * What an engine that stands alone tells the orchestrator: each entry of its log with the events it stands for, in
 * order, from a cursor that moves only when they were taken. The receiver knows entries again, so a report that was
 * taken but whose answer was lost is sent once more without harm.
 */

/** One request stays well under what the orchestrator takes. */
const MAX_BYTES = 4 * 1024 * 1024;
const TIMEOUT_MS = 10_000;

/** Reports all entries after the cursor. */
export const flushReports = (
  engine: Engine,
  root: string,
  workspaceId: string,
  target: ReportTarget,
): Promise<Flushed> =>
  tellEntries(engine, root, {
    name: "report",
    fitting: withinBytes,
    tell: (entries) => post(target, { workspaceId, events: entries.flatMap(eventsOf), entries }),
  });

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
