import type { Random } from "./random.ts";

/** What a day of a year of work is like, before chance has decided about each patch. */
export interface DayPlan {
  /** YYYY-MM-DD. */
  day: string;
  /** Patches asked for. */
  patches: number;
  /** The share of them that fails. */
  failureRate: number;
  /** The median of milliseconds from request to application. */
  durationMs: number;
}

/** Monday first: agents work on while people sleep, and get less to do at weekends. */
const WEEKDAYS = [1.12, 1.18, 1.16, 1.1, 0.98, 0.34, 0.3];
const DAY_MS = 86_400_000;

/**
 * The days up to and with `lastDay`: a weekly rhythm, a little growth, and the differences from day to day that any
 * year has, but nothing that stands out.
 */
export function planYear(
  random: Random,
  { lastDay, days = 365, patches }: { lastDay: string; days?: number; patches: number },
): DayPlan[] {
  const end = Date.parse(`${lastDay}T00:00:00Z`);
  const plans = Array.from({ length: days }, (_, index): DayPlan => {
    const time = end - (days - 1 - index) * DAY_MS;
    const weekday = WEEKDAYS[(new Date(time).getUTCDay() + 6) % 7] ?? 1;
    const growth = 1 + 0.15 * (index / days);
    return {
      day: new Date(time).toISOString().slice(0, 10),
      patches: weekday * growth * Math.exp(0.07 * random.normal()),
      failureRate: 0.08 * Math.exp(0.1 * random.normal()),
      durationMs: 2_600 * Math.exp(0.08 * random.normal()),
    };
  });
  const weight = plans.reduce((sum, plan) => sum + plan.patches, 0);
  for (const plan of plans) plan.patches = random.count((plan.patches / weight) * patches);
  return plans;
}
