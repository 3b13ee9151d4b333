import { type ExportFormat, type Stats, TREND_GROUPS, type Trends } from "@shared/contracts";
import { type Export, type ExportRow } from "./exportRows.ts";

const COUNT_COLUMNS = [
  "total",
  "ok",
  "failed",
  "unchecked",
  "success_rate",
  "requested",
  "applied",
  "validated",
  "refused",
  "reverted",
  "stands",
  "applied_rate",
  "lines_added",
  "lines_removed",
];

/** Statistics as one table: each row says which of the answer's lists it is from, and its key in it. */
export function statsExport(stats: Stats, format: Exclude<ExportFormat, "json">): Export {
  const rows: ExportRow[] = [
    { list: "totals", key: "", ...stats.totals, ...stats.durations },
    ...stats.byStatus.map(({ status, count, pct }) => ({ list: "byStatus", key: status, total: count, pct })),
    ...stats.daily.map(({ day, ...row }) => ({ list: "daily", key: day, ...row })),
    ...stats.byFactory.map(({ factory, success: _success, ...row }) => ({ list: "byFactory", key: factory, ...row })),
    ...stats.byOp.map(({ op, count, ...row }) => ({ list: "byOp", key: op, total: count, ...row })),
    ...stats.byProvider.map(({ provider, success: _success, ...row }) => ({
      list: "byProvider",
      key: provider,
      ...row,
    })),
    ...stats.errors.map(({ error, code, occurrences, pct }) => ({
      list: "errors",
      key: error,
      code,
      total: occurrences,
      pct,
    })),
  ];
  const columns = ["list", "key", "code", ...COUNT_COLUMNS, "pct", "mean_ms", "p50_ms", "p95_ms"];
  return { format, name: `patch-stats-${daysIn(stats.range.from, stats.range.to)}`, columns, rows };
}

const KEY_COLUMNS: Record<(typeof TREND_GROUPS)[number], string> = {
  weekly: "week",
  daily: "day",
  phase: "phase",
  order: "order_id",
  provider: "provider",
};

export function trendsExport(trends: Trends, format: Exclude<ExportFormat, "json">): Export {
  const { group, range, results } = trends;
  const columns = [
    KEY_COLUMNS[group],
    ...COUNT_COLUMNS,
    "pct",
    "first_patch",
    "last_patch",
    "mean_ms",
    "p50_ms",
    "p95_ms",
    "previous_total",
    "change_pct",
  ];
  const rows = results.map(({ durations, previous, ...row }) => ({
    ...row,
    mean_ms: durations.mean_ms,
    p50_ms: durations.p50_ms,
    p95_ms: durations.p95_ms,
    previous_total: previous?.total ?? null,
  }));
  return { format, name: `patch-trends-${group}-${daysIn(range.fromDate, range.toDate)}`, columns, rows };
}

const daysIn = (from: string, to: string): string => `${from.slice(0, 10)}-${to.slice(0, 10)}`;
