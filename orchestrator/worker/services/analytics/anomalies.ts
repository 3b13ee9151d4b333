import type { Anomalies, Anomaly } from "@shared/contracts";
import type { Counts } from "../patch/rollupTables.ts";
import { dayOf, type Days, numberOf } from "./days.ts";
import { noCounts } from "./patchCounts.ts";
import { rounded } from "./percentages.ts";

/**
 * What stands out in daily counts. Everything is compared on a scale where its spread does not depend on its size
 * (square root of counts, arcsine of shares, logarithm of durations), and by medians, which a few odd days do not move:
 *
 * - A day, with the median of the same weekday in the `WEEKS` weeks before it. The spread is the median absolute
 *   deviation (× 1.4826, so that it estimates a standard deviation) of all days of these weeks, each from its own
 *   weekday's median: a dozen days alone say too little of their spread. A weekday that is clearly less steady than
 *   the others counts as such, and no spread is less than what chance does to so few patches
 *   and 8 % of so many.
 * - The last four weeks, with the same weekdays of eight weeks that ended eight weeks ago: a slow drift never makes a
 *   day stand out from the days before it.
 *
 * Either must be both improbable and large enough to matter.
 */

const WEEKS = 12;
const MIN_DAYS = 6;
const POINT_SCORE = 5.5;
/** How much of a weekday's own deviation counts: it must be this much above all weekdays' to be more than chance. */
const OWN_SHARE = 0.7;

const RECENT_WEEKS = 4;
const REFERENCE_WEEKS = 8;
const REFERENCE_ENDS_WEEKS = 8;
const DRIFT_SCORE = 6;

/** How many days before a range its anomalies are judged by. */
export const HISTORY_DAYS = 7 * (REFERENCE_ENDS_WEEKS + REFERENCE_WEEKS);

/** 1 / Φ⁻¹(3/4): what makes a median absolute deviation of a normal distribution its standard deviation. */
const MAD_SCALE = 1.4826;
/** √(π/2): how much less a median knows than a mean. */
const MEDIAN_SCALE = 1.2533;

interface Metric {
  name: Anomaly["metric"];
  /** A day on the even scale, and of how many patches; null: too few to say. */
  read(day: Counts): Reading | null;
  /** The standard deviation that chance alone gives so many patches where `usual` is expected. */
  floor(patches: number, usual: number): number;
  unscale(scaled: number): number;
  /** A difference is worth a person's attention from here on: absolutely, and as a share of what was expected. */
  least: { difference: number; day: number; drift: number };
}

const matters = ({ least }: Metric, of: "day" | "drift", value: number, expected: number): boolean => {
  const difference = Math.abs(value - expected);
  return difference >= least.difference && difference >= least[of] * expected;
};

const MIN_PATCHES = 20;
/** Work is never steadier than this from day to day, however little a window shows: a standard deviation, as a share. */
const STEADIEST = 0.08;

const METRICS: readonly Metric[] = [
  {
    name: "total",
    // Anscombe's transform of a Poisson count has a standard deviation of one half.
    read: ({ patches }) => ({ scaled: Math.sqrt(patches + 3 / 8), patches }),
    floor: (_, usual) => Math.hypot(0.5, (STEADIEST / 2) * usual),
    unscale: (scaled) => Math.max(0, scaled ** 2 - 3 / 8),
    least: { difference: 10, day: 0.25, drift: 0.15 },
  },
  {
    name: "failure_rate",
    read: ({ ok, failed }) => {
      const judged = ok + failed;
      if (judged < MIN_PATCHES) return null;
      return { scaled: Math.asin(Math.sqrt((failed + 3 / 8) / (judged + 3 / 4))), patches: judged };
    },
    floor: (patches) => 0.5 / Math.sqrt(patches),
    unscale: (scaled) => Math.sin(Math.min(Math.max(scaled, 0), Math.PI / 2)) ** 2 * 100,
    least: { difference: 5, day: 0.4, drift: 0.4 },
  },
  {
    name: "duration",
    read: ({ timed, duration_ms }) =>
      timed < MIN_PATCHES || duration_ms === 0 ? null : { scaled: Math.log(duration_ms / timed), patches: timed },
    floor: (patches) => Math.hypot(STEADIEST, 1 / Math.sqrt(patches)),
    unscale: Math.exp,
    least: { difference: 0, day: 0.3, drift: 0.2 },
  },
];

