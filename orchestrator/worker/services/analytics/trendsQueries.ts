import type { TrendGroup } from "@shared/contracts";
import type { Counts } from "../patch/rollupTables.ts";
import { HISTORY_DAYS } from "./anomalies.ts";
import { addDays, type Days } from "./days.ts";
import { type Bucket, SPAN_COLUMNS, SUM_COLUMNS } from "./patchCounts.ts";

export type TrendRow = Counts & { key: string; first_at: string; last_at: string };
export type PeriodBucket = Bucket & { period: string };

export interface TrendsRows {
  /** Of the range, and of as many days before it as comparing and judging it takes; ascending. */
  days: TrendRow[];
  historyFrom: string | null;
  /** Durations by period, ascending: a day, the Monday of a week, or `all`. */
  buckets: PeriodBucket[];
  /** Those of the days before the range. */
  bucketsBefore: Bucket[];
  /** Of a group that is not of time: its rows in the range, and the same keys in the days before it. */
  keyed: TrendRow[];
  keyedBefore: TrendRow[];
}

const KEY_OF = { phase: "phase", order: "order_id", provider: "provider" } as const;
const isKeyed = (group: TrendGroup): group is keyof typeof KEY_OF => Object.hasOwn(KEY_OF, group);

/** The day's period: itself, or the Monday of its week. */
const periodSql = (group: TrendGroup): string => {
  if (group === "daily") return "day";
  return group === "weekly" ? "date(day, '-6 days', 'weekday 1')" : "'all'";
};

const DAYS = `
  SELECT day AS key, ${SUM_COLUMNS}, ${SPAN_COLUMNS} FROM patch_days
  WHERE project_id = ?3 AND day >= ?1 AND day < ?2 GROUP BY 1 HAVING sum(patches) <> 0 ORDER BY 1`;
const HISTORY = "SELECT day FROM patch_days WHERE project_id = ?1 AND patches <> 0 ORDER BY day LIMIT 1";
const bucketsSql = (period: string): string => `
  SELECT ${period} AS period, bucket, sum(patches) AS patches, sum(duration_ms) AS duration_ms
  FROM patch_duration_days WHERE project_id = ?3 AND day >= ?1 AND day < ?2 GROUP BY 1, 2 ORDER BY 1, 2`;

/** A project's orders stand among all: an order has one row a day, whatever is asked. */
const keyedSql = (group: keyof typeof KEY_OF): string =>
  group === "order"
    ? `SELECT order_id AS key, ${SUM_COLUMNS}, ${SPAN_COLUMNS} FROM patch_order_days
       WHERE day >= ?1 AND day < ?2 AND (?3 = '' OR project_id = ?3)
       GROUP BY 1 HAVING sum(patches) <> 0 ORDER BY last_at DESC, 1 LIMIT ?4`
    : `SELECT ${KEY_OF[group]} AS key, ${SUM_COLUMNS}, ${SPAN_COLUMNS} FROM patch_${group}_days
       WHERE project_id = ?3 AND day >= ?1 AND day < ?2
       GROUP BY 1 HAVING sum(patches) <> 0 ORDER BY patches DESC, 1 LIMIT ?4`;

/** Orders of the JSON list ?4, each by index: those that an answer shows. */
const ORDERS_BEFORE = `
  SELECT order_id AS key, ${SUM_COLUMNS}, ${SPAN_COLUMNS} FROM patch_order_days
  WHERE order_id IN (SELECT value FROM json_each(?4)) AND day >= ?1 AND day < ?2 AND (?3 = '' OR project_id = ?3)
  GROUP BY 1 HAVING sum(patches) <> 0`;

/** Keys of a group that an answer holds at most, orders aside. */
const MAX_KEYS = 1000;

/** Every statement of an answer, in the order of TrendsRows, with its parameters. */
export function trendsStatements(
  group: TrendGroup,
  { days, before, project, limit }: { days: Days; before: Days; project: string | null; limit: number },
): { sql: string; parameters: (string | number)[] }[] {
  const scope = project ?? "";
  const [from, until] = [days.from, addDays(days.to, 1)];
  const judgedFrom = addDays(from, -HISTORY_DAYS);
  const keyed = isKeyed(group) ? keyedSql(group) : null;
  const most = group === "order" ? limit + 1 : MAX_KEYS;
  return [
    { sql: DAYS, parameters: [before.from < judgedFrom ? before.from : judgedFrom, until, scope] },
    { sql: HISTORY, parameters: [scope] },
    { sql: bucketsSql(periodSql(group)), parameters: [from, until, scope] },
    { sql: bucketsSql("'before'"), parameters: [before.from, from, scope] },
    ...(keyed === null
      ? []
      : [
          { sql: keyed, parameters: [from, until, scope, most] },
          ...(group === "order" ? [] : [{ sql: keyed, parameters: [before.from, from, scope, MAX_KEYS] }]),
        ]),
  ];
}

/** Reads what trends are made of. `rowsRead` as D1 counts it. */
export async function readTrends(
  database: D1Database,
  group: TrendGroup,
  asked: { days: Days; before: Days; project: string | null; limit: number },
): Promise<{ rows: TrendsRows; rowsRead: number }> {
  const results = await database.batch<never>(
    trendsStatements(group, asked).map(({ sql, parameters }) => database.prepare(sql).bind(...parameters)),
  );
  const at = (index: number) => results[index]?.results ?? [];
  const keyed: TrendRow[] = at(4);
  const history: { day: string }[] = at(1);
  let keyedBefore: TrendRow[] = at(5);
  if (group === "order") {
    const { before, days, project } = asked;
    const former = await database
      .prepare(ORDERS_BEFORE)
      .bind(before.from, days.from, project ?? "", JSON.stringify(keyed.map(({ key }) => key)))
      .all<TrendRow>();
    keyedBefore = former.results;
    results.push({ ...former, results: [] });
  }
  return {
    rows: {
      days: at(0),
      historyFrom: history[0]?.day ?? null,
      buckets: at(2),
      bucketsBefore: at(3),
      keyed,
      keyedBefore,
    },
    rowsRead: results.reduce((sum, { meta }) => sum + (meta.rows_read ?? 0), 0),
  };
}
