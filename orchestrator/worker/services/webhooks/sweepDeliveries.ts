import type { ServiceContext } from "../../context.ts";
import { handleDelivery } from "./handleDeliveries.ts";

/** A message that has not come within this is lost. */
const LOST_MS = 10 * 60_000;
/** How long a delivery is known again. */
const KEPT_MS = 90 * 24 * 3_600_000;
const MAX_SWEPT = 200;

/** Carries out deliveries whose message was lost, and forgets old ones. */
export async function sweepDeliveries(ctx: ServiceContext): Promise<{ swept: number }> {
  const now = ctx.now().getTime();
  const lost = await ctx.db.ops
    .selectFrom("github_deliveries")
    .select("delivery")
    .where("handled_at", "is", null)
    .where("received_at", "<", new Date(now - LOST_MS).toISOString())
    .orderBy("received_at")
    .limit(MAX_SWEPT)
    .execute();
  for (const { delivery } of lost) await handleDelivery(ctx, delivery);
  await ctx.db.ops
    .deleteFrom("github_deliveries")
    .where("received_at", "<", new Date(now - KEPT_MS).toISOString())
    .where("handled_at", "is not", null)
    .execute();
  return { swept: lost.length };
}