interface Reading {
  scaled: number;
  patches: number;
}

export interface Judged {
  /** The days to judge; the last complete one at most. */
  days: Days;
  /** The first day with any patch on record; what is before it is no history. */
  historyFrom: string | null;
  /** Counts by day; a day without patches has none. From `HISTORY_DAYS` before the days. */
  counts: ReadonlyMap<string, Counts>;
}

/** Judges the days of a range by those before them. Where no day has enough of them, says so. */
export function findAnomalies({ days, historyFrom, counts }: Judged): Anomalies {
  const range = { from: numberOf(days.from), to: numberOf(days.to) };
  const begin = historyFrom === null ? range.to + 1 : Math.max(numberOf(historyFrom), range.from - HISTORY_DAYS);
  const series = (metric: Metric): Series => {
    const readings = [...eachDay({ from: begin, to: range.to })].map((day) =>
      metric.read(counts.get(dayOf(day)) ?? noCounts()),
    );
    return (day) => readings[day - begin] ?? null;
  };
  const found: Anomaly[] = [];
  let judged = 0;
  for (const metric of METRICS) {
    const at = series(metric);
    const points = pointsOf(metric, at, range);
    if (metric.name === "total") judged = points.judged;
    found.push(...points.found, ...driftsOf(metric, at, range));
  }
  return {
    status: judged === 0 ? "not enough history" : "judged",
    method:
      `each day against the median of the same weekday in the ${WEEKS} weeks before it, in units of the median absolute ` +
      `deviation (score ${POINT_SCORE} and more); the last ${RECENT_WEEKS} weeks against the same weekdays of ` +
      `${REFERENCE_WEEKS} weeks that ended ${REFERENCE_ENDS_WEEKS} weeks before (score ${DRIFT_SCORE} and more)`,
    window: { weeks: WEEKS, min_days: MIN_DAYS, judged_days: judged, history_from: historyFrom },
    found: found.toSorted((a, b) => a.from.localeCompare(b.from) || a.metric.localeCompare(b.metric)),
  };
}

/** By the number of the day. */
type Series = (day: number) => Reading | null;
type Span = { from: number; to: number };

function pointsOf(metric: Metric, at: Series, days: Span): { judged: number; found: Anomaly[] } {
  const found: Anomaly[] = [];
  const weekdays = new Map<number, Usual>();
  const usualOf = (day: number): Usual => {
    let usual = weekdays.get(day);
    if (!usual) weekdays.set(day, (usual = usualBefore(at, day, WEEKS)));
    return usual;
  };
  let judged = 0;
  for (const day of eachDay(days)) {
    const reading = at(day);
    const own = usualOf(day);
    if (reading === null || own.deviations.length < MIN_DAYS) continue;
    judged += 1;
    const [value, expected] = [metric.unscale(reading.scaled), metric.unscale(own.median)];
    const floor = metric.floor(reading.patches, own.median);
    const difference = reading.scaled - own.median;
    // Most days end here: no spread is less than the floor.
    if (Math.abs(difference) < POINT_SCORE * floor || !matters(metric, "day", value, expected)) continue;
    const all = weekOf(day).flatMap((weekday) => usualOf(weekday).deviations);
    const spread = Math.max(MAD_SCALE * median(all), OWN_SHARE * MAD_SCALE * median(own.deviations), floor);
    const score = difference / spread;
    if (Math.abs(score) < POINT_SCORE) continue;
    found.push(anomaly(metric, score > 0 ? "spike" : "drop", { from: day, to: day }, { value, expected, score }));
  }
  return { judged, found };
}

