import { parse, serialize } from "hono/utils/cookie";
import { isSigned, signatureOf } from "./secret.ts";

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
const PURPOSE = "session";

/** Browsers keep a Secure cookie off plain http, so a local instance goes without; any other address does not. */
const isSecure = (url: URL): boolean => url.protocol !== "http:" || !LOOPBACK.test(url.hostname);

/**
 * The cookie's name carries the instance, as the ports of one host share their cookies. `__Host-` (RFC 6265bis) keeps
 * other hosts of the domain from setting it.
 */
const nameOf = (env: Env, url: URL): string =>
  `${isSecure(url) ? "__Host-" : ""}vibehq-${env.INSTANCE.replaceAll(/[^A-Za-z0-9-]/g, "-")}`;

const attributesOf = (url: URL) => ({ path: "/", httpOnly: true, secure: isSecure(url), sameSite: "Strict" }) as const;

/** The Set-Cookie that signs a browser in. */
export const sessionCookie = (env: Env, url: URL, session: { id: string; expiresAt: string }): string =>
  serialize(nameOf(env, url), `${session.id}.${signatureOf(env, PURPOSE, session.id)}`, {
    ...attributesOf(url),
    expires: new Date(session.expiresAt),
  });

/** The Set-Cookie that removes it. */
export const clearedCookie = (env: Env, url: URL): string =>
  serialize(nameOf(env, url), "", { ...attributesOf(url), maxAge: 0 });

/** Whether a request was sent with the cookie, whatever it is worth. */
export const hasSessionCookie = (env: Env, url: URL, header: string | null): boolean =>
  header !== null && parse(header, nameOf(env, url))[nameOf(env, url)] !== undefined;

/** The session a request's cookie names; null where it has none, or one that was not signed here. */
export function sessionOfCookie(env: Env, url: URL, header: string | null): string | null {
  const name = nameOf(env, url);
  const value = header === null ? undefined : parse(header, name)[name];
  if (!value) return null;
  const at = value.lastIndexOf(".");
  const id = value.slice(0, Math.max(at, 0));
  return isSigned(env, PURPOSE, id, value.slice(at + 1)) ? id : null;
}
