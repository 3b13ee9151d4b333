import {
  CustodyRecordSchema,
  fail,
  type HubConnected,
  type HubMessage,
  JsonObjectSchema,
  type JsonObject,
  type RequestMessageType,
  type Result,
  VibeErrorSchema,
} from "@shared/contracts";
import { z } from "zod";

/** What of a WebSocket is used; the platform's own fits. */
export interface Socket {
  send(text: string): void;
  close(code?: number): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close", listener: () => void): void;
}

export interface HubClientOptions {
  /** The orchestrator's base URL, http or https. */
  url: string;
  token: string;
  /** `all` (default), `order:<id>` or `project:<id>`. */
  room?: string;
  filter?: { file?: string[]; op?: string[]; requester?: string[]; type?: string[] };
  /** Each message of the stream, once and in order. */
  onMessage: (message: HubMessage) => void;
  /** What was missed cannot be had any more: reload your state; messages go on from here. */
  onReset: (connected: HubConnected) => void;
  onState?: (state: "connecting" | "open" | "waiting" | "closed") => void;
  /** A message this client does not understand, or a socket that could not be made. */
  onError?: (error: Error) => void;
  open?: (url: string, protocols: string[]) => Socket | Promise<Socket>;
  /** Milliseconds before the nth attempt in a row; the default grows to 30 s and is random, so that clients do not come back as one. */
  delay?: (attempt: number) => number;
  mintId?: () => string;
}

const ConnectedSchema = z.object({
  type: z.literal("connected"),
  room: z.string(),
  epoch: z.string(),
  offset: z.number(),
  recovered: z.boolean(),
  ts: z.string(),
});
const MessageSchema = z.object({ offset: z.number(), prev: z.number().optional(), payload: CustodyRecordSchema });
const AnswerSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("accepted"), requestId: z.string(), data: JsonObjectSchema }),
  VibeErrorSchema.pick({ code: true, message: true, retryable: true, findings: true }).extend({
    type: z.literal("error"),
    requestId: z.string().nullable(),
  }),
]);

const PING_MS = 30_000;
const growing = (attempt: number): number => Math.random() * Math.min(30_000, 500 * 2 ** Math.min(attempt, 6));

/**
 * A room's stream over as many sockets as it takes: it comes back with its place after each loss, so that every message
 * is given once and in order, or says that it cannot be (`onReset`). Protocol: docs/realtime.md.
 */
export class HubClient {
  readonly #options: HubClientOptions;
  readonly #pending = new Map<string, (answer: Result<{ data: JsonObject }>) => void>();
  #position: { epoch: string; offset: number } | null = null;
  #socket: Socket | null = null;
  /** The server has said where this socket's stream begins. */
  #joined = false;
  #attempt = 0;
  #closed = false;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #ping: ReturnType<typeof setInterval> | null = null;

  constructor(options: HubClientOptions) {
    this.#options = options;
    void this.#connect();
  }

  /** Asks the factory of an order; in an order's own room `orderId` may be left out. */
  request(type: RequestMessageType, payload: JsonObject = {}, orderId?: string): Promise<Result<{ data: JsonObject }>> {
    const { mintId = () => crypto.randomUUID() } = this.#options;
    const requestId = mintId();
    const socket = this.#joined ? this.#socket : null;
    if (socket === null) return Promise.resolve(fail("SHUTTING_DOWN", "not connected; try again"));
    return new Promise((resolve) => {
      this.#pending.set(requestId, resolve);
      socket.send(JSON.stringify({ type, requestId, payload, ...(orderId === undefined ? {} : { orderId }) }));
    });
  }

  /** Ends the stream for good. */
  close(): void {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#release()?.close(1000);
    this.#options.onState?.("closed");
  }

  async #connect(): Promise<void> {
    const { token, onState, open = (url, protocols): Socket => new WebSocket(url, protocols) } = this.#options;
    onState?.("connecting");
    try {
      const socket: Socket = await open(this.#address(), ["vibehq", `bearer.${token}`]);
      if (this.#closed) return socket.close(1000);
      this.#socket = socket;
      // What comes from a socket that was given up is no longer of interest.
      socket.addEventListener("message", ({ data }) => {
        if (this.#socket === socket) this.#receive(String(data));
      });
      socket.addEventListener("close", () => {
        if (this.#socket === socket) this.#reconnect();
      });
      this.#ping = setInterval(() => socket.send("ping"), PING_MS);
    } catch (error) {
      this.#report(error);
      this.#reconnect();
    }
  }

  #address(): string {
    const { url, room = "all", filter = {} } = this.#options;
    const address = new URL("/ws", url.replace(/^http/, "ws"));
    address.searchParams.set("room", room);
    for (const [name, values] of Object.entries(filter)) {
      for (const value of values ?? []) address.searchParams.append(name, value);
    }
    if (this.#position !== null) {
      address.searchParams.set("epoch", this.#position.epoch);
      address.searchParams.set("offset", String(this.#position.offset));
    }
    return address.href;
  }

  #receive(text: string): void {
    if (text === "pong") return;
    try {
      const frame: unknown = JSON.parse(text);
      const message = MessageSchema.safeParse(frame);
      if (message.success) return this.#take(message.data);
      const answer = AnswerSchema.safeParse(frame);
      if (answer.success) return this.#answer(answer.data);
      this.#join(ConnectedSchema.parse(frame));
    } catch (error) {
      this.#report(error);
    }
  }

  #join(connected: HubConnected): void {
    this.#joined = true;
    this.#attempt = 0;
    this.#position = { epoch: connected.epoch, offset: connected.offset };
    this.#options.onState?.("open");
    if (!connected.recovered) this.#options.onReset(connected);
  }

  #take({ offset, prev, payload }: z.infer<typeof MessageSchema>): void {
    const position = this.#position;
    if (position === null || (prev ?? offset - 1) !== position.offset) {
      // Lost, which a socket never does: the stream itself is asked for what came between.
      this.#socket?.close(1000);
      return this.#reconnect();
    }
    this.#position = { epoch: position.epoch, offset };
    this.#options.onMessage({ type: payload.event_type, offset, ...(prev === undefined ? {} : { prev }), payload });
  }

  #answer(answer: z.infer<typeof AnswerSchema>): void {
    if (answer.requestId === null) return;
    const resolve = this.#pending.get(answer.requestId);
    this.#pending.delete(answer.requestId);
    if (answer.type === "accepted") return resolve?.({ ok: true, data: answer.data });
    const { code, message, retryable, findings } = answer;
    resolve?.(fail(code, message, { retryable, ...(findings === undefined ? {} : { findings }) }));
  }

  #reconnect(): void {
    this.#release();
    if (this.#closed) return;
    this.#attempt += 1;
    this.#options.onState?.("waiting");
    const { delay = growing } = this.#options;
    this.#retry = setTimeout(() => void this.#connect(), delay(this.#attempt));
  }

  /** Lets go of the socket. Requests without an answer get one: they may have reached their factory. */
  #release(): Socket | null {
    const socket = this.#socket;
    this.#socket = null;
    this.#joined = false;
    if (this.#ping !== null) clearInterval(this.#ping);
    this.#ping = null;
    for (const resolve of this.#pending.values()) {
      resolve(fail("FACTORY_UNAVAILABLE", "the connection was lost before the answer", { nothingWritten: null }));
    }
    this.#pending.clear();
    return socket;
  }

  #report(error: unknown): void {
    this.#options.onError?.(error instanceof Error ? error : new Error(String(error)));
  }
}
