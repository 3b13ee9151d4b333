import { z } from "zod";
import { OrderIdSchema, ProjectIdSchema } from "./ids.ts";

/** Statistics over patches. A patch counts by its last word, on the day (UTC) it was asked for. */

/** The days there can be patches of. Those around them, with which they are compared, still have years of four digits. */
const FIRST_DAY = "1970-01-01";
const LAST_DAY = "2999-12-31";

/** A day, or a time of it: statistics are kept by whole days, UTC. */
const DaySchema = z
  .union([
    z.iso.date(),
    z.iso.datetime({ offset: true }).transform((time) => new Date(time).toISOString().slice(0, 10)),
  ])
  .refine((day) => day >= FIRST_DAY && day <= LAST_DAY, `expected a day from ${FIRST_DAY} to ${LAST_DAY}`);

export const ExportFormatSchema = z.enum(["json", "csv", "ndjson"]);
export type ExportFormat = z.infer<typeof ExportFormatSchema>;

export const StatsQuerySchema = z.object({
  /** First and last day; default: the last seven. */
  from: DaySchema.optional(),
  to: DaySchema.optional(),
  project: ProjectIdSchema.optional(),
  order: OrderIdSchema.optional(),
  format: ExportFormatSchema.default("json"),
});
export type StatsQuery = z.input<typeof StatsQuerySchema>;

export const TREND_GROUPS = ["weekly", "daily", "phase", "order", "provider"] as const;
export const TrendGroupSchema = z.enum(TREND_GROUPS);
export type TrendGroup = z.infer<typeof TrendGroupSchema>;

export const TrendsQuerySchema = z.object({
  group: TrendGroupSchema.default("weekly"),
  /** First and last day; default: the last thirty. */
  from: DaySchema.optional(),
  to: DaySchema.optional(),
  project: ProjectIdSchema.optional(),
  /** Of `group=order`: how many orders, the one worked on last first. */
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  format: ExportFormatSchema.default("json"),
});
export type TrendsQuery = z.input<typeof TrendsQuerySchema>;

const count = z.number().int();
/** Per cent. */
const percent = z.number();

/**
 * `ok`: its last type check passed. `failed`: it was refused, or its last type check found errors. A patch that no
 * check has looked at (`ts_check_ok` null) is neither, and `success_rate` is `ok` of those that are either.
 * `applied_rate` is `stands` (applied or validated, checked or not) of those that stand or were refused.
 */
export const PatchCountsSchema = z.object({
  total: count,
  ok: count,
  failed: count,
  /** Neither ok nor failed. */
  unchecked: count,
  success_rate: percent.nullable(),
  requested: count,
  applied: count,
  validated: count,
  refused: count,
  reverted: count,
  stands: count,
  applied_rate: percent.nullable(),
  lines_added: count,
  lines_removed: count,
});
export type PatchCounts = z.infer<typeof PatchCountsSchema>;

/**
 * Milliseconds from a request to its application. Percentiles come from a histogram whose buckets are at most an
 * eighth as wide as what is in them; null where only the mean is kept, or nothing was measured.
 */
export const DurationsSchema = z.object({
  count,
  mean_ms: z.number().nullable(),
  p50_ms: z.number().nullable(),
  p95_ms: z.number().nullable(),
});
export type Durations = z.infer<typeof DurationsSchema>;

/** A part of the whole; the `pct` of a list add up to 100. */
const share = { pct: percent };
const mean = { mean_ms: z.number().nullable() };

export const StatsSchema = z.object({
  ok: z.literal(true),
  /** The first and the last millisecond of what is counted. */
  range: z.object({ from: z.string(), to: z.string() }),
  totals: PatchCountsSchema,
  byStatus: z.array(z.object({ status: z.string(), count, ...share })),
  /** Newest first; a day without patches is left out. */
  daily: z.array(PatchCountsSchema.extend({ day: z.string() })),
  /** `success` is `ok` under the name it has here. */
  byFactory: z.array(PatchCountsSchema.extend({ factory: z.string(), success: count, ...share, ...mean })),
  byOp: z.array(z.object({ op: z.string(), count, ok: count, failed: count, ...share })),
  byProvider: z.array(PatchCountsSchema.extend({ provider: z.string().nullable(), success: count, ...share, ...mean })),
  /** Patches whose last word is an error, by code and by message without what varies in it. The last one may be the rest. */
  errors: z.array(
    z.object({ error: z.string(), code: z.string().nullable(), template: z.string(), occurrences: count, ...share }),
  ),
  durations: DurationsSchema,
});
export type Stats = z.infer<typeof StatsSchema>;

export const AnomalySchema = z.object({
  /** `total`: patches a day. `failure_rate`: failed of ok and failed, per cent. `duration`: mean milliseconds to apply. */
  metric: z.enum(["total", "failure_rate", "duration"]),
  kind: z.enum(["spike", "drop", "drift_up", "drift_down"]),
  /** The days it spans; a spike or drop has one. */
  from: z.string(),
  to: z.string(),
  value: z.number(),
  expected: z.number(),
  /** How far from the expected, in robust standard deviations. */
  score: z.number(),
});
export type Anomaly = z.infer<typeof AnomalySchema>;

export const AnomaliesSchema = z.object({
  status: z.enum(["judged", "not enough history"]),
  method: z.string(),
  window: z.object({
    /** What a day is compared with: the same weekday, in so many weeks before it. */
    weeks: count,
    /** A day with fewer of them is not judged. */
    min_days: count,
    /** Days of the range that were judged. */
    judged_days: count,
    /** The first day with any patch on record. */
    history_from: z.string().nullable(),
  }),
  found: z.array(AnomalySchema),
});
export type Anomalies = z.infer<typeof AnomaliesSchema>;

const ComparedSchema = z.object({
  total: count,
  ok: count,
  failed: count,
  success_rate: percent.nullable(),
});

export const TrendSchema = PatchCountsSchema.extend({
  /** The group's own key: one of these. A week is named as `strftime('%Y-%W')` names its Monday. */
  week: z.string().optional(),
  day: z.string().optional(),
  phase: z.string().nullable().optional(),
  order_id: z.string().nullable().optional(),
  provider: z.string().nullable().optional(),
  ...share,
  /** The first and the last time of an event of these patches. */
  first_patch: z.string(),
  last_patch: z.string(),
  durations: DurationsSchema,
  /** The day or week before, or the same key in the period before; null where there is nothing on record. */
  previous: ComparedSchema.nullable(),
  /** Per cent more than before; null where there was nothing before. */
  change_pct: percent.nullable(),
});
export type Trend = z.infer<typeof TrendSchema>;

export const TrendsSchema = z.object({
  ok: z.literal(true),
  group: TrendGroupSchema,
  range: z.object({ fromDate: z.string(), toDate: z.string() }),
  results: z.array(TrendSchema),
  /** Whether `limit` left orders out. */
  more: z.boolean(),
  totals: PatchCountsSchema,
  durations: DurationsSchema,
  /** The same number of days before the range. */
  comparison: z.object({
    range: z.object({ fromDate: z.string(), toDate: z.string() }),
    totals: PatchCountsSchema,
    durations: DurationsSchema,
    /** `total` and `duration` in per cent, `success_rate` in percentage points. */
    change: z.object({
      total: percent.nullable(),
      success_rate: z.number().nullable(),
      mean_ms: percent.nullable(),
    }),
  }),
  anomalies: AnomaliesSchema,
});
export type Trends = z.infer<typeof TrendsSchema>;
