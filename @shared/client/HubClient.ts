import {
  ALERT_MESSAGE,
  fail,
  type HubAlert,
  type HubConnected,
  type HubMessage,
  type JsonObject,
  type RequestMessageType,
  type Result,
} from "@shared/contracts";
import ReconnectingWebSocket from "partysocket/ws";
import { type HubAnswer, readFrame, type StreamFrame } from "./hubFrames.ts";

export type HubState = "connecting" | "open" | "waiting" | "signed-out" | "closed";

export interface HubClientOptions {
  /** The orchestrator's base URL, http or https. */
  url: string;
  /**
   * How each socket shows whose it is: an API token, or a ticket asked for anew each time (`client.auth.ticket`). Absent:
   * the browser's session cookie.
   */
  token?: string;
  ticket?: (room: string) => Promise<Result<{ ticket: string }>>;
  /** `all` (default), `order:<id>` or `project:<id>`. */
  room?: string;
  filter?: { file?: string[]; op?: string[]; requester?: string[]; type?: string[] };
  /** Where an earlier stream of this room stopped; the stream goes on from there. Absent: it begins now. */
  position?: HubPosition;
  /**
   * Each message of the stream, once and in order. One that gives a promise is waited for; while it works the server
   * sends at most a window ahead, and nothing is lost.
   */
  onMessage: (message: HubMessage) => void | Promise<void>;
  /** A gap: what was missed cannot be had any more. Reload your state; messages go on from here. */
  onReset: (connected: HubConnected) => void | Promise<void>;
  /** Each alert told in the room `all`, once and in its place among the messages. */
  onAlert?: (alert: HubAlert) => void | Promise<void>;
  /** How many sockets the room has, when that changes. */
  onPresence?: (count: number) => void;
  /** `signed-out` is final, as `closed` is: the session or token has ended. */
  onState?: (state: HubState) => void;
  /** A message this client does not understand, a socket that could not be made, or what `onMessage` threw. */
  onError?: (error: Error) => void;
  /** Default: the platform's. */
  WebSocket?: object;
  /** Milliseconds before the nth attempt in a row; the default grows to 30 s and is random, so that clients do not come back as one. */
  delay?: (attempt: number) => number;
  mintId?: () => string;
  /** How many messages may wait for `onMessage`. Beyond that they are let go of, and asked for again. */
  maxQueued?: number;
}

export interface HubPosition {
  epoch: string;
  offset: number;
}

type Queued =
  | { kind: "message"; message: HubMessage; position: HubPosition; characters: number }
  | { kind: "alert"; alert: HubAlert; position: HubPosition; characters: number }
  | { kind: "reset"; connected: HubConnected };

const PING_MS = 30_000;
const CONNECT_MS = 10_000;
/** Confirmed at the latest after so many messages, or characters; the server stops at 2,048 or 8 million. */
const ACK_MESSAGES = 256;
const ACK_CHARACTERS = 1_000_000;
/** More than the server sends ahead of a confirmation. */
const MAX_QUEUED = 4_096;
const MAX_PENDING = 32;
/** The server's close code where a session or token has ended. */
const SIGNED_OUT = 4401;

const growing = (attempt: number): number => Math.random() * Math.min(30_000, 500 * 2 ** Math.min(attempt, 6));

/**
 * A room's stream over as many sockets as it takes: it comes back with its place after each loss, so that every message
 * is given once and in order, or says that it cannot be (`onReset`). Protocol: docs/realtime.md.
 */
export class HubClient {
  readonly #options: HubClientOptions;
  readonly #socket: ReconnectingWebSocket;
  readonly #pending = new Map<string, (answer: Result<{ data: JsonObject }>) => void>();
  /** What came and waits for its turn with `onMessage`. */
  #queue: Queued[] = [];
  #working = false;
  /** The place of what `onMessage` has in hand. */
  #inHand: HubPosition | null = null;
  /** Up to where the stream has come, and up to where it has been given. */
  #received: HubPosition | null;
  #given: HubPosition | null;
  /** What was given since the last confirmation. */
  #unconfirmed = { messages: 0, characters: 0 };
  /** The server has said where this socket's stream begins. */
  #joined = false;
  #attempt = 0;
  #ended = false;
  /** The pause before the next attempt. */
  #waited: Promise<void> = Promise.resolve();
  #cancelWait: () => void = () => undefined;
  #ping: ReturnType<typeof setInterval> | null = null;
  #heard = true;

