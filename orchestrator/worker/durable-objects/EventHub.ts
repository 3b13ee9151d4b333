import type { CustodyRecord, HubConnected } from "@shared/contracts";
import { type Connection, type ConnectionContext, Server, type WSMessage } from "partyserver";
import { loggerOf } from "../context.ts";
import { MessageLog } from "./event-hub/MessageLog.ts";
import { receive } from "./event-hub/requests.ts";
import {
  HUB_LIMITS,
  type HubLimits,
  type Outgoing,
  type PumpOutcome,
  Subscriber,
  type SubscriberState,
} from "./event-hub/Subscriber.ts";
import { decodeSubscription, SUBSCRIPTION_HEADER } from "./event-hub/subscription.ts";

/** If the timer of a gathering window is lost with the instance, this alarm sends what was due, this much later. */
const BACKSTOP_MS = 2_000;
/** How often a hub looks again at a client that is behind with its confirmations. */
const WAITING_MS = 1_000;
/** How many chunks one flush holds in memory. */
const MAX_CHUNKS = 8;

/**
 * A room: `all`, `order:<id>` or `project:<id>`, which is the object's name. It stores what it is delivered, answers,
 * and only then sends; a client that comes back with its epoch and offset gets what it missed.
 *
 * Every socket is a reader of the stored stream with a place of its own, kept in the socket's attachment. Connecting,
 * replay, live messages and waking from hibernation are therefore one and the same step: send what is after its place.
 */
export class EventHub extends Server {
  static override options = { hibernate: true };

  limits: HubLimits = HUB_LIMITS;
  now: () => number = () => Date.now();

  readonly #log: MessageLog;
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #admitted = new WeakSet<Request>();
  #timer: { handle: ReturnType<typeof setTimeout>; due: number } | null = null;
  #alarmSet = false;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#log = new MessageLog(ctx.storage, { mintEpoch: () => crypto.randomUUID(), keep: () => this.limits.keep });
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    for (const connection of this.getConnections<SubscriberState>()) {
      if (connection.state !== null) this.#register(connection, connection.state);
      else connection.close(1011, "connect again");
    }
    // What was stored and not sent when the last instance went to sleep.
    if (this.#isAnyBehind()) this.#schedule(0);
  }

  /**
   * Stores the records of one workspace, in ascending order of `seq` and going on from what was acknowledged before,
   * and answers with the last seq stored. A repeated or overlapping delivery changes nothing.
   */
  async deliver(batch: { source: string; records: CustodyRecord[] }): Promise<{ seq: number }> {
    const { seq, appended } = this.#log.append(batch.source, batch.records);
    if (appended > 0 && this.#subscribers.size > 0) {
      this.#schedule(this.limits.windowMs);
      // In the turn that stored them, so that the two become durable together.
      await this.#setBackstop();
    }
    return { seq };
  }

