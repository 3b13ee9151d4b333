import type { Session } from "@shared/contracts";
import type { Databases } from "../../database/client.ts";
import { BOOTSTRAP, isBootstrap, isSameDigest } from "./secret.ts";
import { scopesOf } from "./token.ts";

/** A session with the token it was traded for; of the environment's own token the columns are null. */
export const sessionsWithTokens = (db: Databases) =>
  db.ops
    .selectFrom("sessions as s")
    .leftJoin("api_tokens as t", "t.id", "s.token_id")
    .select([
      "s.id",
      "s.actor",
      "s.token_id",
      "s.token_hash",
      "s.user_agent",
      "s.created_at",
      "s.expires_at",
      "s.last_used_at",
      "s.revoked_at",
      "t.hash as stored_hash",
      "t.scopes",
      "t.requesters",
      "t.workspace_id",
      "t.expires_at as token_expires_at",
      "t.revoked_at as token_revoked_at",
    ]);
export type SessionRow = Awaited<ReturnType<ReturnType<typeof sessionsWithTokens>["executeTakeFirstOrThrow"]>>;

/** Whether it still stands: neither it nor its token has ended. */
export function isAlive(env: Env, row: SessionRow, now: string): boolean {
  if (row.revoked_at !== null || row.expires_at <= now) return false;
  if (row.token_id === null) return isBootstrap(env, row.token_hash);
  return (
    row.stored_hash !== null &&
    isSameDigest(row.stored_hash, row.token_hash) &&
    row.token_revoked_at === null &&
    (row.token_expires_at === null || row.token_expires_at > now)
  );
}

export const sessionOfRow = (row: SessionRow, currentId: string | null): Session => ({
  id: row.id,
  actor: row.actor,
  scopes: row.token_id === null ? ["admin"] : scopesOf(row.scopes ?? "[]"),
  userAgent: row.user_agent,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
  revokedAt: row.revoked_at,
  current: row.id === currentId,
});

/** The `token_id` of a session that was signed in with this token. */
export const tokenIdOf = (credentialId: string): string | null => (credentialId === BOOTSTRAP ? null : credentialId);
