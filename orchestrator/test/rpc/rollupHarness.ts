import type { CustodyRecord } from "@shared/contracts";
import type { Step } from "../../worker/services/patch/rollups.ts";
import {
  AFTER_ALL_DAYS,
  computeRollup,
  ROLLUP_TABLES,
  ROLLUPS,
  type RollupTable,
} from "../../worker/services/patch/rollupTables.ts";
import { rows } from "./workspaceHarness.ts";

type Rollups = Record<RollupTable, Record<string, unknown>[]>;

const collect = async (read: (table: RollupTable) => Promise<Record<string, unknown>[]>): Promise<Rollups> =>
  Object.fromEntries(
    await Promise.all(ROLLUP_TABLES.map(async (table) => [table, await read(table)] as const)),
  ) as Rollups;

/** The rollups as deliveries kept them. A cell that every patch has left counts nothing. */
export const keptRollups = (): Promise<Rollups> =>
  collect((table) => rows(`SELECT * FROM ${table} WHERE patches <> 0 ORDER BY ${ROLLUPS[table].key.join(", ")}`));

/** The rollups as the rows of `patch_events` alone have them. */
export const computedRollups = (): Promise<Rollups> =>
  collect((table) =>
    rows(`SELECT * FROM (${computeRollup(table)}) ORDER BY ${ROLLUPS[table].key.join(", ")}`, "", AFTER_ALL_DAYS),
  );

/** The steps of records that are all there is of their patches. */
export function stepsOf(records: readonly CustodyRecord[]): Step[] {
  const lives = new Map<string, { first: CustodyRecord; last: CustodyRecord }>();
  return records.flatMap((next) => {
    if (next.patch_id === null) return [];
    const known = lives.get(next.patch_id);
    lives.set(next.patch_id, { first: known?.first ?? next, last: next });
    return [{ first: known?.first ?? next, previous: known?.last ?? null, next }];
  });
}
