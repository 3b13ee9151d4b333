import { fail, type Result, type Stats, StatsQuerySchema, validationError } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import type { Counts } from "../patch/rollupTables.ts";
import { requireAllPatches } from "./access.ts";
import type { Keyed } from "./cells.ts";
import { daysOf, firstMoment, lastMoment } from "./days.ts";
import { countsOf, durationsOf, meanOf, sumOf } from "./patchCounts.ts";
import { percentagesOf } from "./percentages.ts";
import { readStats, type StatsRows } from "./statsQueries.ts";

const DEFAULT_DAYS = 7;
/** Kinds of errors an answer names; what is left is one more, so that the shares still add up. */
const MAX_ERRORS = 50;

/**
 * Counts, shares and durations of the patches asked for in a range of days: of all, of a project, or of an order, whose
 * own patches are counted. Needs `patches:read`. Errors: VALIDATION_FAILED, DATABASE_UNAVAILABLE.
 */
export async function getStats(ctx: ServiceContext, input: unknown): Promise<Result<Stats>> {
  const denied = requireAllPatches(ctx);
  if (denied) return denied;
  const parsed = StatsQuerySchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { project, order } = parsed.data;
  const asked = daysOf(parsed.data, DEFAULT_DAYS, ctx.now().toISOString().slice(0, 10));
  if (!asked.ok) return asked;
  let rows;
  try {
    ({ rows } = await readStats(ctx.env.DB_OPS, asked.days, { project: project ?? null, order: order ?? null }));
  } catch (error) {
    ctx.log.error("DB_OPS does not answer", { error });
    return fail("DATABASE_UNAVAILABLE", "the database does not answer");
  }
  return { ok: true, range: { from: firstMoment(asked.days), to: lastMoment(asked.days) }, ...statsOf(rows) };
}

const STATUSES = ["requested", "applied", "validated", "refused", "reverted"] as const;
/** A patch's last word by the name its status has everywhere else. */
const statusName = (word: (typeof STATUSES)[number]): string => (word === "refused" ? "failed" : word);

function statsOf(rows: StatsRows): Omit<Stats, "ok" | "range"> {
  const totals = sumOf(rows.days);
  const statusShares = percentagesOf(STATUSES.map((word) => totals[word]));
  const operations = shared(rows.ops);
  return {
    totals: countsOf(totals),
    byStatus: STATUSES.map((word, index) => ({
      status: statusName(word),
      count: totals[word],
      pct: statusShares[index] ?? 0,
    })),
    daily: rows.days.map((row) => ({ day: row.key, ...countsOf(row) })),
    byFactory: shared(rows.factories).map(({ row, pct }) => ({ factory: row.key, ...detail(row), pct })),
    byOp: operations.map(({ row, pct }) => ({
      op: row.key,
      count: row.patches,
      ok: row.ok,
      failed: row.failed,
      pct,
    })),
    byProvider: shared(rows.providers).map(({ row, pct }) => ({ provider: row.key || null, ...detail(row), pct })),
    errors: errorsOf(rows.errors),
    durations: durationsOf(rows.buckets),
  };
}

const shared = (rows: readonly Keyed[]): { row: Keyed; pct: number }[] => {
  const shares = percentagesOf(rows.map((row) => row.patches));
  return rows.map((row, index) => ({ row, pct: shares[index] ?? 0 }));
};

const detail = (row: Counts) => ({ ...countsOf(row, 1), success: row.ok, mean_ms: meanOf(row) });

function errorsOf(rows: StatsRows["errors"]): Stats["errors"] {
  const named = rows.slice(0, MAX_ERRORS);
  const rest = rows.slice(MAX_ERRORS).reduce((sum, row) => sum + row.patches, 0);
  const kinds = [
    ...named.map(({ code, template, patches }) => ({ error: template || code, code, template, occurrences: patches })),
    ...(rest === 0 ? [] : [{ error: "all others", code: null, template: "", occurrences: rest }]),
  ];
  const shares = percentagesOf(kinds.map((kind) => kind.occurrences));
  return kinds.map((kind, index) => ({ ...kind, pct: shares[index] ?? 0 }));
}
