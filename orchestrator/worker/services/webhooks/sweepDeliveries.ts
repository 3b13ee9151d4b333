import type { ServiceContext } from "../../context.ts";
import { tellPullRequests } from "../github/tellPullRequests.ts";
import { handleDelivery } from "./handleDelivery.ts";

/** A message that has not come within this is lost. */
const LOST_MS = 10 * 60_000;
/** How long a delivery is known again, and a commit's checks. */
const KEPT_MS = 90 * 24 * 3_600_000;
const MAX_SWEPT = 200;

/**
 * Carries out deliveries whose message was lost, tells orders what they were not told, and forgets old ones. One that
 * cannot be carried out keeps no other from it; it throws once all were tried, so that its run is on record as failed.
 */
export async function sweepDeliveries(ctx: ServiceContext): Promise<{ swept: number; told: number }> {
  const now = ctx.now().getTime();
  const lost = await ctx.db.ops
    .selectFrom("github_deliveries")
    .select("delivery")
    .where("handled_at", "is", null)
    .where("received_at", "<", new Date(now - LOST_MS).toISOString())
    .orderBy("received_at")
    .limit(MAX_SWEPT)
    .execute();
  const failures: unknown[] = [];
  for (const { delivery } of lost) {
    try {
      await handleDelivery(ctx, delivery);
    } catch (error) {
      failures.push(error);
    }
  }
  const { told } = await tellPullRequests(ctx);
  const over = new Date(now - KEPT_MS).toISOString();
  await ctx.db.ops
    .deleteFrom("github_deliveries")
    .where("received_at", "<", over)
    .where("handled_at", "is not", null)
    .execute();
  await ctx.db.ops.deleteFrom("github_checks").where("seen_at", "<", over).execute();
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} deliveries were not carried out`);
  return { swept: lost.length, told };
}
