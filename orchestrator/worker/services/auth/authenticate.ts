import { fail, type Result } from "@shared/contracts";
import type { Logger } from "@shared/worker-kit";
import type { Actor } from "../../context.ts";
import { databasesOf } from "../../database/client.ts";
import { hashOfToken, isSameDigest, prefixOfToken } from "./secret.ts";
import { type ApiTokenRow, tokenOfRow } from "./token.ts";
import { type TokenCache, tokenCache } from "./TokenCache.ts";

export interface AuthenticateOptions {
  log: Logger;
  now: () => Date;
  /** Keeps work alive after the answer: `ctx.waitUntil`. */
  background: (work: Promise<unknown>) => void;
  cache?: TokenCache;
}

const BEARER = /^Bearer +([\x21-\x7e]+) *$/i;
/** The longest credential looked at. */
const MAX_TOKEN = 512;

const unauthenticated = (message: string) => fail("UNAUTHENTICATED", message);

/** The token of an Authorization header (RFC 6750); null where it holds none. */
export const tokenOfHeader = (header: string | null | undefined): string | null =>
  BEARER.exec(header ?? "")?.[1] ?? null;

/**
 * Who holds this token. The bootstrap token of the environment is an administrator; every other stands in api_tokens,
 * read at most every 30 s and, while D1 does not answer, believed for at most 10 min after it was last read.
 * Errors: UNAUTHENTICATED (absent, unknown, expired, revoked), DATABASE_UNAVAILABLE (D1 down and never read here).
 */
export async function authenticate(
  env: Env,
  token: string | null,
  options: AuthenticateOptions,
): Promise<Result<{ actor: Actor }>> {
  if (token === null) return unauthenticated("send a token as Authorization: Bearer <token>");
  if (token.length > MAX_TOKEN) return unauthenticated("this token is not known");
  const hash = hashOfToken(token);
  if (env.BOOTSTRAP_TOKEN && isSameDigest(hash, hashOfToken(env.BOOTSTRAP_TOKEN))) {
    return {
      ok: true,
      actor: { id: "token:bootstrap", kind: "token", scopes: new Set(["admin"]), requesters: null, workspaceId: null },
    };
  }
  const prefix = prefixOfToken(token);
  if (prefix === null) return unauthenticated("this token is not known");

  const found = await findToken(env, prefix, options);
  if (!found.ok) return found;
  const { row } = found;
  if (row === null || !isSameDigest(hash, row.hash)) return unauthenticated("this token is not known");
  const stored = tokenOfRow(row);
  if (stored.revokedAt !== null) return unauthenticated("this token was revoked");
  if (stored.expiresAt !== null && stored.expiresAt <= options.now().toISOString()) {
    return unauthenticated("this token has expired");
  }
  return {
    ok: true,
    actor: {
      id: `token:${stored.id}`,
      kind: "token",
      scopes: new Set(stored.scopes),
      requesters: stored.requesters,
      workspaceId: stored.workspaceId,
    },
  };
}

async function findToken(
  env: Env,
  prefix: string,
  { log, now, background, cache = tokenCache }: AuthenticateOptions,
): Promise<Result<{ row: ApiTokenRow | null }>> {
  const nowMs = now().getTime();
  const cached = cache.get(prefix, nowMs);
  if (cached?.fresh) return { ok: true, row: cached.row };
  try {
    const db = databasesOf(env).ops;
    const row = await db.selectFrom("api_tokens").selectAll().where("prefix", "=", prefix).executeTakeFirst();
    if (row === undefined) return { ok: true, row: null };
    cache.set(prefix, row, nowMs);
    const used = db.updateTable("api_tokens").set({ last_used_at: now().toISOString() }).where("id", "=", row.id);
    background(used.execute().catch((error: unknown) => log.warn("the last use of a token was not noted", { error })));
    return { ok: true, row };
  } catch (error) {
    log.error("a token could not be read", { error, stale: cached !== null });
    if (cached) return { ok: true, row: cached.row };
    return fail("DATABASE_UNAVAILABLE", "tokens cannot be read at the moment; try again");
  }
}
