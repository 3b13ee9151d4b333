/**
 * The rollups: a small table a dimension, each a row a day and key. `project_id` is '' in the rows that count all
 * projects, so an answer for everything and one for a project read the same number of rows; only an order, which
 * belongs to one project, stands once.
 */

/** Counts of patches by their last word; `stands` is applied or validated, `timed` has a duration. */
export const COUNTS = [
  "patches",
  "requested",
  "applied",
  "validated",
  "refused",
  "reverted",
  "ok",
  "failed",
  "stands",
  "lines_added",
  "lines_removed",
  "timed",
  "duration_ms",
] as const;
export type Counts = Record<(typeof COUNTS)[number], number>;

interface Shape {
  /** The primary key. */
  key: readonly string[];
  counts: readonly string[];
  /** Whether a row keeps the first and last time of an event in it. */
  spans: boolean;
  /** Its rows from those of v_patch_lives, as `SELECT … FROM <this> GROUP BY <key>`. */
  columns: Record<string, string>;
  from: string;
}

const SUMS: Record<string, string> = {
  patches: "count(*)",
  requested: "sum(event_type = 'patch_requested')",
  applied: "sum(event_type = 'patch_applied')",
  validated: "sum(event_type = 'patch_validated')",
  refused: "sum(event_type = 'patch_failed')",
  reverted: "sum(event_type = 'patch_reverted')",
  ok: "sum(ts_check_ok IS 1 AND event_type <> 'patch_failed')",
  failed: "sum(ts_check_ok IS 0 OR event_type = 'patch_failed')",
  stands: "sum(event_type IN ('patch_applied', 'patch_validated'))",
  lines_added: "sum(iif(event_type IN ('patch_applied', 'patch_validated'), lines_added, 0))",
  lines_removed: "sum(iif(event_type IN ('patch_applied', 'patch_validated'), lines_removed, 0))",
  timed: "sum(timed)",
  duration_ms: "sum(duration_ms)",
};

/** Every patch once for all projects, and once for its own where it has one. */
const SCOPED = `(SELECT 0 AS own UNION ALL SELECT 1) AS scope, v_patch_lives AS lives`;
const OF_SCOPE = `(NOT own OR lives.project_id <> '')`;
const PROJECT = "iif(own, lives.project_id, '')";

const dimension = (key: string | null): Shape => ({
  key: ["project_id", "day", ...(key === null ? [] : [key])],
  counts: COUNTS,
  spans: true,
  columns: { project_id: PROJECT, day: "day", ...(key === null ? {} : { [key]: `coalesce(${key}, '')` }), ...SUMS },
  from: `${SCOPED} WHERE ${OF_SCOPE}`,
});

/** The bucket of a duration, as `bucketOf` has it: its four leading binary digits. */
const bucketSql = (duration: string): string => {
  const widths = Array.from({ length: 40 }, (_, power) => 2 ** power);
  const cases = widths.map((width) => `WHEN ${duration} < ${width * 16} THEN ${duration} / ${width} * ${width}`);
  return `CASE ${cases.join(" ")} END`;
};

export const ROLLUPS = {
  patch_days: dimension(null),
  patch_factory_days: dimension("factory"),
  patch_op_days: dimension("op"),
  patch_provider_days: dimension("provider"),
  patch_phase_days: dimension("phase"),
  patch_order_days: {
    ...dimension("order_id"),
    key: ["day", "order_id", "project_id"],
    columns: { day: "day", order_id: "coalesce(order_id, '')", project_id: "coalesce(project_id, '')", ...SUMS },
    from: "v_patch_lives AS lives WHERE 1",
  },
  patch_error_days: {
    key: ["project_id", "day", "code", "template"],
    counts: ["patches"],
    spans: false,
    columns: { project_id: PROJECT, day: "day", code: "error_code", template: "error_template", patches: "count(*)" },
    from: `${SCOPED} WHERE ${OF_SCOPE} AND error_code IS NOT NULL`,
  },
  patch_duration_days: {
    key: ["project_id", "day", "bucket"],
    counts: ["patches", "duration_ms"],
    spans: false,
    columns: {
      project_id: PROJECT,
      day: "day",
      bucket: bucketSql("steps.duration_ms"),
      patches: "count(*)",
      duration_ms: "sum(steps.duration_ms)",
    },
    from: `${SCOPED} CROSS JOIN patch_events AS steps ON steps.patch_id = lives.patch_id
      AND steps.workspace_id = lives.workspace_id AND steps.duration_ms IS NOT NULL WHERE ${OF_SCOPE}`,
  },
} as const satisfies Record<string, Shape>;
export type RollupTable = keyof typeof ROLLUPS;