/** Judged at the end of each week, counted back from the last day. Spans that say the same and overlap are one drift. */
function driftsOf(metric: Metric, at: Series, days: Span): Anomaly[] {
  const found: Anomaly[] = [];
  const weeks = Math.ceil((days.to - days.from + 1) / 7);
  let lastTo = 0;
  for (let week = weeks - 1; week >= 0; week -= 1) {
    const to = days.to - 7 * week;
    const drift = driftAt(metric, at, to);
    const last = found.at(-1);
    if (drift === null) continue;
    if (last?.kind !== drift.kind || lastTo <= to - 7 * RECENT_WEEKS) found.push(drift);
    else
      found[found.length - 1] = {
        ...(Math.abs(last.score) > Math.abs(drift.score) ? last : drift),
        from: last.from,
        to: drift.to,
      };
    lastTo = to;
  }
  return found;
}

function driftAt(metric: Metric, at: Series, to: number): Anomaly | null {
  const referenceEnd = to - 7 * REFERENCE_ENDS_WEEKS;
  const reference = weekOf(referenceEnd).map((day) => usualBefore(at, day + 7, REFERENCE_WEEKS));
  const from = to + 1 - 7 * RECENT_WEEKS;
  const differences: number[] = [];
  const recent: number[] = [];
  const floors: number[] = [];
  for (const day of eachDay({ from, to })) {
    const reading = at(day);
    // Weeks end on the weekday of `to`, here and there.
    const usual = reference[6 - ((to - day) % 7)];
    if (reading === null || usual === undefined || usual.deviations.length < MIN_DAYS) continue;
    differences.push(reading.scaled - usual.median);
    recent.push(reading.scaled);
    floors.push(metric.floor(reading.patches, usual.median));
  }
  if (differences.length < 2 * 7) return null;
  const difference = median(differences);
  const typical = median(recent);
  const [value, expected] = [metric.unscale(typical), metric.unscale(typical - difference)];
  if (!matters(metric, "drift", value, expected)) return null;
  const spread = Math.max(MAD_SCALE * median(reference.flatMap(({ deviations }) => deviations)), median(floors));
  const uncertainty = spread * MEDIAN_SCALE * Math.sqrt(1 / differences.length + 1 / (7 * REFERENCE_WEEKS));
  const score = difference / uncertainty;
  if (Math.abs(score) < DRIFT_SCORE) return null;
  return anomaly(metric, score > 0 ? "drift_up" : "drift_down", { from, to }, { value, expected, score });
}

const anomaly = (
  metric: Metric,
  kind: Anomaly["kind"],
  { from, to }: Span,
  { value, expected, score }: { value: number; expected: number; score: number },
): Anomaly => ({
  metric: metric.name,
  kind,
  from: dayOf(from),
  to: dayOf(to),
  value: rounded(value),
  expected: rounded(expected),
  score: rounded(score, 1),
});

interface Usual {
  median: number;
  /** How far each day was from the median. */
  deviations: number[];
}

/** What the weekday of a day was like in the weeks before it. */
function usualBefore(at: Series, day: number, weeks: number): Usual {
  const values: number[] = [];
  for (let week = 1; week <= weeks; week += 1) {
    const reading = at(day - 7 * week);
    if (reading !== null) values.push(reading.scaled);
  }
  const middle = median(values);
  return { median: middle, deviations: values.map((scaled) => Math.abs(scaled - middle)) };
}

/** The seven days up to a day. */
const weekOf = (day: number): number[] => Array.from({ length: 7 }, (_, index) => day - 6 + index);

function* eachDay({ from, to }: Span): Generator<number> {
  for (let day = from; day <= to; day += 1) yield day;
}

/** 0 of nothing. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
