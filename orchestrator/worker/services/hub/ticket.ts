import { RoomSchema } from "@shared/contracts";
import { isSigned, signatureOf } from "../auth/secret.ts";

const PURPOSE = "ws-ticket";
/** How long a ticket may be used: enough to open a socket. */
export const TICKET_MS = 30_000;

export interface Ticket {
  id: string;
  room: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/**
 * A ticket names its room and its end and is signed, so that a made-up one is refused before any room is woken; whom it
 * admits stands in the room, under the ticket's id, until it is used. It fits where a subprotocol's name does.
 */
export function encodeTicket(env: Env, { id, room, expiresAt }: Ticket): string {
  const text = Buffer.from(JSON.stringify([id, room, expiresAt])).toString("base64url");
  return `${text}.${signatureOf(env, PURPOSE, text)}`;
}

/** The ticket, if it was signed here and is not over; else null. */
export function decodeTicket(env: Env, text: string, now: number): Ticket | null {
  const [body = "", signature = ""] = text.split(".");
  if (!isSigned(env, PURPOSE, body, signature)) return null;
  const [id, room, expiresAt]: unknown[] = JSON.parse(Buffer.from(body, "base64url").toString("utf8"));
  if (typeof id !== "string" || typeof expiresAt !== "number" || expiresAt <= now) return null;
  return { id, room: RoomSchema.parse(room), expiresAt };
}
