import type { Failed, OpsScope, Result, ScanTotals } from "@shared/contracts";
import { z } from "zod";
import type { ServiceContext } from "../../context.ts";
import { rowsOf } from "../../database/batch.ts";
import { fetchBuildLogs, fetchWorkerLogs, type LogsAsked } from "../../integrations/logs.ts";
import { type Line, lineOf, type LogKind, storeLines } from "./logLines.ts";
import { readReruns } from "./readReruns.ts";
import { sourceIsWell, tellOfSource } from "./tellPeople.ts";

/** How far back a source is read that was never read before, and at most: sources keep logs for some days. */
const FIRST_MS = 24 * 3_600_000;
const LONGEST_MS = 7 * 24 * 3_600_000;
/** One window is at most this long, so that a source that was away for days is caught up with in parts. */
const WINDOW_MS = 24 * 3_600_000;
/** Logs arrive at a source some time after they were written. */
const SETTLE_MS = 2 * 60_000;
/** A source that could be read, and cannot be for so long, is told of: scans run each hour. */
const UNREADABLE_MS = 3 * 3_600_000;
/** How long a line that is not done yet, such as a run that never ends, holds a window open. */
const OPEN_MS = 2 * 24 * 3_600_000;

export interface Ingested {
  /** Whether each source that was asked has been read up to now. */
  complete: boolean;
  errors: string[];
}

interface Reading {
  /** Milliseconds since 1970. */
  deadline: number;
  alive: () => Promise<void>;
  /** Counted up as it goes: what was done before a part broke off has been done. */
  totals: ScanTotals;
}

interface Cursor {
  through: string;
  window_end: string | null;
  place: string | null;
  /** Since when the source gives no page; null: it gave the last one it was asked for. */
  failing_since: string | null;
}
/** A place in a window: as the source names it, and the earliest time of which more is to come, of the pages before. */
const PlaceSchema = z.tuple([z.string().nullable(), z.string().nullable()]);

interface Source {
  name: "cloudflare" | "github-actions";
  kind: LogKind;
  read(
    ctx: ServiceContext,
    asked: LogsAsked,
  ): Promise<Result<{ lines: Line[]; cursor: string | null; openSince: string | null; skipped: number }>>;
}

/**
 * Reads what was logged since the last time and stores it: window by window, page by page, each page with its cursor in
 * one write. Lines are known by what they are, so however often a page is read or a run is cut off, none is stored twice
 * and none is passed over. Ends early at `deadline`; the next call goes on from there.
 */
export async function ingestLogs(
  ctx: ServiceContext,
  scope: OpsScope,
  { deadline, alive, totals }: Reading,
): Promise<Ingested> {
  const ingested: Ingested = { complete: true, errors: [] };
  for (const source of SOURCES) {
    if (scope === "cloudflare" && source.name !== "cloudflare") continue;
    if (scope === "cicd" && source.name !== "github-actions") continue;
    if (source.name === "github-actions") {
      const reruns = await readReruns(ctx, { deadline, alive, totals });
      if (reruns !== null) {
        ingested.complete = false;
        ingested.errors.push(`${source.name}: ${reruns.error.code}: ${reruns.error.message}`);
      }
    }
    const done = await ingestSource(ctx, source, { deadline, alive, totals });
    if (done === true) continue;
    ingested.complete = false;
    if (done === false) continue;
    const failure = `${done.error.code}: ${done.error.message}`;
    ingested.errors.push(`${source.name}: ${failure}`);
    await noteFailure(ctx, source, failure);
  }
  return ingested;
}

/** True: read up to now; false: there was no more time. */
async function ingestSource(
  ctx: ServiceContext,
  source: Source,
  { deadline, alive, totals }: Reading,
): Promise<boolean | Failed> {
  const until = new Date(ctx.now().getTime() - SETTLE_MS);
  let cursor = await cursorOf(ctx, source, until);
  for (;;) {
    const windowEnd: string =
      cursor.window_end ?? new Date(Math.min(until.getTime(), Date.parse(cursor.through) + WINDOW_MS)).toISOString();
    if (windowEnd <= cursor.through) return true;
    if (ctx.now().getTime() >= deadline) return false;
    await alive();
    const before = PlaceSchema.parse(cursor.place === null ? [null, null] : JSON.parse(cursor.place));
    const page = await source.read(ctx, { from: cursor.through, to: windowEnd, cursor: before[0] });
    if (!page.ok && page.error.code === "VALIDATION_FAILED" && cursor.place !== null) {
      // A place that the source does not know any more, as after a deployment: the window is read anew, its lines once.
      cursor = { ...cursor, place: null };
      continue;
    }
    if (!page.ok) return page;
    if (cursor.failing_since !== null) await sourceIsWell(ctx, source.name);
    totals.skipped += page.skipped;
    const openSince = [before[1], page.openSince].filter((at) => at !== null).toSorted()[0] ?? null;
    const isOver = page.cursor === null;
    const next: Cursor = {
      failing_since: null,
      ...(isOver
        ? { through: heldOpen(openSince, cursor.through, windowEnd), window_end: null, place: null }
        : { through: cursor.through, window_end: windowEnd, place: JSON.stringify([page.cursor, openSince]) }),
    };
    const stored = await store(ctx, source, page.lines, next);
    totals.logs_ingested += stored;
    if (source.kind === "worker-log") totals.worker_logs += stored;
    else totals.build_logs += stored;
    // What is held open is read again the next time, not now.
    if (isOver && next.through < windowEnd) return true;
    cursor = next;
  }
}

