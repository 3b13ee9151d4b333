/**
 * A browser cannot set headers on a WebSocket. It may hand its token over as a second subprotocol beside this one,
 * which is the one the server selects: `new WebSocket(url, ["vibehq", "bearer." + token])`.
 */
export const SUBPROTOCOL = "vibehq";
const BEARER = "bearer.";

/** The token a handshake offers as the subprotocol `bearer.<token>`; null where it offers none. */
export function tokenOfSubprotocol(headers: Headers): string | null {
  const offered =
    headers
      .get("sec-websocket-protocol")
      ?.split(",")
      .map((name) => name.trim()) ?? [];
  const bearer = offered.find((name) => name.startsWith(BEARER));
  return bearer === undefined ? null : bearer.slice(BEARER.length);
}
