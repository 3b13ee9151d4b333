import { join } from "node:path";
import type { LogEntry } from "@shared/contracts";
import type { Engine } from "../index.ts";
import { replaceFile } from "../transaction/files.ts";
import { MISSION_CONTROL, WorkspaceLock } from "../workspace/WorkspaceLock.ts";
import { eventsOf, readCursor, type Flushed } from "./report.ts";

/**
 * What a factory's own socket (`FACTORY_WS_URL`) is told beside the orchestrator: each event as
 * `{"type": "patch_applied" | "patch_reverted", "payload": the event}`, in the log's order. Best effort: nobody answers
 * on this socket, so events count as told once the other side has closed the connection in good order, which it does
 * after it has read them all. Told again are those of a connection that broke; `payload.log.seq` knows them.
 */

const CURSOR = "notify.cursor";
const MAX_ENTRIES = 50;
const TIMEOUT_MS = 10_000;

/** Tells all entries after this target's own cursor, which what becomes of the reports does not move. */
export async function flushNotifications(engine: Engine, root: string, url: string): Promise<Flushed> {
  const directory = join(root, MISSION_CONTROL);
  const lock = await new WorkspaceLock(join(directory, "notify.lock")).acquire(TIMEOUT_MS);
  if (!lock.ok) return { reported: 0, cursor: readCursor(directory, CURSOR), error: lock.error.message, final: false };
  try {
    let cursor = readCursor(directory, CURSOR);
    let reported = 0;
    for (;;) {
      const entries = await engine.entriesAfter(cursor, MAX_ENTRIES);
      const last = entries.at(-1);
      if (!last) return { reported, cursor, error: null, final: false };
      const failure = await send(url, entries);
      if (failure) return { reported, cursor, ...failure };
      cursor = last.seq;
      reported += entries.length;
      await replaceFile(directory, CURSOR, `${cursor}\n`);
    }
  } finally {
    lock.release();
  }
}

function send(url: string, entries: readonly LogEntry[]): Promise<{ error: string; final: boolean } | null> {
  let socket: WebSocket;
  try {
    socket = new WebSocket(url);
  } catch {
    return Promise.resolve({ error: "FACTORY_WS_URL is not the address of a WebSocket", final: true });
  }
  return new Promise((settle) => {
    const end = (error: string | null) => {
      clearTimeout(late);
      settle(error === null ? null : { error: `the factory's socket ${error}`, final: false });
    };
    const late = setTimeout(() => {
      end("did not answer in time");
      socket.close();
    }, TIMEOUT_MS);
    socket.addEventListener("open", () => {
      for (const event of entries.flatMap(eventsOf)) {
        socket.send(JSON.stringify({ type: event.event_type, payload: event }));
      }
      socket.close(1000);
    });
    socket.addEventListener("close", ({ wasClean }) => end(wasClean ? null : "broke off"));
    // Of a connection that never came about nothing else is told.
    socket.addEventListener("error", () => end("cannot be reached"));
  });
}