/** Where the next window begins: at the earliest time of which more is to come, but not for ever. */
function heldOpen(openSince: string | null, from: string, to: string): string {
  if (openSince === null || openSince >= to) return to;
  const floor = new Date(Date.parse(to) - OPEN_MS).toISOString();
  const at = openSince < from ? from : openSince;
  return at < floor ? to : at;
}

async function cursorOf(ctx: ServiceContext, source: Source, until: Date): Promise<Cursor> {
  const row = await ctx.db.logs
    .selectFrom("ingest_cursors")
    .select(["through", "window_end", "place", "failing_since"])
    .where("source", "=", source.name)
    .executeTakeFirst();
  const oldest = new Date(until.getTime() - LONGEST_MS).toISOString();
  const nowhere = { window_end: null, place: null };
  if (!row) return { through: firstOf(until), ...nowhere, failing_since: null };
  if (row.through >= oldest) return row;
  ctx.log.error("a source was not read for longer than it is read back", { source: source.name, from: row.through });
  return { through: oldest, ...nowhere, failing_since: row.failing_since };
}

const firstOf = (until: Date): string => new Date(until.getTime() - FIRST_MS).toISOString();

/**
 * Keeps that a source could not be read, and since when; where that is for long, and it could once, a person is told. A
 * source that was never read begins, once it can be, where it was first asked for.
 */
async function noteFailure(ctx: ServiceContext, source: Source, failure: string): Promise<void> {
  const now = ctx.now();
  const row = await ctx.env.DB_LOGS.prepare(FAILED)
    .bind(source.name, firstOf(new Date(now.getTime() - SETTLE_MS)), now.toISOString(), failure.slice(0, 1_000))
    .first<{ failing_since: string; read_at: string | null }>();
  if (!row || row.read_at === null || Date.parse(row.failing_since) > now.getTime() - UNREADABLE_MS) return;
  await tellOfSource(ctx, { name: source.name, since: row.read_at, failure });
}

async function store(ctx: ServiceContext, source: Source, lines: readonly Line[], next: Cursor): Promise<number> {
  const database = ctx.env.DB_LOGS;
  const statements = storeLines(database, source, lines);
  const results = await database.batch<{ stored: number }>([
    ...statements,
    database.prepare(MOVE).bind(source.name, next.through, next.window_end, next.place, ctx.now().toISOString()),
  ]);
  return results.slice(0, statements.length).reduce((sum, result) => sum + rowsOf(result).length, 0);
}

const MOVE = `
  INSERT INTO ingest_cursors (source, through, window_end, place, updated_at, read_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
  ON CONFLICT (source) DO UPDATE SET through = excluded.through, window_end = excluded.window_end, place = excluded.place,
    updated_at = excluded.updated_at, read_at = excluded.read_at, failing_since = NULL, failure = NULL
  WHERE excluded.through >= ingest_cursors.through`;
const FAILED = `
  INSERT INTO ingest_cursors (source, through, updated_at, failing_since, failure) VALUES (?1, ?2, ?3, ?3, ?4)
  ON CONFLICT (source) DO UPDATE SET failing_since = coalesce(ingest_cursors.failing_since, excluded.failing_since),
    failure = excluded.failure RETURNING failing_since, read_at`;

const SOURCES: readonly Source[] = [
  {
    name: "cloudflare",
    kind: "worker-log",
    read: async (ctx, asked) => {
      const got = await fetchWorkerLogs(ctx.env, asked);
      if (!got.ok) return got;
      const { logs, cursor, open_since: openSince } = got.page;
      return { ok: true, lines: logs.map((line) => lineOf(ctx, "worker-log", line)), cursor, openSince, skipped: 0 };
    },
  },
  {
    name: "github-actions",
    kind: "build-log",
    read: async (ctx, asked) => {
      const got = await fetchBuildLogs(ctx.env, asked);
      if (!got.ok) return got;
      const { logs, cursor, open_since: openSince, skipped } = got.page;
      for (const { run_id, why } of skipped) ctx.log.warn("a run's logs could not be had", { run_id, why });
      const lines = logs.map((line) => lineOf(ctx, "build-log", line));
      return { ok: true, lines, cursor, openSince, skipped: skipped.length };
    },
  },
];
