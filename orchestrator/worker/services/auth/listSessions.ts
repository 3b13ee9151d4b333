import type { Result, Session } from "@shared/contracts";
import { isAdmin, type ServiceContext } from "../../context.ts";
import { KeysetSchema, type Place, pageOf, readList } from "../keyset.ts";
import { sessionOfRow, sessionsWithTokens } from "./session.ts";

/** The caller's own sessions, newest first, ended ones too; to an administrator, everyone's. */
export async function listSessions(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ sessions: Session[]; cursor: string | null }>> {
  const list = readList(KeysetSchema, input);
  if (!list.ok) return list;
  const { query, after } = list;
  const { actor } = ctx;
  const rows = await sessionsQuery(ctx.db, isAdmin(actor) ? null : actor.id, after, query.limit + 1).execute();
  const current = actor.credential?.kind === "session" ? actor.credential.id : null;
  const { items, cursor } = pageOf(rows, query.limit, (row) => sessionOfRow(row, current));
  return { ok: true, sessions: items, cursor };
}

/** `actor` null: anyone's. */
export function sessionsQuery(db: ServiceContext["db"], actor: string | null, after: Place | null, limit: number) {
  let query = sessionsWithTokens(db).orderBy("s.created_at", "desc").orderBy("s.id", "desc");
  if (actor !== null) query = query.where("s.actor", "=", actor);
  if (after) {
    query = query.where((eb) => eb(eb.refTuple("s.created_at", "s.id"), "<", eb.tuple(after.createdAt, after.id)));
  }
  return query.limit(limit);
}
