import { CSRF_HEADER, fail, type Failed } from "@shared/contracts";

/** Whether a page of this origin may speak to us: our own, or one of ALLOWED_ORIGINS. */
export const isOriginAllowed = (env: Env, request: Request, origin: string): boolean =>
  origin === new URL(request.url).origin ||
  (origin !== "" && env.ALLOWED_ORIGINS.split(",").some((allowed) => allowed.trim() === origin));

/**
 * FORBIDDEN where a page of another origin may be behind a request whose credential the browser adds by itself (a cookie,
 * an Access session). What the browser says of the page is believed (`Origin`, Fetch Metadata): a page cannot forge it.
 * What changes state must carry the header `x-vibehq-csrf` too, which another origin cannot send without being allowed
 * to by a preflight, and none ever is.
 */
export function refuseForgery(env: Env, request: Request, changesState: boolean): Failed | null {
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  const isOurs =
    origin === null
      ? site === null || site === "same-origin" || site === "none"
      : isOriginAllowed(env, request, origin);
  if (!isOurs) return fail("FORBIDDEN", "a page of this origin may not use your session");
  if (changesState && request.headers.get(CSRF_HEADER) === null) {
    return fail("FORBIDDEN", `what changes something must carry the header ${CSRF_HEADER} beside the session's cookie`);
  }
  return null;
}

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * FORBIDDEN where a page of another origin sends a request, whatever credential it bears: what the Model Context Protocol
 * asks of a server. Over plain http a page counts as ours only on this machine's own names: a name that was bound anew to
 * this address (DNS rebinding) would else be its own origin.
 */
export function refuseForeignPage(env: Env, request: Request): Failed | null {
  const origin = request.headers.get("origin");
  if (origin === null) return null;
  const own = new URL(request.url);
  const isRebound = origin === own.origin && own.protocol !== "https:" && !LOOPBACK.has(own.hostname);
  return isOriginAllowed(env, request, origin) && !isRebound
    ? null
    : fail("FORBIDDEN", "a page of this origin may not speak to this endpoint");
}