  constructor(options: HubClientOptions) {
    this.#options = options;
    this.#received = this.#given = options.position ?? null;
    this.#socket = new ReconnectingWebSocket(
      () => this.#address(),
      () => this.#protocols(),
      {
        ...(options.WebSocket === undefined ? {} : { WebSocket: options.WebSocket }),
        // The pause between attempts is this client's own, which is random; see #address.
        minReconnectionDelay: 0,
        maxReconnectionDelay: 0,
        connectionTimeout: CONNECT_MS,
        maxEnqueuedMessages: 0,
        shouldReconnectOnClose: ({ code }) => code !== SIGNED_OUT,
      },
    );
    this.#socket.addEventListener("open", () => this.#opened());
    this.#socket.addEventListener("message", ({ data }) => this.#receive(String(data)));
    this.#socket.addEventListener("close", ({ code }) => this.#lost(code));
    this.#socket.addEventListener("error", ({ message }) => this.#report(new Error(message || "the socket failed")));
  }

  /** The last message given, to go on from another time; null before the first socket was open. */
  get position(): HubPosition | null {
    return this.#given;
  }

  /** Asks the factory of an order; in an order's own room `orderId` may be left out. */
  request(type: RequestMessageType, payload: JsonObject = {}, orderId?: string): Promise<Result<{ data: JsonObject }>> {
    const { mintId = () => crypto.randomUUID() } = this.#options;
    if (!this.#joined) return Promise.resolve(fail("SHUTTING_DOWN", "not connected; try again"));
    if (this.#pending.size >= MAX_PENDING) {
      return Promise.resolve(fail("RATE_LIMITED", `${MAX_PENDING} requests still wait for their answer`));
    }
    const requestId = mintId();
    return new Promise((resolve) => {
      this.#pending.set(requestId, resolve);
      this.#send({ type, requestId, payload, ...(orderId === undefined ? {} : { orderId }) });
    });
  }

  /** Lets go of the socket and comes back, without a pause. */
  reconnect(): void {
    if (this.#ended) return;
    this.#attempt = 0;
    this.#cancelWait();
    this.#socket.reconnect();
  }

  /** Ends the stream for good. */
  close(): void {
    this.#end("closed");
  }

  #end(state: "closed" | "signed-out"): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelWait();
    this.#socket.close(1000);
    this.#release();
    this.#options.onState?.(state);
  }

  /** Where to connect, once this attempt's pause is over. */
  async #address(): Promise<string> {
    const { delay = growing, url, room = "all", filter = {}, onPresence } = this.#options;
    if (this.#attempt > 0) await this.#wait(delay(this.#attempt));
    this.#attempt += 1;
    if (!this.#ended) this.#options.onState?.("connecting");
    const address = new URL("/ws", url.replace(/^http/, "ws"));
    address.searchParams.set("room", room);
    address.searchParams.set("acks", "1");
    if (onPresence !== undefined) address.searchParams.set("presence", "1");
    for (const [name, values] of Object.entries(filter)) {
      for (const value of values ?? []) address.searchParams.append(name, value);
    }
    if (this.#received !== null) {
      address.searchParams.set("epoch", this.#received.epoch);
      address.searchParams.set("offset", String(this.#received.offset));
    }
    return address.href;
  }

  async #protocols(): Promise<string[]> {
    const { token, ticket, room = "all" } = this.#options;
    if (token !== undefined) return ["vibehq", `bearer.${token}`];
    if (ticket === undefined) return ["vibehq"];
    // Asked for beside the pause, it would be over by the end of a long one.
    await this.#waited;
    const answer = await ticket(room);
    if (answer.ok) return ["vibehq", `ticket.${answer.ticket}`];
    const { code, retryable, message } = answer.error;
    if (!retryable && (code === "UNAUTHENTICATED" || code === "FORBIDDEN")) this.#end("signed-out");
    throw new Error(message);
  }

  #wait(ms: number): Promise<void> {
    this.#options.onState?.("waiting");
    this.#waited = new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#cancelWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    return this.#waited;
  }

  #opened(): void {
    this.#heard = true;
    this.#stopPing();
    this.#ping = setInterval(() => {
      // A connection that went away without a word is noticed by its silence.
      if (!this.#heard) return this.reconnect();
      this.#heard = false;
      this.#socket.send("ping");
    }, PING_MS);
  }

  #receive(text: string): void {
    this.#heard = true;
    if (this.#ended || text === "pong") return;
    try {
      const frame = readFrame(text);
      if (frame.kind === "message") this.#take(frame.message, text.length);
      else if (frame.kind === "connected") this.#join(frame.connected);
      else if (frame.kind === "presence") this.#options.onPresence?.(frame.count);
      else this.#answer(frame.answer);
    } catch (error) {
      this.#report(error);
    }
  }

  #join(connected: HubConnected): void {
    this.#joined = true;
    this.#attempt = 0;
    this.#unconfirmed = { messages: 0, characters: 0 };
    const hadPosition = this.#received !== null;
    this.#received = { epoch: connected.epoch, offset: connected.offset };
    this.#options.onState?.("open");
    if (!connected.recovered) this.#enqueue({ kind: "reset", connected });
    else if (!hadPosition) this.#given = this.#received;
  }

  #take({ offset, prev, payload }: StreamFrame, characters: number): void {
    const received = this.#received;
    if (received === null || (prev ?? offset - 1) !== received.offset) {
      // Lost, which a socket never does: the stream itself is asked for what came between.
      return this.#socket.reconnect();
    }
    const position = { epoch: received.epoch, offset };
    this.#received = position;
    // Said, and passed over: asking for it again would bring the same.
    if (!payload.success) return this.#report(payload.error);
    const { data } = payload;
    const place = { offset, ...(prev === undefined ? {} : { prev }) };
    this.#enqueue(
      "event_type" in data
        ? { kind: "message", message: { type: data.event_type, ...place, payload: data }, position, characters }
        : { kind: "alert", alert: { type: ALERT_MESSAGE, ...place, payload: data }, position, characters },
    );
  }

  #enqueue(item: Queued): void {
    this.#queue.push(item);
    if (!this.#working) return void this.#work();
    if (this.#queue.length <= (this.#options.maxQueued ?? MAX_QUEUED)) return;
    // Let go of, not lost: they are asked for again from the last one that was begun.
    this.#queue = [];
    this.#received = this.#inHand ?? this.#given;
    this.#socket.reconnect();
  }

  /** Gives what is queued, one at a time and in order; without a pause while nothing has to be waited for. */
  async #work(): Promise<void> {
    this.#working = true;
    for (let item = this.#queue.shift(); item !== undefined; item = this.#queue.shift()) {
      const { epoch, offset } = item.kind === "reset" ? item.connected : item.position;
      this.#inHand = { epoch, offset };
      try {
        const working = this.#give(item);
        if (working !== undefined) await working;
      } catch (error) {
        this.#report(error);
      }
      this.#given = this.#inHand;
      if (item.kind !== "reset") this.#confirm(offset, item.characters);
      if (this.#ended) break;
    }
    this.#inHand = null;
    this.#working = false;
  }

  #give(item: Queued): void | Promise<void> {
    if (item.kind === "message") return this.#options.onMessage(item.message);
    return item.kind === "alert" ? this.#options.onAlert?.(item.alert) : this.#options.onReset(item.connected);
  }

  #confirm(offset: number, characters: number): void {
    const unconfirmed = this.#unconfirmed;
    unconfirmed.messages += 1;
    unconfirmed.characters += characters;
    if (!this.#joined || (unconfirmed.messages < ACK_MESSAGES && unconfirmed.characters < ACK_CHARACTERS)) return;
    this.#unconfirmed = { messages: 0, characters: 0 };
    this.#send({ type: "ack", offset });
  }

  #answer(answer: HubAnswer): void {
    if (answer.requestId === null) return;
    const resolve = this.#pending.get(answer.requestId);
    this.#pending.delete(answer.requestId);
    resolve?.(answer.result);
  }

  #lost(code: number): void {
    this.#release();
    if (code === SIGNED_OUT) this.#end("signed-out");
  }

  /** Requests without an answer get one: they may have reached their factory. */
  #release(): void {
    this.#joined = false;
    this.#stopPing();
    for (const resolve of this.#pending.values()) {
      resolve(fail("FACTORY_UNAVAILABLE", "the connection was lost before the answer", { nothingWritten: null }));
    }
    this.#pending.clear();
  }

  #stopPing(): void {
    if (this.#ping !== null) clearInterval(this.#ping);
    this.#ping = null;
  }

  #send(frame: object): void {
    this.#socket.send(JSON.stringify(frame));
  }

  #report(error: unknown): void {
    this.#options.onError?.(error instanceof Error ? error : new Error(String(error)));
  }
}