const isRollupTable = (name: string): name is RollupTable => Object.hasOwn(ROLLUPS, name);
export const ROLLUP_TABLES = Object.keys(ROLLUPS).filter(isRollupTable);

const shapeOf = (table: RollupTable): Shape => ROLLUPS[table];
const columnsOf = ({ key, counts, spans }: Shape): string[] => [
  ...key,
  ...counts,
  ...(spans ? ["first_at", "last_at"] : []),
];

const merging = (shape: Shape): string =>
  [
    `ON CONFLICT (${shape.key.join(", ")}) DO UPDATE SET`,
    [
      ...shape.counts.map((count) => `${count} = ${count} + excluded.${count}`),
      ...(shape.spans
        ? ["first_at = min(first_at, excluded.first_at)", "last_at = max(last_at, excluded.last_at)"]
        : []),
    ].join(", "),
  ].join(" ");

/** Adds rows, given as ?1 in JSON, to a rollup; `guard` says whether this delivery is to be written at all. */
export function addRollup(table: RollupTable, guard: string): string {
  const shape = shapeOf(table);
  const columns = columnsOf(shape);
  return `INSERT INTO ${table} (${columns.join(", ")})
    SELECT ${columns.map((column) => `value ->> '$.${column}'`).join(", ")}
    FROM json_each(?1) WHERE ${guard} ${merging(shape)}`;
}

/**
 * A rollup's rows from those of `patch_events` alone: what keeping them event by event must come to. Reads patches that
 * were asked for from the time ?1 until before ?2; `of` one workspace or order alone, that of ?3.
 */
export function computeRollup(table: RollupTable, of?: "workspace_id" | "order_id"): string {
  const shape = shapeOf(table);
  const columns = columnsOf(shape).map((column) => {
    const expression =
      column === "first_at" ? "min(first_at)" : column === "last_at" ? "max(last_at)" : shape.columns[column];
    return `${expression} AS ${column}`;
  });
  return `SELECT ${columns.join(", ")} FROM ${shape.from} AND first_at >= ?1 AND first_at < ?2
    ${of === undefined ? "" : `AND lives.${of} = ?3`}
    GROUP BY ${shape.key.map((_, index) => index + 1).join(", ")}`;
}

/** Sorts after the day of any event. */
export const AFTER_ALL_DAYS = "\u{10ffff}";

/** Makes a rollup's rows of the days from ?1 until before ?2 anew. Two statements, for one batch. */
export const remakeRollup = (table: RollupTable): [string, string] => [
  `DELETE FROM ${table} WHERE day >= ?1 AND day < ?2`,
  `INSERT INTO ${table} (${columnsOf(shapeOf(table)).join(", ")}) ${computeRollup(table)}`,
];

/** Takes out of a rollup what the rows of the workspace ?3 count in it. Times stay: they bound, and can only be remade. */
export function subtractRollup(table: RollupTable): string {
  const shape = shapeOf(table);
  const columns = columnsOf(shape);
  const minus = columns.map((column) => (shape.counts.includes(column) ? `-${column}` : column));
  return `INSERT INTO ${table} (${columns.join(", ")})
    SELECT ${minus.join(", ")} FROM (${computeRollup(table, "workspace_id")}) WHERE 1 ${merging(shape)}`;
}
