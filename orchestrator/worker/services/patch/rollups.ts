import type { CustodyRecord } from "@shared/contracts";
import { z } from "zod";

/** Counts of `patch_rollups` that a change adds to a cell; negative where a patch leaves a column. */
export interface RollupDelta {
  day: string;
  dimension: string;
  key: string;
  patches: number;
  requested: number;
  applied: number;
  validated: number;
  failed: number;
  reverted: number;
  succeeded: number;
  type_checked_ok: number;
  type_checked_failed: number;
  lines_added: number;
  lines_removed: number;
}

type Counts = Omit<RollupDelta, "day" | "dimension" | "key">;

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

/** A patch's state after one of its events: the cells it stands in and what it counts there. */
function countsOf(last: CustodyRecord): Counts {
  const word = last.event_type;
  const done = word === "patch_applied" || word === "patch_validated";
  const { lines_added, lines_removed } = wordsOf(last);
  return {
    patches: 1,
    requested: Number(word === "patch_requested"),
    applied: Number(word === "patch_applied"),
    validated: Number(word === "patch_validated"),
    failed: Number(word === "patch_failed"),
    reverted: Number(word === "patch_reverted"),
    succeeded: Number(done && last.ts_check_ok !== false),
    type_checked_ok: Number(last.ts_check_ok === true),
    type_checked_failed: Number(last.ts_check_ok === false),
    lines_added: done ? lines_added : 0,
    lines_removed: done ? lines_removed : 0,
  };
}

function cellsOf(first: CustodyRecord, last: CustodyRecord): { day: string; dimension: string; key: string }[] {
  const day = first.ts.slice(0, 10);
  const asked = wordsOf(first);
  const keys: [string, string | null | undefined][] = [
    ["all", ""],
    ["op", first.op],
    ["requester", asked.requester],
    ["actor", first.actor],
    ["order", first.order_id],
    ["project", first.project_id],
    ["phase", asked.phase],
    ["provider", asked.provider],
    ["model", asked.model],
    ["error", wordsOf(last).error?.code],
  ];
  return keys.flatMap(([dimension, key]) => (key === null || key === undefined ? [] : [{ day, dimension, key }]));
}

/** One event and what was said of its patch before it. */
export interface Step {
  /** The patch's first event; the event itself where it is the first. */
  first: CustodyRecord;
  previous: CustodyRecord | null;
  next: CustodyRecord;
}

/** What the steps change in the rollups: each patch leaves the cells of its previous word and enters those of its new one. */
export function rollupDeltas(steps: readonly Step[]): RollupDelta[] {
  const deltas = new Map<string, RollupDelta>();
  const count = (first: CustodyRecord, last: CustodyRecord, sign: 1 | -1) => {
    const counts = countsOf(last);
    for (const cell of cellsOf(first, last)) {
      const name = JSON.stringify(cell);
      const delta = deltas.get(name);
      deltas.set(name, { ...cell, ...sum(delta, counts, sign) });
    }
  };
  for (const { first, previous, next } of steps) {
    if (previous) count(first, previous, -1);
    count(first, next, 1);
  }
  return [...deltas.values()].filter(changesSomething);
}

const sum = (a: Counts | undefined, b: Counts, sign: 1 | -1): Counts => ({
  patches: (a?.patches ?? 0) + sign * b.patches,
  requested: (a?.requested ?? 0) + sign * b.requested,
  applied: (a?.applied ?? 0) + sign * b.applied,
  validated: (a?.validated ?? 0) + sign * b.validated,
  failed: (a?.failed ?? 0) + sign * b.failed,
  reverted: (a?.reverted ?? 0) + sign * b.reverted,
  succeeded: (a?.succeeded ?? 0) + sign * b.succeeded,
  type_checked_ok: (a?.type_checked_ok ?? 0) + sign * b.type_checked_ok,
  type_checked_failed: (a?.type_checked_failed ?? 0) + sign * b.type_checked_failed,
  lines_added: (a?.lines_added ?? 0) + sign * b.lines_added,
  lines_removed: (a?.lines_removed ?? 0) + sign * b.lines_removed,
});

const changesSomething = ({ day: _day, dimension: _dimension, key: _key, ...counts }: RollupDelta): boolean =>
  Object.values(counts).some((count) => count !== 0);
