import { rowsOf } from "../../database/batch.ts";
import { computeRollup, type RollupTable } from "../patch/rollupTables.ts";
import {
  bucketCellsSql,
  countCellsSql,
  type DayOfCells,
  errorCellsSql,
  errorKindsOf,
  type ErrorKind,
  histogramOf,
  type Keyed,
  keyedOf,
} from "./cells.ts";
import { addDays, type Days } from "./days.ts";
import type { Bucket } from "./patchCounts.ts";

export interface StatsRows {
  /** Newest first. */
  days: Keyed[];
  /** Most first, as all that follow. */
  factories: Keyed[];
  ops: Keyed[];
  providers: Keyed[];
  errors: ErrorKind[];
  /** Ascending. */
  buckets: Bucket[];
}

export interface Slice {
  project: string | null;
  order: string | null;
}

/**
 * Where a rollup's rows of a slice stand, from the day ?1 until before ?2. A project's and everything's are kept, under
 * ?3. An order's are computed from its own events, found by index: kept for every order, such a table would have about
 * as many rows as there are events.
 */
const rowsIn = (table: RollupTable, { order }: Slice): string =>
  order === null
    ? `${table} WHERE project_id = ?3 AND day >= ?1 AND day < ?2`
    : `(${computeRollup(table, "order_id")}) WHERE project_id = ?4`;

/** What an answer needs, in the order of StatsRows. */
export const statsStatements = (slice: Slice): string[] => [
  countCellsSql("day", rowsIn("patch_days", slice)),
  countCellsSql("factory", rowsIn("patch_factory_days", slice)),
  countCellsSql("op", rowsIn("patch_op_days", slice)),
  countCellsSql("provider", rowsIn("patch_provider_days", slice)),
  errorCellsSql(rowsIn("patch_error_days", slice)),
  bucketCellsSql(rowsIn("patch_duration_days", slice)),
];

/** Reads the statistics of a slice as one batch, so that all of them are of one moment. `rowsRead` as D1 counts it. */
export async function readStats(
  database: D1Database,
  days: Days,
  slice: Slice,
): Promise<{ rows: StatsRows; rowsRead: number }> {
  const { project, order } = slice;
  const bounds = [days.from, addDays(days.to, 1)];
  const parameters = order === null ? [...bounds, project ?? ""] : [...bounds, order, project ?? ""];
  const results = await database.batch<DayOfCells>(
    statsStatements(slice).map((statement) => database.prepare(statement).bind(...parameters)),
  );
  const [days_, factories, ops, providers, errors, buckets] = results.map(rowsOf);
  return {
    rows: {
      days: keyedOf(days_ ?? []).toSorted((a, b) => (a.key < b.key ? 1 : -1)),
      factories: keyedOf(factories ?? []),
      ops: keyedOf(ops ?? []),
      providers: keyedOf(providers ?? []),
      errors: errorKindsOf(errors ?? []),
      buckets: histogramOf(buckets ?? []),
    },
    rowsRead: results.reduce((sum, { meta }) => sum + meta.rows_read, 0),
  };
}
