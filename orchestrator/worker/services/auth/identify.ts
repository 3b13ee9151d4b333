import { fail, type Result } from "@shared/contracts";
import type { Actor } from "../../context.ts";
import { tokenOfSubprotocol } from "../hub/subprotocol.ts";
import { accessJwtOf, authenticateAccess } from "./accessJwt.ts";
import { authenticate, tokenOfHeader } from "./authenticate.ts";
import { authenticateSession } from "./authenticateSession.ts";
import { sessionOfCookie } from "./cookie.ts";
import type { AuthenticateOptions } from "./findCredential.ts";

export interface Identity {
  actor: Actor;
  /** The browser added the credential by itself, so that a page of another origin may be behind the request. */
  ambient: boolean;
}

/**
 * Who makes this request: the bearer of a token, else whoever is signed in by cookie, else whom Cloudflare Access let in.
 * A token that is given and wrong is refused, whatever else comes with it. Errors: UNAUTHENTICATED, DATABASE_UNAVAILABLE.
 */
export async function identify(env: Env, request: Request, options: AuthenticateOptions): Promise<Result<Identity>> {
  const { headers } = request;
  const header = headers.get("authorization");
  const token = tokenOfHeader(header) ?? tokenOfSubprotocol(headers);
  if (token !== null) return withAmbience(await authenticate(env, token, options), false);
  if (header !== null) return fail("UNAUTHENTICATED", "send a token as Authorization: Bearer <token>");

  const session = sessionOfCookie(env, new URL(request.url), headers.get("cookie"));
  const signedIn =
    session === null
      ? fail("UNAUTHENTICATED", "send a token as Authorization: Bearer <token>, or sign in")
      : await authenticateSession(env, session, options);
  if (signedIn.ok || signedIn.error.code !== "UNAUTHENTICATED") return withAmbience(signedIn, true);

  const jwt = accessJwtOf(env, headers);
  return jwt === null ? signedIn : withAmbience(await authenticateAccess(env, jwt, options), true);
}

const withAmbience = (who: Result<{ actor: Actor }>, ambient: boolean): Result<Identity> =>
  who.ok ? { ok: true, actor: who.actor, ambient } : who;
