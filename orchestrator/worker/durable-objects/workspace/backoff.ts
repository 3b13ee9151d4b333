const FIRST_MS = 250;
const CAP_MS = 30_000;

/** How long to wait after so many failures in a row: doubling, capped, so that recovery is noticed within half a minute. */
export const backoffMs = (failures: number): number => Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16));
