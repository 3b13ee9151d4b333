import { ALERT_MESSAGE } from "@shared/contracts";
import type { Connection } from "partyserver";
import type { MessageLog, StoredMessage } from "./MessageLog.ts";
import { matches, type Filter, type SerializedActor } from "./subscription.ts";
import { TokenBucket } from "./TokenBucket.ts";

/** What a socket's attachment holds, and so what survives hibernation. */
export interface SubscriberState {
  readonly filter: Readonly<Filter> | null;
  readonly actor: Readonly<SerializedActor>;
  readonly acks: boolean;
  /** Absent in what an older hub has written. */
  readonly presence?: boolean;
  /** The offset up to which the stream has been read for this socket. */
  readonly at: number;
  /** The last offset sent on it, or where its stream began. Behind `at` by what its filter and its workspace left out. */
  readonly sent: number;
}

export interface HubLimits {
  /** How many messages a room keeps at least. */
  keep: number;
  /** For how long sends are gathered, in milliseconds. */
  windowMs: number;
  /** How many messages, and characters of JSON, one socket is given before the others have their turn. */
  chunk: number;
  chunkCharacters: number;
  /** How far, in offsets and in characters, a client that confirms may be behind what it was sent. */
  ackWindow: number;
  ackCharacters: number;
  /** How many characters a client that does not confirm is sent before it has to connect again. */
  unconfirmedCharacters: number;
  /** For how long it may stand still at that, in milliseconds, before it is closed. */
  stallMs: number;
  /** Inbound messages: at once, and a second in the long run. */
  burst: number;
  perSecond: number;
  /** Requests of one socket that a factory is still working on. */
  inFlight: number;
  /** For how long a factory may take to answer, in milliseconds. */
  factoryMs: number;
  /** How often it is looked up whether those who are here may still be, in milliseconds. */
  reviewMs: number;
  /** For how long changes of presence are gathered, in milliseconds. */
  presenceMs: number;
}

export const HUB_LIMITS: HubLimits = {
  keep: 10_000,
  windowMs: 50,
  chunk: 256,
  chunkCharacters: 1_000_000,
  ackWindow: 2048,
  ackCharacters: 8_000_000,
  unconfirmedCharacters: 64_000_000,
  stallMs: 30_000,
  burst: 40,
  perSecond: 10,
  inFlight: 8,
  factoryMs: 30_000,
  reviewMs: 30_000,
  presenceMs: 1_000,
};

/** Close codes beyond the usual ones: 1011 for a failure of this side, 1009 for a message too big. */
const TRY_AGAIN_LATER = 1013;

export type PumpOutcome = "current" | "behind" | "waiting" | "closed";

/** A message with its frame, which is made once for all sockets that get the whole stream. */
export interface Outgoing extends StoredMessage {
  frame?: string;
}

/** One socket of a room, and how far it has got. */
export class Subscriber {
  readonly connection: Connection<SubscriberState>;
  readonly bucket: TokenBucket;
  /** Requests a factory has not answered yet. */
  inFlight = 0;
  /** Refusals by the rate limit since the last message let through. */
  refused = 0;
  #state: SubscriberState;
  #acked: number;
  /** Characters of the stream sent on it, confirmed, and how many had been sent up to an offset. */
  #sentCharacters = 0;
  #confirmedCharacters = 0;
  readonly #marks: { offset: number; characters: number }[] = [];
  #waitingSince: number | null = null;

  constructor(connection: Connection<SubscriberState>, state: SubscriberState, limits: HubLimits, now: number) {
    this.connection = connection;
    this.#state = state;
    this.#acked = state.sent;
    this.bucket = new TokenBucket(limits.burst, limits.perSecond, now);
  }

  get state(): Readonly<SubscriberState> {
    return this.#state;
  }

  /** The client has everything up to here. What it was not sent it cannot confirm. */
  acknowledge(offset: number): void {
    this.#acked = Math.max(this.#acked, Math.min(offset, this.#state.sent));
    let passed = 0;
    for (const mark of this.#marks) {
      if (mark.offset > this.#acked) break;
      this.#confirmedCharacters = mark.characters;
      passed += 1;
    }
    this.#marks.splice(0, passed);
  }

  /** Sends text; false if the socket is broken, which closes it. */
  send(text: string): boolean {
    try {
      this.connection.send(text);
      return true;
    } catch {
      this.close(1011, "the socket is broken");
      return false;
    }
  }

  close(code: number, reason: string): void {
    try {
      this.connection.close(code, reason);
    } catch {
      // It is closed already, which is what was asked for.
    }
  }

  /**
   * Sends the next chunk of what this socket is due. How far it got is in its attachment before anything else runs:
   * a frame sent and its mark cannot come apart.
   */
  pump(log: MessageLog, read: (after: number) => Outgoing[], limits: HubLimits, now: number): PumpOutcome {
    const state = this.#state;
    if (state.at >= log.last) return "current";
    if (!log.reaches(state.at)) {
      this.close(TRY_AGAIN_LATER, "too far behind; connect again");
      return "closed";
    }
    const unconfirmed = this.#sentCharacters - this.#confirmedCharacters;
    // How much of this the network still holds the runtime does not say; it cannot be more.
    if (!state.acks && unconfirmed >= limits.unconfirmedCharacters) {
      this.close(TRY_AGAIN_LATER, "much was sent and nothing confirmed; connect again, or with acks=1");
      return "closed";
    }
    if (state.acks && (state.sent - this.#acked >= limits.ackWindow || unconfirmed >= limits.ackCharacters)) {
      this.#waitingSince ??= now;
      if (now - this.#waitingSince < limits.stallMs) return "waiting";
      this.close(TRY_AGAIN_LATER, "too slow; connect again");
      return "closed";
    }
    this.#waitingSince = null;

    const { filter } = state;
    const { workspaceId, scopes } = state.actor;
    const seesAlerts = scopes.includes("alerts:read") || scopes.includes("admin");
    const isWhole = filter === null && workspaceId === null;
    let { at, sent } = state;
    for (const message of read(at)) {
      at = message.offset;
      // An order's patches may go to several workspaces.
      if (workspaceId !== null && message.workspace !== workspaceId) continue;
      if (message.type === ALERT_MESSAGE && !seesAlerts) continue;
      if (filter !== null && !matches(filter, message)) continue;
      // Where nothing was left out before it, the frame is everyone's.
      const frame = isWhole && sent === at - 1 ? (message.frame ??= frameOf(message)) : frameOf(message, sent);
      if (!this.send(frame)) return "closed";
      this.#sentCharacters += frame.length;
      sent = at;
    }
    if (sent !== state.sent && state.acks) this.#marks.push({ offset: sent, characters: this.#sentCharacters });
    this.#state = { ...state, at, sent };
    this.connection.setState(this.#state);
    return at < log.last ? "behind" : "current";
  }
}

/** The message as contracts' `HubMessage`. Its payload is stored as JSON and goes out as it stands. */
const frameOf = ({ type, offset, body }: StoredMessage, prev?: number): string =>
  `{"type":${JSON.stringify(type)},"offset":${offset}${prev === undefined ? "" : `,"prev":${prev}`},"payload":${body}}`;
