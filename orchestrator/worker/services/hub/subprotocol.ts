/**
 * A browser cannot set headers on a WebSocket. It may hand over its token or a ticket as a second subprotocol beside this
 * one, which is the one the server selects: `new WebSocket(url, ["vibehq", "ticket." + ticket])`.
 */
export const SUBPROTOCOL = "vibehq";

const offered = (headers: Headers, kind: "bearer" | "ticket"): string | null => {
  const names = headers.get("sec-websocket-protocol")?.split(",") ?? [];
  const found = names.map((name) => name.trim()).find((name) => name.startsWith(`${kind}.`));
  return found === undefined ? null : found.slice(kind.length + 1);
};

/** The token a handshake offers as the subprotocol `bearer.<token>`; null where it offers none. */
export const tokenOfSubprotocol = (headers: Headers): string | null => offered(headers, "bearer");

/** The ticket a handshake offers as the subprotocol `ticket.<ticket>`; null where it offers none. */
export const ticketOfSubprotocol = (headers: Headers): string | null => offered(headers, "ticket");
