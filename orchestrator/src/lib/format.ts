/** Numbers and times as Mission Control writes them. Times are shown in the reader's zone; titles hold the exact one. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const shortDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const longDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

export const count = (value: number): string => whole.format(value);
export const brief = (value: number): string =>
  Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value);

/** A share in percent, of 0 to 100; null where nothing was counted. */
export const percent = (value: number | null | undefined, digits = 1): string =>
  value === null || value === undefined || Number.isNaN(value) ? "–" : `${value.toFixed(value === 100 ? 0 : digits)}%`;

/** A length of time from milliseconds. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return "–";
  if (ms < 1) return "<1 ms";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`;
  return `${Math.floor(ms / 86_400_000)} d ${Math.round((ms % 86_400_000) / 3_600_000)} h`;
}

/** How long ago, in the largest whole unit. */
export function ago(ms: number): string {
  if (ms < 5_000) return "now";
  if (ms < 60_000) return `${Math.floor(ms / 1_000)}s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)}m`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)}h`;
  if (ms < 86_400_000 * 60) return `${Math.floor(ms / 86_400_000)}d`;
  return `${Math.floor(ms / (86_400_000 * 30))}mo`;
}

/** A time of SQLite or ISO 8601 as milliseconds; SQLite's own has no zone and is UTC. */
export const instant = (time: string): number =>
  Date.parse(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/.test(time) ? `${time.replace(" ", "T")}Z` : time);

/** The time of day; of another day, that day and the minute. */
export function when(at: number, now = Date.now()): string {
  const sameDay = new Date(at).toDateString() === new Date(now).toDateString();
  return sameDay ? clock.format(at) : `${shortDay.format(at)}, ${clock.format(at).slice(0, 5)}`;
}

export const timeOfDay = (at: number): string => clock.format(at);
/** A `YYYY-MM-DD` as a short day. */
export const dayLabel = (day: string): string =>
  Number.isNaN(Date.parse(day)) ? day : shortDay.format(Date.parse(`${day}T12:00:00Z`));
export const dateLabel = (time: string): string => longDay.format(instant(time));
/** Date and time of day. */
export const moment = (time: string): string => `${shortDay.format(instant(time))}, ${clock.format(instant(time))}`;

export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** A path as folder and name, so that the name can keep its place when the folder is cut short. */
export function splitPath(path: string): { folder: string; name: string } {
  const cut = path.lastIndexOf("/") + 1;
  return { folder: path.slice(0, cut), name: path.slice(cut) };
}

const dollars = new Intl.NumberFormat("en", { style: "currency", currency: "USD" });
/** An amount of US dollars; a small one with the digits that tell it from nothing. */
export const usd = (value: number | null | undefined): string => {
  if (value === null || value === undefined) return "–";
  return value !== 0 && Math.abs(value) < 0.01 ? `$${Number(value.toPrecision(2))}` : dollars.format(value);
};

/** A time to come, as the time until then; one that is over is said to be. */
export const until = (time: string, now = Date.now()): string => {
  const ms = instant(time) - now;
  return ms <= 0 ? "over" : `in ${ms < 60_000 ? "under a minute" : ago(ms)}`;
};
