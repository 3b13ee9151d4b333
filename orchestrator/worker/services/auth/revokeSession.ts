import { fail, type Result, type Session } from "@shared/contracts";
import { isAdmin, type ServiceContext } from "../../context.ts";
import { sessionCache } from "./CredentialCache.ts";
import { sessionOfRow, sessionsWithTokens } from "./session.ts";

/**
 * Ends a session of the caller's own, to an administrator anyone's; ending it again changes nothing. It is refused at
 * once in this isolate, elsewhere and on its sockets within 30 s. Errors: NOT_FOUND.
 */
export async function revokeSession(ctx: ServiceContext, input: { id: string }): Promise<Result<{ session: Session }>> {
  const { actor } = ctx;
  let update = ctx.db.ops
    .updateTable("sessions")
    // The first revocation's time stands.
    .set((eb) => ({ revoked_at: eb.fn.coalesce("revoked_at", eb.val(ctx.now().toISOString())) }))
    .where("id", "=", input.id);
  // Another's session is as good as none: that it exists is not told.
  if (!isAdmin(actor)) update = update.where("actor", "=", actor.id);
  const ended = await update.returning("id").executeTakeFirst();
  if (!ended) return fail("NOT_FOUND", "there is no such session");
  sessionCache.delete(ended.id);
  const row = await sessionsWithTokens(ctx.db).where("s.id", "=", ended.id).executeTakeFirstOrThrow();
  return { ok: true, session: sessionOfRow(row, actor.credential?.kind === "session" ? actor.credential.id : null) };
}
