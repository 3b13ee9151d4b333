/**
 * Each count's share in per cent, to two decimals, adding up to exactly 100: what rounding down leaves goes to the
 * largest remainders (Hamilton's method). All zero where there is nothing to share.
 */
export function percentagesOf(counts: readonly number[]): number[] {
  const whole = counts.reduce((sum, count) => sum + count, 0);
  if (whole <= 0) return counts.map(() => 0);
  const exact = counts.map((count) => (count / whole) * UNITS);
  const shares = exact.map(Math.floor);
  const left = UNITS - shares.reduce((sum, share) => sum + share, 0);
  const byRemainder = exact
    .map((value, index) => ({ index, remainder: value - Math.floor(value) }))
    .toSorted((a, b) => b.remainder - a.remainder || a.index - b.index);
  for (const { index } of byRemainder.slice(0, left)) shares[index] = (shares[index] ?? 0) + 1;
  return shares.map((share) => share / 100);
}

const UNITS = 10_000;

export const rounded = (value: number, decimals = 2): number => Number(value.toFixed(decimals));

/** `part` of `whole` in per cent; null of nothing. */
export const rateOf = (part: number, whole: number, decimals = 2): number | null =>
  whole === 0 ? null : rounded((part / whole) * 100, decimals);

/** How much more than `before`, in per cent of it; null where there was nothing. */
export const changeOf = (now: number | null, before: number | null): number | null =>
  now === null || before === null || before === 0 ? null : rounded(((now - before) / before) * 100, 1);
