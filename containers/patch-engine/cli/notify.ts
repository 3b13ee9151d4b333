import type { LogEntry } from "@shared/contracts";
import type { Engine } from "../index.ts";
import { eventsOf } from "./report.ts";
import { tellEntries, type Flushed } from "./tell.ts";

/**
 * What a factory's own socket (`FACTORY_WS_URL`) is told beside the orchestrator: each event as
 * `{"type": "patch_applied" | "patch_reverted", "payload": the event}`, in the log's order. Best effort: nobody answers
 * on this socket, so events count as told once the other side has closed the connection in good order, which it does
 * after it has read them all. Told again are those of a connection that broke; `payload.log.seq` knows them.
 */

const TIMEOUT_MS = 10_000;

/** Tells all entries after this target's own cursor, which what becomes of the reports does not move. */
export const flushNotifications = (engine: Engine, root: string, url: string): Promise<Flushed> =>
  tellEntries(engine, root, { name: "notify", tell: (entries) => send(url, entries) });

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
