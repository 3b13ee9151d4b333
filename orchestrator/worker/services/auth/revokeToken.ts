import { fail, type Result } from "@shared/contracts";
import { isAdmin, requireScope, type ServiceContext } from "../../context.ts";
import { sessionCache, tokenCache } from "./CredentialCache.ts";
import { type ApiToken, tokenOfRow } from "./token.ts";

/**
 * Revokes a token for good, and with it every session it was traded for; revoking it again changes nothing. It is refused
 * at once in this isolate, elsewhere and on its sockets within 30 s. Needs `tokens:write`; nobody but an administrator
 * revokes what another has made. Errors: NOT_FOUND.
 */
export async function revokeToken(ctx: ServiceContext, input: { id: string }): Promise<Result<{ apiToken: ApiToken }>> {
  const denied = requireScope(ctx, "tokens:write");
  if (denied) return denied;
  let update = ctx.db.ops
    .updateTable("api_tokens")
    // The first revocation's time stands.
    .set((eb) => ({ revoked_at: eb.fn.coalesce("revoked_at", eb.val(ctx.now().toISOString())) }))
    .where("id", "=", input.id);
  // One's own token can be given up too, whoever made it.
  const { actor } = ctx;
  if (!isAdmin(actor) && actor.id !== `token:${input.id}`) update = update.where("created_by", "=", actor.id);
  const row = await update.returningAll().executeTakeFirst();
  if (!row) return fail("NOT_FOUND", "there is no such token");
  tokenCache.delete(row.prefix);
  sessionCache.clear();
  return { ok: true, apiToken: tokenOfRow(row) };
}
