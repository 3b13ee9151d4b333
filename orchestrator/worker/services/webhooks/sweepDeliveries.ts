import type { ServiceContext } from "../../context.ts";
import { raiseAlert } from "../alerts/raiseAlert.ts";
import { tellPullRequests } from "../github/tellPullRequests.ts";
import { handleDelivery } from "./handleDelivery.ts";

/** A message that has not come within this is lost. */
const LOST_MS = 10 * 60_000;
/** How long a delivery is known again, and a commit's checks. */
const KEPT_MS = 90 * 24 * 3_600_000;
const MAX_SWEPT = 200;
/** Sweeps, one an hour, in which a delivery is tried: GitHub may be away for two days. */
export const MAX_TRIES = 48;

/**
 * Carries out deliveries whose message was lost, tells orders what they were not told, and forgets old ones. What was tried
 * least comes first, and what cannot be carried out is given up in the end, kept and told of. It throws once all were
 * tried, so that its run is on record as failed.
 */
export async function sweepDeliveries(ctx: ServiceContext): Promise<{ swept: number; told: number }> {
  const now = ctx.now().getTime();
  const lost = await lostQuery(ctx.db, new Date(now - LOST_MS).toISOString(), MAX_SWEPT).execute();
  const failures: unknown[] = [];
  const givenUp: string[] = [];
  for (const { delivery } of lost) {
    try {
      await handleDelivery(ctx, delivery);
    } catch (error) {
      failures.push(error);
      if (await isGivenUp(ctx, delivery, error)) givenUp.push(delivery);
    }
  }
  if (givenUp.length > 0) await tellOfGivenUp(ctx, givenUp);
  const { told } = await tellPullRequests(ctx);
  const over = new Date(now - KEPT_MS).toISOString();
  await ctx.db.ops
    .deleteFrom("github_deliveries")
    .where("received_at", "<", over)
    .where((eb) => eb.or([eb("handled_at", "is not", null), eb("given_up_at", "is not", null)]))
    .execute();
  await ctx.db.ops.deleteFrom("github_checks").where("seen_at", "<", over).execute();
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} deliveries were not carried out`);
  return { swept: lost.length, told };
}

/** Counts a try that failed. True: it was the last. */
async function isGivenUp(ctx: ServiceContext, delivery: string, error: unknown): Promise<boolean> {
  const why = (error instanceof Error ? error.message : String(error)).slice(0, 500);
  const row = await ctx.env.DB_OPS.prepare(FAILED)
    .bind(delivery, ctx.now().toISOString(), why, MAX_TRIES)
    .first<{ given_up_at: string | null }>();
  if (row === null || row.given_up_at === null) return false;
  ctx.log.error("a delivery of GitHub's is given up", { delivery, error });
  return true;
}

const tellOfGivenUp = (ctx: ServiceContext, deliveries: readonly string[]) =>
  raiseAlert(ctx, {
    kind: "webhook.given_up",
    severity: "warning",
    title: "Events of GitHub's could not be carried out",
    text: `${deliveries.length} events failed ${MAX_TRIES} times each and are tried no more. What they said stands in github_deliveries.`,
    dedupeKey: "webhook:github:given-up",
    worker: "vibehq-orchestrator",
    data: { deliveries: deliveries.slice(0, 20) },
  });

export const lostQuery = (db: ServiceContext["db"], before: string, limit: number) =>
  db.ops
    .selectFrom("github_deliveries")
    .select("delivery")
    .where("handled_at", "is", null)
    .where("given_up_at", "is", null)
    .where("received_at", "<", before)
    .orderBy("tries")
    .orderBy("received_at")
    .limit(limit);

const FAILED = `
  UPDATE github_deliveries SET tries = tries + 1, failure = ?3, given_up_at = CASE WHEN tries + 1 >= ?4 THEN ?2 END
  WHERE delivery = ?1 AND handled_at IS NULL AND given_up_at IS NULL RETURNING given_up_at`;
