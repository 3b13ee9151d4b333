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
