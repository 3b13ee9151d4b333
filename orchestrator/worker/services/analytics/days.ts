import { fail, type Result } from "@shared/contracts";

/** Days are `YYYY-MM-DD`, UTC. */

const DAY_MS = 86_400_000;
const MAX_DAYS = 3_660;

export interface Days {
  from: string;
  to: string;
}

/** Days counted from 1970-01-01. */
export const numberOf = (day: string): number => Math.round(Date.parse(`${day}T00:00:00Z`) / DAY_MS);
export const dayOf = (number: number): string => new Date(number * DAY_MS).toISOString().slice(0, 10);

export const addDays = (day: string, days: number): string => dayOf(numberOf(day) + days);

/** Days from the first to the last, both counted. */
export const lengthOf = ({ from, to }: Days): number => numberOf(to) - numberOf(from) + 1;

/** The days asked for; where not said, the `length` days up to today. Errors: VALIDATION_FAILED. */
export function daysOf(
  { from, to }: { from?: string | undefined; to?: string | undefined },
  length: number,
  today: string,
): Result<{ days: Days }> {
  const last = to ?? (from !== undefined && from > today ? from : today);
  const days = { from: from ?? addDays(last, 1 - length), to: last };
  if (days.from > days.to) return fail("VALIDATION_FAILED", "from: is after to");
  if (lengthOf(days) > MAX_DAYS) return fail("VALIDATION_FAILED", `from: at most ${MAX_DAYS} days before to`);
  return { ok: true, days };
}

/** As many days, right before. */
export const daysBefore = (days: Days): Days => ({
  from: addDays(days.from, -lengthOf(days)),
  to: addDays(days.from, -1),
});

export const firstMoment = ({ from }: Days): string => `${from}T00:00:00.000Z`;
export const lastMoment = ({ to }: Days): string => `${to}T23:59:59.999Z`;

/** The Monday of a day's week. */
export const mondayOf = (day: string): string => {
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
  return addDays(day, -((weekday + 6) % 7));
};

/** A week as `strftime('%Y-%W')` names its Monday: weeks begin on Mondays, those before the first one are in week 00. */
export function weekName(monday: string): string {
  const year = monday.slice(0, 4);
  const yearDay = lengthOf({ from: `${year}-01-01`, to: monday }) - 1;
  return `${year}-${String(Math.floor((yearDay + 7) / 7)).padStart(2, "0")}`;
}
