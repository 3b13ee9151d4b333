import { sql } from "kysely";
import type { Credential, ServiceContext } from "../../context.ts";
import { BOOTSTRAP } from "./secret.ts";
import { isAlive, sessionsWithTokens } from "./session.ts";

export type CredentialRef = Pick<Credential, "kind" | "id">;

export const keyOf = ({ kind, id }: CredentialRef): string => `${kind}:${id}`;

/**
 * Those of these credentials that still stand, by `keyOf`. What is not kept here (the environment's own token, an Access
 * session) stands until it expires by itself. Rejects while D1 does not answer.
 */
export async function liveCredentials(ctx: ServiceContext, refs: readonly CredentialRef[]): Promise<Set<string>> {
  const now = ctx.now().toISOString();
  const idsOf = (kind: Credential["kind"]) => [...new Set(refs.filter((ref) => ref.kind === kind).map(({ id }) => id))];
  const [tokens, sessions] = await Promise.all([
    liveTokens(ctx, idsOf("token"), now),
    liveSessions(ctx, idsOf("session"), now),
  ]);
  const kept = refs.filter((ref) => ref.kind === "access" || (ref.kind === "token" && ref.id === BOOTSTRAP));
  return new Set([...tokens, ...sessions, ...kept].map(keyOf));
}

async function liveTokens({ db }: ServiceContext, ids: string[], now: string): Promise<CredentialRef[]> {
  if (ids.length === 0) return [];
  const rows = await db.ops
    .selectFrom("api_tokens")
    .select("id")
    .where("id", "in", listed(ids))
    .where("revoked_at", "is", null)
    .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", now)]))
    .execute();
  return rows.map(({ id }) => ({ kind: "token", id }));
}

async function liveSessions({ env, db }: ServiceContext, ids: string[], now: string): Promise<CredentialRef[]> {
  if (ids.length === 0) return [];
  const rows = await sessionsWithTokens(db).where("s.id", "in", listed(ids)).execute();
  return rows.filter((row) => isAlive(env, row, now)).map(({ id }) => ({ kind: "session", id }));
}

/** A list as one parameter: D1 takes a hundred, a room may hold more sockets than that. */
const listed = (ids: readonly string[]) => sql<string>`(SELECT value FROM json_each(${JSON.stringify(ids)}))`;
