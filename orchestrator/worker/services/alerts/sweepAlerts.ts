import type { Result } from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { AlertRowSchema } from "./alertRow.ts";
import { announce } from "./announce.ts";
import { deliverAlert, type DeliverOptions } from "./deliverAlert.ts";
import { requestDeliveries } from "./requestDeliveries.ts";

/** What one run takes on; the rest is the next one's. */
const ALERTS = 100;
const DELIVERIES = 200;
/** Without a queue, this many receivers at once. */
const AT_ONCE = 10;
/** Whoever raised an alert is given this long to announce it. */
const ANNOUNCE_MS = 30_000;

const MarkSchema = z.looseObject({ told_by: z.string() });

/**
 * Makes up for what was lost: alerts that the hub does not hold, and deliveries that are due and that no message asks for
 * any more. With a queue it asks the queue, without one it sends them itself. Running it twice, or beside the queue, sends
 * nothing twice. Needs `admin`. Throws where the database does not answer.
 */
export async function sweepAlerts(
  ctx: ServiceContext,
  options: DeliverOptions = {},
): Promise<Result<{ announced: number; due: number }>> {
  const denied = requireScope(ctx, "admin");
  if (denied) return denied;
  const now = ctx.now();
  const late = new Date(now.getTime() - ANNOUNCE_MS).toISOString();
  const alerts = await unannouncedQuery(ctx.db, late).execute();
  let announced = 0;
  for (const row of alerts) {
    const done = await announce(ctx, { alert: AlertRowSchema.parse(row), mark: MarkSchema.parse(row).told_by });
    announced += Number(done);
  }
  const due = (await dueQuery(ctx.db, now.toISOString()).execute()).map(({ id }) => id);
  const { ALERTS_QUEUE: queue }: { ALERTS_QUEUE?: Queue } = ctx.env;
  if (queue !== undefined) await requestDeliveries(ctx, due);
  else {
    for (let at = 0; at < due.length; at += AT_ONCE) {
      await Promise.all(due.slice(at, at + AT_ONCE).map((id) => deliverAlert(ctx, id, options)));
    }
  }
  return { ok: true, announced, due: due.length };
}

export const unannouncedQuery = (db: ServiceContext["db"], toldBefore: string) =>
  db.ops
    .selectFrom("alerts")
    .selectAll()
    .where("announced_at", "is", null)
    .where("told_at", "<=", toldBefore)
    .orderBy("told_at")
    .limit(ALERTS);

export const dueQuery = (db: ServiceContext["db"], now: string) =>
  db.ops
    .selectFrom("alert_deliveries")
    .select("id")
    .where("status", "=", "pending")
    .where("next_attempt_at", "<=", now)
    .where((eb) => eb.or([eb("leased_until", "is", null), eb("leased_until", "<", now)]))
    .orderBy("next_attempt_at")
    .limit(DELIVERIES);
