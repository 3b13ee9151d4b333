import { type CustodyRecord, GENESIS_HASH, type JsonObject, type Scope } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { type Actor, createContext } from "../../worker/context.ts";
import { connect } from "../../worker/services/hub/connect.ts";

export const actor = (scopes: Scope[] = ["patches:read", "requests:write"], more: Partial<Actor> = {}): Actor => ({
  id: "token:watcher",
  kind: "token",
  scopes: new Set(scopes),
  requesters: null,
  workspaceId: null,
  ...more,
});

/** A frame as a client sees it. */
export interface Frame {
  type: string;
  offset?: number;
  prev?: number;
  room?: string;
  epoch?: string;
  recovered?: boolean;
  requestId?: string | null;
  code?: string;
  message?: string;
  data?: JsonObject;
  payload?: CustodyRecord;
}

/** A custody record of `workspace`; chain hashes are of no interest to the hub. */
export const record = (seq: number, more: Partial<CustodyRecord> = {}): CustodyRecord => ({
  v: 1,
  workspace_id: "default",
  seq,
  prev_hash: GENESIS_HASH,
  kind: "patch",
  event_type: "patch_applied",
  ts: "2026-01-01T00:00:00.000Z",
  actor: "token:agent",
  batch_id: "b-1",
  order_id: null,
  project_id: null,
  patch_id: `p-${seq}`,
  file: "src/a.ts",
  op: "append",
  task_id: null,
  ts_check_ok: null,
  diff_path: null,
  log: null,
  meta: { requester: "agent" },
  hash: GENESIS_HASH,
  ...more,
});
export const records = (from: number, to: number, more: Partial<CustodyRecord> = {}): CustodyRecord[] =>
  Array.from({ length: to - from + 1 }, (_, i) => record(from + i, more));

export const upgrade = (query: string, headers: Record<string, string> = {}): Request =>
  new Request(`https://vibehq.test/ws?${query}`, { headers: { upgrade: "websocket", ...headers } });

/** A client over a real socket. `frames` is all it was sent, in order. */
export class HubClient {
  readonly frames: Frame[] = [];
  readonly raw: string[] = [];
  closed: { code: number; reason: string } | null = null;
  readonly #socket: WebSocket;
  #changed = Promise.withResolvers<void>();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const text = String(data);
      this.raw.push(text);
      this.frames.push(text.startsWith("{") ? JSON.parse(text) : { type: text });
      this.#wake();
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
      this.#wake();
    });
    socket.accept();
  }

  static async open(query: string, who: Actor = actor()): Promise<HubClient> {
    const result = await connect(createContext(env, { actor: who }), upgrade(query));
    if (!result.ok && result.error.retryable) return HubClient.open(query, who);
    if (!result.ok) throw new Error(JSON.stringify(result.error));
    const client = new HubClient(result.response.webSocket!);
    await client.until(() => client.frames.length > 0);
    return client;
  }

  get connected(): Frame {
    return this.frames[0]!;
  }
  get events(): Frame[] {
    return this.frames.slice(1).filter((frame) => frame.offset !== undefined);
  }
  get offsets(): number[] {
    return this.events.map((frame) => frame.offset!);
  }
  /** Where to go on from: the last offset received. */
  get position(): string {
    return `epoch=${this.connected.epoch}&offset=${this.offsets.at(-1) ?? this.connected.offset}`;
  }

  send(message: unknown): void {
    this.#socket.send(
      typeof message === "string" || message instanceof ArrayBuffer ? message : JSON.stringify(message),
    );
  }
  close(): void {
    this.#socket.close(1000);
  }

  /** Resolves when the condition holds; the test's own time limit is the only clock. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#changed.promise;
  }
  async answerTo(requestId: string | null): Promise<Frame> {
    const find = () => this.frames.find((frame) => frame.requestId === requestId);
    await this.until(() => find() !== undefined);
    return find()!;
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
