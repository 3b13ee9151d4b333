import type { ServiceContext } from "../../context.ts";
import { endClaimsQuery } from "./due.ts";
import { logIssue } from "./logIssue.ts";

/** Gives issues back whose claim is over; the next scan tells GitHub. Throws where the database does not answer. */
export async function expireClaims(ctx: ServiceContext): Promise<{ expired: number }> {
  const expired = await endClaimsQuery(ctx.db, ctx.now().toISOString()).execute();
  for (const row of expired) await logIssue(ctx, "expired", row);
  return { expired: expired.length };
}
