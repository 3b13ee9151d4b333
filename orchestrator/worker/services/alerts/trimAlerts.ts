import type { Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";

/** Deliveries are kept for a month, resolved alerts for a year; open ones stay. */
export const KEEP_DAYS = { deliveries: 30, alerts: 365 } as const;
const DAY_MS = 86_400_000;
const ROWS = 2_000;

/** Deletes what is older than it is kept, a bounded number a night. Needs `admin`. Throws where the database does not answer. */
export async function trimAlerts(ctx: ServiceContext): Promise<Result<{ deliveries: number; alerts: number }>> {
  const denied = requireScope(ctx, "admin");
  if (denied) return denied;
  const before = (days: number): string => new Date(ctx.now().getTime() - days * DAY_MS).toISOString();
  const [deliveries, alerts] = await ctx.env.DB_OPS.batch([
    ctx.env.DB_OPS.prepare(DELIVERIES).bind(before(KEEP_DAYS.deliveries), ROWS),
    ctx.env.DB_OPS.prepare(ALERTS).bind(before(KEEP_DAYS.alerts), ROWS),
  ]);
  return { ok: true, deliveries: deliveries?.results.length ?? 0, alerts: alerts?.results.length ?? 0 };
}

const DELIVERIES = `
  DELETE FROM alert_deliveries WHERE id IN (
    SELECT id FROM alert_deliveries WHERE created_at < ?1 AND status <> 'pending' LIMIT ?2) RETURNING id`;
const ALERTS = `
  DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE status = 'resolved' AND first_at < ?1 LIMIT ?2) RETURNING id`;
