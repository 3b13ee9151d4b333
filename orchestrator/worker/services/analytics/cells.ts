import { COUNTS, type Counts } from "../patch/rollupTables.ts";
import { type Bucket, noCounts } from "./patchCounts.ts";

/**
 * Rollup rows as they are read: a row a day, its cells as one JSON text. A day's rows stand together in the table's
 * key, so SQLite reads each once; grouping by any other column would sort them first, and read them again.
 */
export interface DayOfCells {
  day: string;
  cells: string;
}

const CELL_COLUMNS = [...COUNTS, "first_at", "last_at"];

/** Counts by key, from rows such as `table WHERE …`. */
export const countCellsSql = (key: string, rows: string): string => cellsSql([key, ...CELL_COLUMNS], rows);
/** A histogram. */
export const bucketCellsSql = (rows: string): string => cellsSql(["bucket", "patches", "duration_ms"], rows);
export const errorCellsSql = (rows: string): string => cellsSql(["code", "template", "patches"], rows);

const cellsSql = (columns: readonly string[], rows: string): string =>
  `SELECT day, json_group_array(json_array(${columns.join(", ")})) AS cells FROM ${rows} GROUP BY day ORDER BY day`;

/** A key with the sums of its counts, and its first and last time. */
export type Keyed = Counts & { key: string; first_at: string; last_at: string };

/** Sums by key, most first. Keys that count nothing any more are left out. */
export function keyedOf(days: readonly DayOfCells[]): Keyed[] {
  const sums = new Map<string, Keyed>();
  for (const { cells } of days) {
    const rows: [string, ...(number | string)[]][] = JSON.parse(cells);
    for (const [key, ...values] of rows) {
      let sum = sums.get(key);
      if (!sum) sums.set(key, (sum = { key, ...noCounts(), first_at: LAST, last_at: "" }));
      for (const [index, name] of COUNTS.entries()) sum[name] += Number(values[index]);
      const [first, last] = [String(values[COUNTS.length]), String(values[COUNTS.length + 1])];
      if (first < sum.first_at) sum.first_at = first;
      if (last > sum.last_at) sum.last_at = last;
    }
  }
  return [...sums.values()]
    .filter(({ patches }) => patches !== 0)
    .toSorted((a, b) => b.patches - a.patches || (a.key < b.key ? -1 : 1));
}

/** Sorts after any time. */
const LAST = "\u{10ffff}";

/** The buckets of all these days as one histogram, ascending. */
export function histogramOf(days: readonly DayOfCells[]): Bucket[] {
  const sums = new Map<number, Bucket>();
  for (const { cells } of days) {
    const rows: [number, number, number][] = JSON.parse(cells);
    for (const [bucket, patches, duration_ms] of rows) {
      const sum = sums.get(bucket);
      if (!sum) sums.set(bucket, { bucket, patches, duration_ms });
      else {
        sum.patches += patches;
        sum.duration_ms += duration_ms;
      }
    }
  }
  return [...sums.values()].filter(({ patches }) => patches !== 0).toSorted((a, b) => a.bucket - b.bucket);
}

export interface ErrorKind {
  code: string;
  template: string;
  patches: number;
}

/** Most first. */
export function errorKindsOf(days: readonly DayOfCells[]): ErrorKind[] {
  const sums = new Map<string, ErrorKind>();
  for (const { cells } of days) {
    const rows: [string, string, number][] = JSON.parse(cells);
    for (const [code, template, patches] of rows) {
      const name = JSON.stringify([code, template]);
      const sum = sums.get(name);
      if (sum) sum.patches += patches;
      else sums.set(name, { code, template, patches });
    }
  }
  return [...sums.values()]
    .filter(({ patches }) => patches !== 0)
    .toSorted((a, b) => b.patches - a.patches || `${a.code} ${a.template}`.localeCompare(`${b.code} ${b.template}`));
}