  /** The server's answer to a fault in session setup would carry the error's stack; this hub answers without a word. */
  override async fetch(request: Request): Promise<Response> {
    const response = await super.fetch(request);
    if (response.webSocket === null ? response.status < 500 : this.#admitted.has(request)) return response;
    return new Response(null, { status: 500 });
  }

  override onRequest(): Response {
    return new Response(null, { status: 426, headers: { upgrade: "websocket" } });
  }

  override onConnect(connection: Connection<SubscriberState>, { request }: ConnectionContext): void {
    try {
      const { filter, position, acks, actor } = decodeSubscription(request.headers.get(SUBSCRIPTION_HEADER) ?? "");
      const recovered = position === null || (position.epoch === this.#log.epoch && this.#log.reaches(position.offset));
      const offset = position !== null && recovered ? position.offset : this.#log.last;
      const state: SubscriberState = { filter, actor, acks, at: offset, sent: offset };
      connection.setState(state);
      const subscriber = this.#register(connection, state);
      const connected: HubConnected = {
        type: "connected",
        room: this.name,
        epoch: this.#log.epoch,
        offset,
        recovered,
        ts: new Date(this.now()).toISOString(),
      };
      subscriber.send(JSON.stringify(connected));
      if (offset < this.#log.last) this.#schedule(0);
      this.#admitted.add(request);
    } catch (error) {
      this.#report("a connection was not admitted", error);
      this.#drop(connection.id);
      connection.close(1011, "not admitted");
    }
  }

  override onMessage(connection: Connection<SubscriberState>, message: WSMessage): void {
    const subscriber = this.#subscribers.get(connection.id);
    if (subscriber === undefined) {
      connection.close(1011, "connect again");
      return;
    }
    // Not awaited by the handler: a factory may take its time, the next message may not.
    this.ctx.waitUntil(
      receive(subscriber, message, {
        env: this.env,
        room: this.name,
        limits: this.limits,
        now: this.now,
        mintId: () => crypto.randomUUID(),
        onAck: () => {
          if (subscriber.state.at < this.#log.last) this.#schedule(0);
        },
      }),
    );
  }

  override onClose(connection: Connection<SubscriberState>): void {
    this.#drop(connection.id);
  }

  override onError(connection: Connection<SubscriberState>, error: unknown): void {
    this.#report("a socket broke", error);
    this.#subscribers.get(connection.id)?.close(1011, "the socket is broken");
    this.#drop(connection.id);
  }

  override onAlarm(): void {
    this.#alarmSet = false;
    this.#flush();
  }

  #register(connection: Connection<SubscriberState>, state: SubscriberState): Subscriber {
    const subscriber = new Subscriber(connection, state, this.limits, this.now());
    this.#subscribers.set(connection.id, subscriber);
    return subscriber;
  }

  #drop(id: string): void {
    this.#subscribers.delete(id);
  }

  #isAnyBehind(): boolean {
    for (const { state } of this.#subscribers.values()) if (state.at < this.#log.last) return true;
    return false;
  }

  /** Makes the hub send in so many milliseconds, unless it will sooner. */
  #schedule(ms: number): void {
    const due = this.now() + ms;
    if (this.#timer !== null) {
      if (this.#timer.due <= due) return;
      clearTimeout(this.#timer.handle);
    }
    this.#timer = { due, handle: setTimeout(() => this.#flush(), ms) };
  }

  async #setBackstop(): Promise<void> {
    if (this.#alarmSet) return;
    this.#alarmSet = true;
    await this.ctx.storage.setAlarm(this.now() + BACKSTOP_MS);
  }

  /** Gives every socket its next chunk of what it is due, and comes back while any is due more. */
  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer.handle);
    this.#timer = null;
    // Sockets stand at few places, mostly one: each chunk is read and its frames are made once.
    const chunks = new Map<number, Outgoing[]>();
    const read = (after: number): Outgoing[] => {
      const known = chunks.get(after);
      if (known !== undefined) return known;
      const chunk = this.#log.after(after, this.limits.chunk, this.limits.chunkCharacters);
      if (chunks.size < MAX_CHUNKS) chunks.set(after, chunk);
      return chunk;
    };
    let again: number | null = null;
    const now = this.now();
    for (const [id, subscriber] of this.#subscribers) {
      const outcome = this.#pump(subscriber, read, now);
      if (outcome === "closed") this.#drop(id);
      else if (outcome === "behind") again = 0;
      else if (outcome === "waiting") again ??= WAITING_MS;
    }
    if (again === null) return;
    this.#schedule(again);
    this.ctx.waitUntil(this.#setBackstop());
  }

  /** What goes wrong with one socket ends that socket, and no other. */
  #pump(subscriber: Subscriber, read: (after: number) => Outgoing[], now: number): PumpOutcome {
    try {
      return subscriber.pump(this.#log, read, this.limits, now);
    } catch (error) {
      this.#report("a socket could not be served", error);
      subscriber.close(1011, "connect again");
      return "closed";
    }
  }

  #report(message: string, error: unknown): void {
    loggerOf(this.env).error(message, { room: this.name, error });
  }
}
