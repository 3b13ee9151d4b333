/** What comes from outside is bounded, and made fit to be told. */

/**
 * `Retry-After` in milliseconds: seconds, or a date (RFC 9110, 10.2.3). Null where there is none that can be read; at
 * most a week.
 */
export function retryAfterMs(header: string | null | undefined, now: Date): number | null {
  if (header === null || header === undefined) return null;
  const ms = /^\s*\d+(\.\d+)?\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now.getTime();
  return Number.isFinite(ms) ? Math.min(Math.max(0, Math.round(ms)), 7 * 86_400_000) : null;
}

/** What is used up for hours or days, not for seconds. */
export const saysQuota = (text: string): boolean =>
  /daily|per day|quota (?:exceeded|exhausted)|exceeded your (?:current )?quota|task limit|credit balance/i.test(text);

/** Text of the other side as one line of at most 300 characters. */
export const oneLine = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .trim()
    .slice(0, 300)
    .toWellFormed();

/** Without a secret, wherever it stands. */
export const redacted = (text: string, secret: string): string =>
  secret === "" ? text : text.replaceAll(secret, "[key]");
