import { fail, type Result, type Scope, ScopeSchema } from "@shared/contracts";
import { parse } from "hono/utils/cookie";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import { z } from "zod";
import type { Actor } from "../../context.ts";
import type { AuthenticateOptions } from "./findCredential.ts";

/** The header Cloudflare Access adds for the origin, and the cookie it keeps in the browser. */
const HEADER = "cf-access-jwt-assertion";
const COOKIE = "CF_Authorization";
/** What somebody may do whom Access lets in, unless ACCESS_SCOPES says otherwise. */
const DEFAULT_SCOPES: readonly Scope[] = [
  "workspaces:read",
  "patches:read",
  "orders:read",
  "projects:read",
  "tasks:read",
];
const CLOCK_TOLERANCE_SECONDS = 5;

/** A person has an email, a service token a common name. */
const ClaimsSchema = z.object({
  exp: z.number(),
  email: z.string().min(1).max(320).optional(),
  common_name: z.string().min(1).max(320).optional(),
});

type KeySet = ReturnType<typeof createRemoteJWKSet>;
/** By team: a key set remembers its keys, and fetches them again when an unknown one signs. */
const keySets = new Map<string, KeySet>();

/** The team's address, and for whom its tokens must be; null where Access is not configured. */
function configurationOf(env: Env): { issuer: string; audience: string[] } | null {
  const team = env.ACCESS_TEAM_DOMAIN.trim().replace(/\/+$/, "");
  const audience = listOf(env.ACCESS_AUDIENCE);
  if (team === "" || audience.length === 0) return null;
  return { issuer: /^https?:\/\//.test(team) ? team : `https://${team}`, audience };
}

const listOf = (text: string): string[] =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

/** The JWT of Cloudflare Access in this request; null where it has none or Access is not configured. */
export function accessJwtOf(env: Env, headers: Headers): string | null {
  if (configurationOf(env) === null) return null;
  const cookies = headers.get("cookie");
  return headers.get(HEADER) ?? (cookies === null ? null : (parse(cookies, COOKIE)[COOKIE] ?? null));
}

/**
 * Whom Cloudflare Access let in: signature against the team's published keys, issuer, audience and times (RFC 7519).
 * Administrators stand in ACCESS_ADMINS by their email; everyone else has ACCESS_SCOPES. Errors: UNAUTHENTICATED.
 */
export async function authenticateAccess(
  env: Env,
  jwt: string,
  { log, now }: AuthenticateOptions,
): Promise<Result<{ actor: Actor }>> {
  const configuration = configurationOf(env);
  if (configuration === null) return fail("UNAUTHENTICATED", "Cloudflare Access is not in use here");
  const { issuer, audience } = configuration;
  let keys = keySets.get(issuer);
  if (keys === undefined) {
    keys = createRemoteJWKSet(new URL(`${issuer}/cdn-cgi/access/certs`), { timeoutDuration: 5_000 });
    keySets.set(issuer, keys);
  }
  try {
    const { payload } = await jwtVerify(jwt, keys, {
      issuer,
      audience,
      algorithms: ["RS256"],
      requiredClaims: ["exp", "iat"],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: now(),
    });
    const claims = ClaimsSchema.parse(payload);
    const id =
      claims.email === undefined ? claims.common_name && `service:${claims.common_name}` : `user:${claims.email}`;
    if (!id) return fail("UNAUTHENTICATED", "this Access token names nobody");
    const isAdministrator = claims.email !== undefined && listOf(env.ACCESS_ADMINS).includes(claims.email);
    return {
      ok: true,
      actor: {
        id,
        kind: "user",
        scopes: isAdministrator ? new Set<Scope>(["admin"]) : scopesOf(env),
        requesters: null,
        workspaceId: null,
        credential: { kind: "access", id, expiresAt: new Date(claims.exp * 1000).toISOString() },
      },
    };
  } catch (error) {
    // A refusal of the token is the caller's; that the keys cannot be had is not.
    const refused =
      error instanceof z.ZodError ||
      (error instanceof errors.JOSEError &&
        !(error instanceof errors.JWKSTimeout) &&
        error.code !== "ERR_JOSE_GENERIC");
    if (refused) return fail("UNAUTHENTICATED", "this Access token is not valid here");
    log.error("the keys of Cloudflare Access could not be read", { error, issuer });
    return fail("UNAUTHENTICATED", "the keys of Cloudflare Access cannot be read at the moment; try again", {
      retryable: true,
    });
  }
}

function scopesOf(env: Env): Set<Scope> {
  const listed = listOf(env.ACCESS_SCOPES).flatMap((name) => {
    const scope = ScopeSchema.safeParse(name);
    // What is no scope opens nothing.
    return scope.success ? [scope.data] : [];
  });
  return new Set(env.ACCESS_SCOPES.trim() === "" ? DEFAULT_SCOPES : listed);
}
