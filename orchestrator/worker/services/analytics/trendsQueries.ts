import type { TrendGroup } from "@shared/contracts";
import { rowsOf } from "../../database/batch.ts";
import { HISTORY_DAYS } from "./anomalies.ts";
import { bucketCellsSql, countCellsSql, type DayOfCells, type Keyed, keyedOf } from "./cells.ts";
import { addDays, type Days } from "./days.ts";
import { SPAN_COLUMNS, SUM_COLUMNS } from "./patchCounts.ts";

export interface TrendsRows {
  /** Of the range, and of as many days before it as comparing and judging it takes; ascending. */
  days: Keyed[];
  historyFrom: string | null;
  /** Histograms of the range's days, and of the days before it. */
  buckets: DayOfCells[];
  bucketsBefore: DayOfCells[];
  /** Of a group that is not of time: its rows in the range, and the same keys in the days before it. */
  keyed: Keyed[];
  keyedBefore: Keyed[];
}

export interface TrendsAsked {
  days: Days;
  before: Days;
  project: string | null;
  limit: number;
}

/** Rows of a kept rollup from the day ?1 until before ?2. */
const rowsIn = (table: string): string => `${table} WHERE project_id = ?3 AND day >= ?1 AND day < ?2`;

const DAYS = countCellsSql("day", rowsIn("patch_days"));
const BUCKETS = bucketCellsSql(rowsIn("patch_duration_days"));
const HISTORY = "SELECT day FROM patch_days WHERE project_id = ?1 AND patches <> 0 ORDER BY day LIMIT 1";

const OF_ORDERS = "day >= ?1 AND day < ?2 AND (?3 = '' OR project_id = ?3)";
/** Orders are many, and few of them are shown: only those are summed. */
const ORDERS = `
  WITH newest AS MATERIALIZED (
    SELECT order_id, max(last_at) AS last FROM patch_order_days WHERE ${OF_ORDERS} AND patches <> 0
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?4
  )
  SELECT order_id AS key, ${SUM_COLUMNS}, ${SPAN_COLUMNS} FROM newest CROSS JOIN patch_order_days USING (order_id)
  WHERE ${OF_ORDERS} GROUP BY 1 ORDER BY last_at DESC, 1`;
/** Orders of the JSON list ?4, each by index: those that an answer shows. */
const ORDERS_BEFORE = `
  SELECT order_id AS key, ${SUM_COLUMNS}, ${SPAN_COLUMNS} FROM patch_order_days
  WHERE order_id IN (SELECT value FROM json_each(?4)) AND ${OF_ORDERS}
  GROUP BY 1 HAVING sum(patches) <> 0`;

interface Statement {
  sql: string;
  parameters: (string | number)[];
}

/** Every statement of an answer with its parameters, for the test that reads their query plans. */
export function trendsStatements(group: TrendGroup, { days, before, project, limit }: TrendsAsked): Statement[] {
  const scope = project ?? "";
  const [from, until] = [days.from, addDays(days.to, 1)];
  const judgedFrom = addDays(from, -HISTORY_DAYS);
  return [
    { sql: DAYS, parameters: [before.from < judgedFrom ? before.from : judgedFrom, until, scope] },
    { sql: HISTORY, parameters: [scope] },
    { sql: BUCKETS, parameters: [from, until, scope] },
    { sql: BUCKETS, parameters: [before.from, from, scope] },
    ...(group === "phase" || group === "provider"
      ? [
          { sql: countCellsSql(group, rowsIn(`patch_${group}_days`)), parameters: [from, until, scope] },
          { sql: countCellsSql(group, rowsIn(`patch_${group}_days`)), parameters: [before.from, from, scope] },
        ]
      : []),
    ...(group === "order" ? [{ sql: ORDERS, parameters: [from, until, scope, limit + 1] }] : []),
  ];
}

/** Reads what trends are made of. `rowsRead` as D1 counts it. */
export async function readTrends(
  database: D1Database,
  group: TrendGroup,
  asked: TrendsAsked,
): Promise<{ rows: TrendsRows; rowsRead: number }> {
  const run = ({ sql, parameters }: Statement) => database.prepare(sql).bind(...parameters);
  const results: D1Result<never>[] = await database.batch<never>(trendsStatements(group, asked).map(run));
  const [days, history, buckets, bucketsBefore] = results;
  let keyed: Keyed[] = [];
  let keyedBefore: Keyed[] = [];
  if (group === "phase" || group === "provider") {
    keyed = keyedOf(rowsOf<DayOfCells>(results[4]));
    keyedBefore = keyedOf(rowsOf<DayOfCells>(results[5]));
  } else if (group === "order") {
    const { before, project } = asked;
    keyed = rowsOf<Keyed>(results[4]);
    const shown = JSON.stringify(keyed.map(({ key }) => key));
    const former = await run({
      sql: ORDERS_BEFORE,
      parameters: [before.from, asked.days.from, project ?? "", shown],
    }).all<never>();
    keyedBefore = rowsOf<Keyed>(former);
    results.push(former);
  }
  return {
    rows: {
      days: keyedOf(rowsOf<DayOfCells>(days)).toSorted((a, b) => (a.key < b.key ? -1 : 1)),
      historyFrom: rowsOf<{ day: string }>(history)[0]?.day ?? null,
      buckets: rowsOf<DayOfCells>(buckets),
      bucketsBefore: rowsOf<DayOfCells>(bucketsBefore),
      keyed,
      keyedBefore,
    },
    rowsRead: results.reduce((sum, { meta }) => sum + meta.rows_read, 0),
  };
}
