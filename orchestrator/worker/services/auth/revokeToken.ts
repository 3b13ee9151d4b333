import { fail, type Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { type ApiToken, tokenOfRow } from "./token.ts";
import { tokenCache } from "./TokenCache.ts";

/**
 * Revokes a token for good; revoking it again changes nothing. It is refused at once in this isolate and within 30 s
 * elsewhere. Needs `admin`. Errors: NOT_FOUND.
 */
export async function revokeToken(ctx: ServiceContext, input: { id: string }): Promise<Result<{ apiToken: ApiToken }>> {
  const denied = requireScope(ctx, "admin");
  if (denied) return denied;
  const row = await ctx.db.ops
    .updateTable("api_tokens")
    // The first revocation's time stands.
    .set((eb) => ({ revoked_at: eb.fn.coalesce("revoked_at", eb.val(ctx.now().toISOString())) }))
    .where("id", "=", input.id)
    .returningAll()
    .executeTakeFirst();
  if (!row) return fail("NOT_FOUND", "there is no such token");
  tokenCache.delete(row.prefix);
  return { ok: true, apiToken: tokenOfRow(row) };
}
