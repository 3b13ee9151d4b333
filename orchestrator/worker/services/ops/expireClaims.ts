import type { ServiceContext } from "../../context.ts";

/** Gives issues back whose claim is over; the next scan tells GitHub. */
export async function expireClaims(ctx: ServiceContext): Promise<{ expired: number }> {
  const now = ctx.now().toISOString();
  const expired = await ctx.db.ops
    .updateTable("ops_issues")
    .set({ status: "open", claimed_by: null, claimed_at: null, claim_expires_at: null, updated_at: now })
    .where("status", "=", "in_progress")
    .where("claim_expires_at", "<=", now)
    .returning("id")
    .execute();
  return { expired: expired.length };
}
