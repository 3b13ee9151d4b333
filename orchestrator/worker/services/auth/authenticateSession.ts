import { fail, type Result } from "@shared/contracts";
import type { Actor } from "../../context.ts";
import { databasesOf } from "../../database/client.ts";
import { type CredentialCache, sessionCache } from "./CredentialCache.ts";
import { type AuthenticateOptions, findCredential } from "./findCredential.ts";
import { isAlive, type SessionRow, sessionsWithTokens } from "./session.ts";
import { requestersOf, scopesOf } from "./token.ts";

/**
 * Who signed in as this session: the holder of its token, with what the token may do. Errors: UNAUTHENTICATED (ended, or
 * its token has), DATABASE_UNAVAILABLE.
 */
export async function authenticateSession(
  env: Env,
  id: string,
  options: AuthenticateOptions & { sessions?: CredentialCache<SessionRow> },
): Promise<Result<{ actor: Actor }>> {
  const db = databasesOf(env);
  const found = await findCredential(
    id,
    {
      cache: options.sessions ?? sessionCache,
      read: (key) => sessionsWithTokens(db).where("s.id", "=", key).executeTakeFirst(),
      noteUse: (row) =>
        db.ops
          .updateTable("sessions")
          .set({ last_used_at: options.now().toISOString() })
          .where("id", "=", row.id)
          .execute(),
    },
    options,
  );
  if (!found.ok) return found;
  const { row } = found;
  if (row === null || !isAlive(env, row, options.now().toISOString())) {
    return fail("UNAUTHENTICATED", "this session has ended; sign in again");
  }
  return {
    ok: true,
    actor: {
      id: row.actor,
      kind: "token",
      scopes: new Set(row.token_id === null ? ["admin"] : scopesOf(row.scopes ?? "[]")),
      requesters: requestersOf(row.requesters),
      workspaceId: row.workspace_id,
      credential: { kind: "session", id: row.id, expiresAt: row.expires_at },
    },
  };
}
