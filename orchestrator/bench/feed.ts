import { createHash } from "node:crypto";
import { createServer, request, type Server } from "node:http";
import type { CustodyRecord } from "@shared/contracts";
import { type WebSocket, WebSocketServer } from "ws";

/** What stands between the browser and the orchestrator in a measurement: everything passes, but `/ws` is this feed's. */
export interface Feed {
  url: string;
  /** Sends so many events a second for so long; answers with how many. Resolves when the last one is sent. */
  run(perSecond: number, milliseconds: number): Promise<number>;
  close(): Promise<void>;
}

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
const FACTORIES = ["agent-factory", "data-factory", "services-factory", "ui-factory"] as const;
const OPS = ["replace-block", "insert-after", "append", "search-replace", "create-file"] as const;
const FAILS_EACH = 17;

/** The nth event of a stream of patches: each is asked for, and then applied or refused, by one of many orders. */
function eventAt(index: number): CustodyRecord {
  const patch = Math.floor(index / 2);
  const isRequest = index % 2 === 0;
  const order = patch % 24;
  const failed = !isRequest && patch % FAILS_EACH === 0;
  return {
    v: 1,
    workspace_id: `order:ORD-${order}`,
    seq: Math.floor(patch / 24) * 2 + (isRequest ? 1 : 2),
    prev_hash: hash(`before ${index}`),
    kind: "patch",
    event_type: isRequest ? "patch_requested" : failed ? "patch_failed" : "patch_applied",
    ts: new Date().toISOString(),
    actor: `factory:${FACTORIES[order % 4] ?? "agent-factory"}`,
    batch_id: `batch-${Math.floor(patch / 4)}`,
    order_id: `ORD-${order}`,
    project_id: `PRJ-${order % 5}`,
    patch_id: `patch-${patch}`,
    file: `src/features/area-${patch % 40}/component-${patch % 400}.tsx`,
    op: OPS[patch % OPS.length] ?? "append",
    task_id: `task-${order}`,
    ts_check_ok: isRequest ? null : true,
    diff_path: null,
    log: null,
    meta: {
      requester: FACTORIES[order % 4] ?? "agent-factory",
      reason: "measured",
      lines_added: patch % 40,
      lines_removed: patch % 9,
      ...(failed
        ? { error: { code: "STALE_CONTENT", message: "the file has changed", retryable: false, nothingWritten: true } }
        : {}),
    },
    hash: hash(`event ${index}`),
  };
}

/** Frames go out every so many milliseconds, as the hub gathers them. */
const GATHER_MS = 50;

export async function startFeed(target: string): Promise<Feed> {
  const sockets = new Set<WebSocket>();
  const server: Server = createServer((incoming, outgoing) => {
    const passed = request(
      new URL(incoming.url ?? "/", target),
      { method: incoming.method, headers: { ...incoming.headers, host: new URL(target).host, origin: target } },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    passed.on("error", () => outgoing.destroy());
    incoming.pipe(passed);
  });
  const hub = new WebSocketServer({ server, path: "/ws", handleProtocols: () => "vibehq" });
  hub.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("message", (data) => {
      if (Buffer.isBuffer(data) && data.toString("utf8") === "ping") socket.send("pong");
    });
    socket.send(
      JSON.stringify({
        type: "connected",
        room: "all",
        epoch: "measured",
        offset: 0,
        recovered: true,
        present: 1,
        ts: new Date().toISOString(),
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;

  return {
    url: `http://127.0.0.1:${port}`,
    run: async (perSecond, milliseconds) => {
      const started = performance.now();
      const all = Math.round((perSecond * milliseconds) / 1_000);
      let sent = 0;
      await new Promise<void>((resolve) => {
        const timer = setInterval(() => {
          const due = Math.min(all, Math.round(((performance.now() - started) / 1_000) * perSecond));
          for (; sent < due; sent += 1) {
            const payload = eventAt(sent);
            const frame = JSON.stringify({ type: payload.event_type, offset: sent + 1, payload });
            for (const socket of sockets) socket.send(frame);
          }
          if (sent < all) return;
          clearInterval(timer);
          resolve();
        }, GATHER_MS);
      });
      return sent;
    },
    close: async () => {
      for (const socket of sockets) socket.terminate();
      hub.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
