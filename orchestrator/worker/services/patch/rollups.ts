import type { CustodyRecord } from "@shared/contracts";
import { z } from "zod";
import { templateOf } from "./errorTemplate.ts";
import { COUNTS, type Counts, type RollupTable } from "./rollupTables.ts";

/** What the rollups read of an event's meta. */
const WordsSchema = z.object({
  requester: z.string().optional().catch(undefined),
  phase: z.string().optional().catch(undefined),
  provider: z.string().optional().catch(undefined),
  model: z.string().optional().catch(undefined),
  lines_added: z.number().catch(0),
  lines_removed: z.number().catch(0),
  error: z.object({ code: z.string(), message: z.string().optional() }).optional().catch(undefined),
});
export const wordsOf = (record: CustodyRecord) => WordsSchema.parse(record.meta);

/** One event and what was said of its patch before it. */
export interface Step {
  /** The patch's first event; the event itself where it is the first. */
  first: CustodyRecord;
  previous: CustodyRecord | null;
  next: CustodyRecord;
}

/** Milliseconds from a request to its application, where the step is that; a clock that went back counts as none. */
export function durationOf({ previous, next }: Step): number | null {
  if (previous?.event_type !== "patch_requested" || next.event_type !== "patch_applied") return null;
  const duration = Date.parse(next.ts) - Date.parse(previous.ts);
  return Number.isNaN(duration) ? null : Math.max(0, duration);
}

/** Durations are kept by their four leading binary digits: a bucket is at most an eighth as wide as what is in it. */
export function bucketOf(duration: number): number {
  let width = 1;
  while (duration >= width * 16) width *= 2;
  return Math.floor(duration / width) * width;
}

/** A row to be added to what stands in a rollup: its cell's key, and counts that are negative where a patch leaves. */
type RollupRow = Record<string, string | number>;
export type RollupDeltas = Record<RollupTable, RollupRow[]>;

/** A patch's state after one of its events, as what it counts. */
function countsOf(last: CustodyRecord): Counts {
  const word = last.event_type;
  const stands = word === "patch_applied" || word === "patch_validated";
  const refused = word === "patch_failed";
  const { lines_added, lines_removed } = wordsOf(last);
  return {
    patches: 1,
    requested: Number(word === "patch_requested"),
    applied: Number(word === "patch_applied"),
    validated: Number(word === "patch_validated"),
    refused: Number(refused),
    reverted: Number(word === "patch_reverted"),
    ok: Number(last.ts_check_ok === true && !refused),
    failed: Number(last.ts_check_ok === false || refused),
    stands: Number(stands),
    lines_added: stands ? lines_added : 0,
    lines_removed: stands ? lines_removed : 0,
    timed: 0,
    duration_ms: 0,
  };
}

/** The day and the projects a patch counts for: '' stands for all of them. */
const placesOf = ({ ts, project_id }: CustodyRecord) => ({
  day: ts.slice(0, 10),
  scopes: project_id === null || project_id === "" ? [""] : ["", project_id],
});

/** Who a patch counts for among factories: whoever asked for it, by the first of its events. */
export const factoryOf = (first: CustodyRecord): string => wordsOf(first).requester || first.actor;

/** The cells of a patch: those of its first event, so that it stays where it was asked for, whatever becomes of it. */
function cellsOf(first: CustodyRecord): [RollupTable, RollupRow][] {
  const { day, scopes } = placesOf(first);
  const { provider = "", phase = "" } = wordsOf(first);
  return [
    ...scopes.flatMap((project_id): [RollupTable, RollupRow][] => [
      ["patch_days", { project_id, day }],
      ["patch_factory_days", { project_id, day, factory: factoryOf(first) }],
      ["patch_op_days", { project_id, day, op: first.op ?? "" }],
      ["patch_provider_days", { project_id, day, provider }],
      ["patch_phase_days", { project_id, day, phase }],
    ]),
    ["patch_order_days", { day, order_id: first.order_id ?? "", project_id: first.project_id ?? "" }],
  ];
}

/**
 * What the steps change in the rollups. A patch counts by its last word: with every step it leaves the columns of the
 * word before and enters those of the new one, in the same cells; only the cell of an error is the last event's.
 */
export function rollupDeltas(steps: readonly Step[]): RollupDeltas {
  const deltas = new Deltas();
  for (const step of steps) {
    const { first, previous, next } = step;
    const duration = durationOf(step);
    const counts = countsOf(next);
    if (previous) addTo(counts, countsOf(previous), -1);
    if (duration !== null) addTo(counts, { timed: 1, duration_ms: duration }, 1);
    for (const [table, cell] of cellsOf(first))
      deltas.add(table, cell, { ...counts }, { first: first.ts, last: next.ts });

    const { day, scopes } = placesOf(first);
    for (const project_id of scopes) {
      if (duration !== null) {
        const cell = { project_id, day, bucket: bucketOf(duration) };
        deltas.add("patch_duration_days", cell, { patches: 1, duration_ms: duration });
      }
      for (const [last, patches] of [[previous, -1] as const, [next, 1] as const]) {
        const error = last === null ? undefined : wordsOf(last).error;
        if (error === undefined) continue;
        const cell = { project_id, day, code: error.code, template: templateOf(error.message ?? "") };
        deltas.add("patch_error_days", cell, { patches });
      }
    }
  }
  return deltas.rows();
}

function addTo(counts: Counts, more: Partial<Counts>, sign: 1 | -1): void {
  for (const name of COUNTS) counts[name] += sign * (more[name] ?? 0);
}

interface Span {
  first: string;
  last: string;
}

/** Sums what is added to each cell, so that a delivery writes it once. */
class Deltas {
  readonly #cells = new Map<
    string,
    { table: RollupTable; cell: RollupRow; sums: Record<string, number>; span: Span | null }
  >();

  /** `span`: for the tables that keep the first and the last time of their cells. */
  add(table: RollupTable, cell: RollupRow, counts: Record<string, number>, span: Span | null = null): void {
    const name = JSON.stringify([table, cell]);
    const known = this.#cells.get(name);
    if (!known) {
      this.#cells.set(name, { table, cell, sums: counts, span });
      return;
    }
    for (const [count, by] of Object.entries(counts)) known.sums[count] = (known.sums[count] ?? 0) + by;
    if (known.span === null || span === null) return;
    known.span = {
      first: span.first < known.span.first ? span.first : known.span.first,
      last: span.last > known.span.last ? span.last : known.span.last,
    };
  }

  rows(): RollupDeltas {
    const rows: RollupDeltas = {
      patch_days: [],
      patch_factory_days: [],
      patch_op_days: [],
      patch_provider_days: [],
      patch_phase_days: [],
      patch_order_days: [],
      patch_error_days: [],
      patch_duration_days: [],
    };
    for (const { table, cell, sums, span } of this.#cells.values()) {
      if (table === "patch_error_days" && sums.patches === 0) continue;
      rows[table].push({ ...cell, ...sums, ...(span === null ? {} : { first_at: span.first, last_at: span.last }) });
    }
    return rows;
  }
}
