import { type Counts, computeRollup, type RollupTable } from "../patch/rollupTables.ts";
import { addDays, type Days } from "./days.ts";
import { type Bucket, SUM_COLUMNS } from "./patchCounts.ts";

export interface StatsRows {
  /** Newest first. */
  days: (Counts & { key: string })[];
  /** Most first, as all that follow. */
  factories: (Counts & { key: string })[];
  ops: (Counts & { key: string })[];
  providers: (Counts & { key: string })[];
  errors: { code: string; template: string; patches: number }[];
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
const rowsOf = (table: RollupTable, { order }: Slice): string =>
  order === null
    ? `${table} WHERE project_id = ?3 AND day >= ?1 AND day < ?2`
    : `(${computeRollup(table, "order_id")}) WHERE project_id = ?4`;

const byKey = (table: RollupTable, key: string, slice: Slice): string =>
  `SELECT ${key} AS key, ${SUM_COLUMNS} FROM ${rowsOf(table, slice)} GROUP BY 1 HAVING sum(patches) <> 0
   ORDER BY ${key === "day" ? "1 DESC" : "patches DESC, 1"}`;

/** What an answer needs, in the order of StatsRows. */
export const statsStatements = (slice: Slice): string[] => [
  byKey("patch_days", "day", slice),
  byKey("patch_factory_days", "factory", slice),
  byKey("patch_op_days", "op", slice),
  byKey("patch_provider_days", "provider", slice),
  `SELECT code, template, sum(patches) AS patches FROM ${rowsOf("patch_error_days", slice)}
   GROUP BY 1, 2 HAVING sum(patches) <> 0 ORDER BY 3 DESC, 1, 2`,
  `SELECT bucket, sum(patches) AS patches, sum(duration_ms) AS duration_ms
   FROM ${rowsOf("patch_duration_days", slice)} GROUP BY 1 HAVING sum(patches) <> 0 ORDER BY 1`,
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
  const results = await database.batch<never>(
    statsStatements(slice).map((statement) => database.prepare(statement).bind(...parameters)),
  );
  const at = (index: number) => results[index]?.results ?? [];
  return {
    rows: { days: at(0), factories: at(1), ops: at(2), providers: at(3), errors: at(4), buckets: at(5) },
    rowsRead: results.reduce((sum, { meta }) => sum + (meta.rows_read ?? 0), 0),
  };
}
