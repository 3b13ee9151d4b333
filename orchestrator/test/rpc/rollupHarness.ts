import { type CustodyRecord, GENESIS_HASH } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { hashOf } from "patch-engine/core";
import { logPatchEvent } from "../../worker/services/patch/d1Logger.ts";
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

/** A step of some patch, as little of it as the rollups look at. */
export interface Said {
  patch: number;
  word: "patch_requested" | "patch_applied" | "patch_validated" | "patch_failed" | "patch_reverted";
  check: boolean | null;
  hour: number;
  project: string | null;
  order: string | null;
  requester: string | null;
  provider: string | null;
  error: string | null;
  lines: number;
}

export const aStep = (fields: Partial<Said>): Said => ({
  patch: 1,
  word: "patch_applied",
  check: null,
  hour: 0,
  project: "web",
  order: "ORD-1",
  requester: "ui-factory",
  provider: null,
  error: null,
  lines: 3,
  ...fields,
});

/** Events in whatever order, as the chain of a workspace. */
export function chainOfSaid(workspaceId: string, said: readonly Said[]): CustodyRecord[] {
  let prev_hash: string = GENESIS_HASH;
  return said.map((event, index) => {
    const unhashed = {
      v: 1 as const,
      workspace_id: workspaceId,
      seq: index + 1,
      prev_hash,
      kind: "patch" as const,
      event_type: event.word,
      ts: new Date(Date.UTC(2026, 0, 30, event.hour, 0, 0, event.lines)).toISOString(),
      actor: "factory:test",
      batch_id: null,
      order_id: event.order,
      project_id: event.project,
      patch_id: `${workspaceId}-${event.patch}`,
      file: "src/index.ts",
      op: event.patch % 2 === 0 ? "append" : "prepend",
      task_id: null,
      ts_check_ok: event.check,
      diff_path: null,
      log: null,
      meta: {
        ...(event.requester === null ? {} : { requester: event.requester }),
        ...(event.provider === null ? {} : { provider: event.provider, phase: "build" }),
        ...(event.error === null ? {} : { error: { code: "STALE_CONTENT", message: event.error } }),
        lines_added: event.lines,
        lines_removed: 1,
      },
    };
    prev_hash = hashOf(unhashed);
    return { ...unhashed, hash: prev_hash };
  });
}

/** Delivers a chain in pieces cut at `cuts`, each as often and as late as `again` says. */
export async function deliver(
  records: CustodyRecord[],
  cuts: readonly number[],
  again: readonly number[],
): Promise<void> {
  const steps = stepsOf(records);
  const workspaceId = records[0]?.workspace_id ?? "";
  const ends = [...new Set([...cuts.map((cut) => cut % records.length), records.length])]
    .filter((end) => end > 0)
    .toSorted((a, b) => a - b);
  const deliveries = ends.map((end, index) => {
    const from = ends[index - 1] ?? 0;
    return { workspaceId, from, records: records.slice(from, end), steps: steps.slice(from, end) };
  });
  for (const [index, delivery] of deliveries.entries()) {
    // The right one among repetitions of it and of earlier ones, all at once.
    const others = again.map((other) => deliveries[other % (index + 1)] ?? delivery);
    await Promise.all([delivery, ...others].map((each) => logPatchEvent(env.DB_OPS, each, new Date(0))));
  }
}

export const clearRollups = async () => {
  await env.DB_OPS.batch(
    [...ROLLUP_TABLES, "patch_events", "patch_custody", "workspace_cursors"].map((table) =>
      env.DB_OPS.prepare(`DELETE FROM ${table}`),
    ),
  );
};
