import {
  fail,
  type PatchCounts,
  type Result,
  type Trend,
  type TrendGroup,
  type Trends,
  TrendsQuerySchema,
  validationError,
} from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import type { Counts } from "../patch/rollupTables.ts";
import { requireAllPatches } from "./access.ts";
import { findAnomalies } from "./anomalies.ts";
import {
  addDays,
  type Days,
  daysBefore,
  daysOf,
  firstMoment,
  lastMoment,
  lengthOf,
  mondayOf,
  weekName,
} from "./days.ts";
import { histogramOf, type Keyed } from "./cells.ts";
import { countsOf, durationsOf, meanOf, sumOf } from "./patchCounts.ts";
import { changeOf, percentagesOf, rounded } from "./percentages.ts";
import { readTrends, type TrendsRows } from "./trendsQueries.ts";

const DEFAULT_DAYS = 30;

/**
 * How patches of a range of days went, by week, day, phase, order or provider, beside the same number of days before,
 * and what of it stands out. A range of weeks begins on a Monday. Needs `patches:read`. Errors: VALIDATION_FAILED,
 * DATABASE_UNAVAILABLE.
 */
export async function getTrends(ctx: ServiceContext, input: unknown): Promise<Result<Trends>> {
  const denied = requireAllPatches(ctx);
  if (denied) return denied;
  const parsed = TrendsQuerySchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { group, project = null, limit } = parsed.data;
  const today = ctx.now().toISOString().slice(0, 10);
  const asked = daysOf(parsed.data, DEFAULT_DAYS, today);
  if (!asked.ok) return asked;
  const days = group === "weekly" ? { from: mondayOf(asked.days.from), to: asked.days.to } : asked.days;
  const before = daysBefore(days);
  let rows;
  try {
    ({ rows } = await readTrends(ctx.env.DB_OPS, group, { days, before, project, limit }));
  } catch (error) {
    ctx.log.error("DB_OPS does not answer", { error });
    return fail("DATABASE_UNAVAILABLE", "the database does not answer");
  }
  return { ok: true, group, ...trendsOf(rows, { group, days, before, today, limit }) };
}

interface Asked {
  group: TrendGroup;
  days: Days;
  before: Days;
  today: string;
  limit: number;
}

function trendsOf(rows: TrendsRows, { group, days, before, today, limit }: Asked): Omit<Trends, "ok" | "group"> {
  const within = ({ from, to }: Days) => rows.days.filter(({ key }) => key >= from && key <= to);
  const [now, then] = [sumOf(within(days)), sumOf(within(before))];
  const durations = durationsOf(histogramOf(rows.buckets));
  const durationsBefore = durationsOf(histogramOf(rows.bucketsBefore));
  const [totals, totalsBefore] = [countsOf(now), countsOf(then)];
  const yesterday = addDays(today, -1);
  const more = group === "order" && rows.keyed.length > limit;
  const keyed = more ? rows.keyed.slice(0, limit) : rows.keyed;
  const results =
    group === "daily" || group === "weekly"
      ? ofTime(rows, { group, days })
      : ofKeys({ keyed, keyedBefore: rows.keyedBefore }, group);
  return {
    range: rangeOf(days),
    results,
    more,
    totals,
    durations,
    comparison: {
      range: rangeOf(before),
      totals: totalsBefore,
      durations: durationsBefore,
      change: {
        total: changeOf(totals.total, totalsBefore.total),
        success_rate: pointsOf(totals, totalsBefore),
        mean_ms: changeOf(durations.mean_ms, durationsBefore.mean_ms),
      },
    },
    anomalies: findAnomalies({
      // A day that is not over has too few patches whatever happens.
      days: { from: days.from, to: days.to < today ? days.to : yesterday },
      historyFrom: rows.historyFrom,
      counts: new Map(rows.days.map((row) => [row.key, row])),
    }),
  };
}

const rangeOf = (days: Days) => ({ fromDate: firstMoment(days), toDate: lastMoment(days) });

const pointsOf = (now: PatchCounts, before: PatchCounts): number | null =>
  now.success_rate === null || before.success_rate === null ? null : rounded(now.success_rate - before.success_rate);

/** Days or weeks, the newest first. */
function ofTime(rows: TrendsRows, { group, days }: { group: "daily" | "weekly"; days: Days }): Trend[] {
  const byDay = new Map(rows.days.map((row) => [row.key, row]));
  const buckets = Map.groupBy(rows.buckets, ({ day }) => (group === "daily" ? day : mondayOf(day)));
  const length = group === "daily" ? 1 : 7;
  const periods: Days[] = [];
  for (let from = days.from; from <= days.to; from = addDays(from, length)) {
    const to = addDays(from, length - 1);
    periods.push({ from, to: to < days.to ? to : days.to });
  }
  const rowsOf = ({ from, to }: Days): Keyed[] =>
    Array.from({ length: lengthOf({ from, to }) }, (_, index) => byDay.get(addDays(from, index))).filter(
      (row) => row !== undefined,
    );
  const found = periods
    .map((period) => ({ period, rows: rowsOf(period) }))
    .filter((each) => each.rows.length > 0)
    .toReversed();
  const shares = percentagesOf(found.map((each) => sumOf(each.rows).patches));
  return found.map((each, index) => {
    const { from, to } = each.period;
    // Of a week that is not over, the same weekdays of the week before.
    const earlier = { from: addDays(from, -length), to: addDays(to, -length) };
    const known = rows.historyFrom !== null && earlier.from >= rows.historyFrom;
    return {
      ...(group === "daily" ? { day: from } : { week: weekName(from) }),
      ...trendOf(spanning(from, each.rows), shares[index] ?? 0, known ? sumOf(rowsOf(earlier)) : null),
      durations: durationsOf(histogramOf(buckets.get(from) ?? [])),
    };
  });
}

function ofKeys(rows: Pick<TrendsRows, "keyed" | "keyedBefore">, group: "phase" | "order" | "provider"): Trend[] {
  const earlier = new Map(rows.keyedBefore.map((row) => [row.key, row]));
  const shares = percentagesOf(rows.keyed.map((row) => row.patches));
  return rows.keyed.map((row, index) => {
    const key = row.key || null;
    return {
      ...(group === "phase" ? { phase: key } : group === "order" ? { order_id: key } : { provider: key }),
      ...trendOf(row, shares[index] ?? 0, earlier.get(row.key) ?? null),
      durations: { count: row.timed, mean_ms: meanOf(row), p50_ms: null, p95_ms: null },
    };
  });
}

const trendOf = (row: Keyed, pct: number, before: Counts | null): Omit<Trend, "durations"> => {
  const earlier = before === null ? null : countsOf(before);
  return {
    ...countsOf(row),
    pct,
    first_patch: row.first_at,
    last_patch: row.last_at,
    previous:
      earlier === null
        ? null
        : { total: earlier.total, ok: earlier.ok, failed: earlier.failed, success_rate: earlier.success_rate },
    change_pct: changeOf(row.patches, before?.patches ?? null),
  };
};

const spanning = (key: string, rows: readonly Keyed[]): Keyed => ({
  key,
  ...sumOf(rows),
  first_at: rows.map((row) => row.first_at).toSorted()[0] ?? "",
  last_at:
    rows
      .map((row) => row.last_at)
      .toSorted()
      .at(-1) ?? "",
});
