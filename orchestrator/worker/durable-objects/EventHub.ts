import type { Alert, CustodyRecord, HubConnected } from "@shared/contracts";
import { type Connection, type ConnectionContext, Server, type WSMessage } from "partyserver";
import { type Credential, createContext, loggerOf, systemActor } from "../context.ts";
import { STALE_MS } from "../services/auth/CredentialCache.ts";
import { keyOf, liveCredentials } from "../services/auth/liveCredentials.ts";
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
import { decodeSubscription, encodeSubscription, SUBSCRIPTION_HEADER } from "./event-hub/subscription.ts";
import { type KeptTicket, Tickets } from "./event-hub/Tickets.ts";

/** If the timer of a gathering window is lost with the instance, this alarm sends what was due, this much later. */
const BACKSTOP_MS = 2_000;
/** How often a hub looks again at a client that is behind with its confirmations. */
const WAITING_MS = 1_000;
/** How many chunks one flush holds in memory. */
const MAX_CHUNKS = 8;
/** Closes a socket whose credential has ended; like 401, it is no use to come back with the same. */
const SIGNED_OUT = 4401;

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
  readonly #tickets: Tickets;
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #admitted = new WeakSet<Request>();
  #timer: { handle: ReturnType<typeof setTimeout>; due: number } | null = null;
  #presenceTimer: ReturnType<typeof setTimeout> | null = null;
  /** When the alarm that this instance has set is due. */
  #alarmAt: number | null = null;
  /** When those who are here are looked up next, and when that last succeeded. */
  #reviewAt = 0;
  #reviewedAt: number;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, env);
    this.#log = new MessageLog(ctx.storage, { mintEpoch: () => crypto.randomUUID(), keep: () => this.limits.keep });
    this.#tickets = new Tickets(ctx.storage);
    this.#reviewedAt = this.now();
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
      await this.#wakeAt(this.now() + BACKSTOP_MS);
    }
    return { seq };
  }

  /** Stores an alert and sends it to all who may see every workspace. One that is known by its id changes nothing. */
  async announce(message: { id: string; alert: Alert }): Promise<{ appended: boolean }> {
    const appended = this.#log.announce(message.id, message.alert);
    if (appended && this.#subscribers.size > 0) {
      this.#schedule(this.limits.windowMs);
      await this.#wakeAt(this.now() + BACKSTOP_MS);
    }
    return { appended };
  }

  /** Keeps a ticket until it is used; who it admits is known by the door that made it. */
  keepTicket(ticket: KeptTicket): void {
    this.#tickets.keep(ticket, this.now());
  }

  /** The server's answer to a fault in session setup would carry the error's stack; this hub answers without a word. */
  override async fetch(outside: Request): Promise<Response> {
    const request = this.#redeem(outside);
    if (request === null) return new Response(null, { status: 401 });
    const response = await super.fetch(request);
    if (response.webSocket === null ? response.status < 500 : this.#admitted.has(request)) return response;
    return new Response(null, { status: 500 });
  }

  /** The request as that of whom its ticket admits, if it came with one; null where the ticket admits nobody. */
  #redeem(request: Request): Request | null {
    const header = request.headers.get(SUBSCRIPTION_HEADER);
    const subscription = header === null ? null : readSubscription(header);
    if (subscription === null || !("ticket" in subscription)) return request;
    const actor = this.#tickets.redeem(subscription.ticket, this.now());
    if (actor === null) return null;
    const { filter, position, acks, presence } = subscription;
    const admitted = encodeSubscription({ filter, position, acks, presence, actor });
    if (!admitted.ok) return null;
    const headers = new Headers(request.headers);
    headers.set(SUBSCRIPTION_HEADER, admitted.header);
    return new Request(request, { headers });
  }

  override onRequest(): Response {
    return new Response(null, { status: 426, headers: { upgrade: "websocket" } });
  }

  override onConnect(connection: Connection<SubscriberState>, { request }: ConnectionContext): void {
    try {
      const subscription = decodeSubscription(request.headers.get(SUBSCRIPTION_HEADER) ?? "");
      if (!("actor" in subscription)) throw new TypeError("a ticket was not redeemed");
      const { filter, position, acks, presence, actor } = subscription;
      const recovered = position === null || (position.epoch === this.#log.epoch && this.#log.reaches(position.offset));
      const offset = position !== null && recovered ? position.offset : this.#log.last;
      const state: SubscriberState = { filter, actor, acks, presence, at: offset, sent: offset };
      connection.setState(state);
      const subscriber = this.#register(connection, state);
      const connected: HubConnected = {
        type: "connected",
        room: this.name,
        epoch: this.#log.epoch,
        offset,
        recovered,
        present: this.#subscribers.size,
        ts: new Date(this.now()).toISOString(),
      };
      subscriber.send(JSON.stringify(connected));
      if (offset < this.#log.last) this.#schedule(0);
      this.#tellPresence();
      this.ctx.waitUntil(this.#wakeAt(this.now() + this.limits.reviewMs));
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

  override async onAlarm(): Promise<void> {
    this.#alarmAt = null;
    this.#flush();
    if (this.now() >= this.#reviewAt) await this.#review();
    if (this.#subscribers.size > 0) await this.#wakeAt(this.#reviewAt);
  }

  #register(connection: Connection<SubscriberState>, state: SubscriberState): Subscriber {
    const subscriber = new Subscriber(connection, state, this.limits, this.now());
    this.#subscribers.set(connection.id, subscriber);
    return subscriber;
  }

  #drop(id: string): void {
    if (this.#subscribers.delete(id)) this.#tellPresence();
  }

  /** Closes the sockets of those whose session or token has ended, by itself or by being revoked. */
  async #review(): Promise<void> {
    const now = this.now();
    this.#reviewAt = now + this.limits.reviewMs;
    const held = [...this.#subscribers].flatMap(([id, subscriber]) => {
      const { credential } = subscriber.state.actor;
      return credential === undefined ? [] : [{ id, subscriber, credential }];
    });
    const isLive = await this.#lookUp(held.map(({ credential }) => credential));
    for (const { id, subscriber, credential } of held) {
      const isOver = credential.expiresAt !== null && credential.expiresAt <= new Date(now).toISOString();
      if (!isOver && isLive(credential)) continue;
      subscriber.close(SIGNED_OUT, "your session or token has ended");
      this.#drop(id);
    }
  }

  /** Which credentials stand. While D1 does not answer all do, for as long as they do elsewhere, and then none. */
  async #lookUp(credentials: readonly Credential[]): Promise<(credential: Credential) => boolean> {
    const ctx = createContext(this.env, { actor: systemActor("hub"), now: () => new Date(this.now()) });
    try {
      const live = await liveCredentials(ctx, credentials);
      this.#reviewedAt = this.now();
      return (credential) => live.has(keyOf(credential));
    } catch (error) {
      this.#report("it could not be looked up who may still be here", error);
      return () => this.now() - this.#reviewedAt < STALE_MS;
    }
  }

  /** Tells those who want to know how many are here, once things have been quiet for a moment. */
  #tellPresence(): void {
    if (this.#presenceTimer !== null || ![...this.#subscribers.values()].some(({ state }) => state.presence)) return;
    this.#presenceTimer = setTimeout(() => {
      this.#presenceTimer = null;
      const told = JSON.stringify({ type: "presence", room: this.name, count: this.#subscribers.size });
      for (const subscriber of this.#subscribers.values()) if (subscriber.state.presence) subscriber.send(told);
    }, this.limits.presenceMs);
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

  /** Sees to it that the alarm comes by then. */
  async #wakeAt(at: number): Promise<void> {
    if (this.#alarmAt !== null && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    await this.ctx.storage.setAlarm(at);
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
    this.ctx.waitUntil(this.#wakeAt(this.now() + BACKSTOP_MS));
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

/** What the door has written; null for anything else, which is refused where a subscription is needed. */
function readSubscription(header: string): ReturnType<typeof decodeSubscription> | null {
  try {
    return decodeSubscription(header);
  } catch {
    return null;
  }
}
