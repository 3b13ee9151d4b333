import type { Durations, PatchCounts } from "@shared/contracts";
import { COUNTS, type Counts } from "../patch/rollupTables.ts";
import { rateOf, rounded } from "./percentages.ts";

/** Columns that sum a rollup's counts, for `SELECT … GROUP BY`. */
export const SUM_COLUMNS = COUNTS.map((name) => `sum(${name}) AS ${name}`).join(", ");
export const SPAN_COLUMNS = "min(first_at) AS first_at, max(last_at) AS last_at";

export const noCounts = (): Counts => ({
  patches: 0,
  requested: 0,
  applied: 0,
  validated: 0,
  refused: 0,
  reverted: 0,
  ok: 0,
  failed: 0,
  stands: 0,
  lines_added: 0,
  lines_removed: 0,
  timed: 0,
  duration_ms: 0,
});

export function sumOf(rows: readonly Counts[]): Counts {
  const sum = noCounts();
  for (const row of rows) for (const name of COUNTS) sum[name] += row[name];
  return sum;
}

/** A rollup's counts as the answers have them. `decimals` of the success rate: the documents' shapes differ in it. */
export const countsOf = (counts: Counts, decimals = 2): PatchCounts => ({
  total: counts.patches,
  ok: counts.ok,
  failed: counts.failed,
  unchecked: counts.patches - counts.ok - counts.failed,
  success_rate: rateOf(counts.ok, counts.ok + counts.failed, decimals),
  requested: counts.requested,
  applied: counts.applied,
  validated: counts.validated,
  refused: counts.refused,
  reverted: counts.reverted,
  stands: counts.stands,
  applied_rate: rateOf(counts.stands, counts.stands + counts.refused, decimals),
  lines_added: counts.lines_added,
  lines_removed: counts.lines_removed,
});

/** The mean of the rows' own sums; the percentiles where there is a histogram. */
export const meanOf = ({ timed, duration_ms }: Counts): number | null =>
  timed === 0 ? null : rounded(duration_ms / timed, 1);

/** One bucket of a histogram: how many durations, and their sum in milliseconds. */
export interface Bucket {
  bucket: number;
  patches: number;
  duration_ms: number;
}

/** The mean of the bucket in which the percentile falls, buckets in ascending order. */
function percentile(buckets: readonly Bucket[], total: number, share: number): number | null {
  let seen = 0;
  for (const { patches, duration_ms } of buckets) {
    seen += patches;
    if (patches > 0 && seen >= total * share) return rounded(duration_ms / patches, 1);
  }
  return null;
}

export function durationsOf(buckets: readonly Bucket[]): Durations {
  const count = buckets.reduce((sum, bucket) => sum + bucket.patches, 0);
  const milliseconds = buckets.reduce((sum, bucket) => sum + bucket.duration_ms, 0);
  return {
    count,
    mean_ms: count === 0 ? null : rounded(milliseconds / count, 1),
    p50_ms: percentile(buckets, count, 0.5),
    p95_ms: percentile(buckets, count, 0.95),
  };
}
