/** Ranges of whole days, UTC, as the statistics are kept. */

export interface Days {
  from: string;
  to: string;
}

export const RANGES = ["7d", "30d", "90d", "365d"] as const;
export type RangeName = (typeof RANGES)[number];

const DAY_MS = 86_400_000;
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** What the address bar asks for: its own days where it names them, else so many days up to today. */
export function daysOf(
  search: { range?: RangeName | undefined; from?: string | undefined; to?: string | undefined },
  now: number,
): Days {
  if (search.from !== undefined && search.to !== undefined && search.from <= search.to)
    return { from: search.from, to: search.to };
  return { to: dayOf(now), from: dayOf(now - (Number.parseInt(search.range ?? "30d", 10) - 1) * DAY_MS) };
}

/** Every day of a range, the first one first. */
export function eachDay({ from, to }: Days): string[] {
  const days: string[] = [];
  for (let at = Date.parse(`${from}T00:00:00Z`); at <= Date.parse(`${to}T00:00:00Z`); at += DAY_MS)
    days.push(dayOf(at));
  return days;
}
