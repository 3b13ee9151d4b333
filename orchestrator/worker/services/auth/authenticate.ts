import { fail, type Result } from "@shared/contracts";
import type { Actor } from "../../context.ts";
import { databasesOf } from "../../database/client.ts";
import { type CredentialCache, tokenCache } from "./CredentialCache.ts";
import { type AuthenticateOptions as Options, findCredential } from "./findCredential.ts";
import { BOOTSTRAP, hashOfToken, isBootstrap, isSameDigest, prefixOfToken } from "./secret.ts";
import { type ApiTokenRow, tokenOfRow } from "./token.ts";

export interface AuthenticateOptions extends Options {
  cache?: CredentialCache<ApiTokenRow>;
}

const BEARER = /^Bearer +([\x21-\x7e]+) *$/i;
/** The longest credential looked at. */
const MAX_TOKEN = 512;
const unauthenticated = (message: string) => fail("UNAUTHENTICATED", message);

/** The token of an Authorization header (RFC 6750); null where it holds none. */
export const tokenOfHeader = (header: string | null | undefined): string | null =>
  BEARER.exec(header ?? "")?.[1] ?? null;

/**
 * Who holds this token. The bootstrap token of the environment is an administrator; every other stands in api_tokens.
 * Errors: UNAUTHENTICATED (absent, unknown, expired, revoked), DATABASE_UNAVAILABLE.
 */
export async function authenticate(
  env: Env,
  token: string | null,
  options: AuthenticateOptions,
): Promise<Result<{ actor: Actor }>> {
  if (token === null) return unauthenticated("send a token as Authorization: Bearer <token>");
  if (token.length > MAX_TOKEN) return unauthenticated("this token is not known");
  const hash = hashOfToken(token);
  if (isBootstrap(env, hash)) {
    return {
      ok: true,
      actor: {
        id: `token:${BOOTSTRAP}`,
        kind: "token",
        scopes: new Set(["admin"]),
        requesters: null,
        workspaceId: null,
        credential: { kind: "token", id: BOOTSTRAP, expiresAt: null },
      },
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
      credential: { kind: "token", id: stored.id, expiresAt: stored.expiresAt },
    },
  };
}

function findToken(env: Env, prefix: string, options: AuthenticateOptions) {
  const db = databasesOf(env).ops;
  return findCredential(
    prefix,
    {
      cache: options.cache ?? tokenCache,
      read: (key) => db.selectFrom("api_tokens").selectAll().where("prefix", "=", key).executeTakeFirst(),
      noteUse: (row) =>
        db
          .updateTable("api_tokens")
          .set({ last_used_at: options.now().toISOString() })
          .where("id", "=", row.id)
          .execute(),
    },
    options,
  );
}
