import {
  fail,
  LogLevelSchema,
  type OperationLevel,
  type OperationLog,
  OperationLogSchema,
  type Result,
  validationError,
} from "@shared/contracts";
import { type RawBuilder, sql } from "kysely";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { batch, rowsOf } from "../../database/batch.ts";

/** A time as a date (its first or last millisecond, UTC) or a date-time. */
const bound = (endOfDay: boolean) =>
  z.union([
    z.iso.date().transform((day) => `${day}T${endOfDay ? "23:59:59.999" : "00:00:00.000"}Z`),
    z.iso.datetime({ offset: true }).transform((time) => new Date(time).toISOString()),
  ]);
const text = z.string().min(1).max(200);

export const ListLogsSchema = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  /** From an earlier page: goes on before its last row, whatever has been added meanwhile. */
  cursor: z.string().max(200).optional(),
  /** A tail: what came after the row of this id, oldest first; `last` is the next one's. */
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
  source: text.optional(),
  operation: text.optional(),
  /** One level, or several with commas between. */
  level: z
    .string()
    .max(40)
    .transform((levels) => levels.split(","))
    .pipe(z.array(LogLevelSchema))
    .optional(),
  outcome: text.optional(),
  order_id: text.optional(),
  task_id: text.optional(),
  patch_id: text.optional(),
  request_id: text.optional(),
  /** A part of the operation, message or meta; upper and lower case are one. */
  search: text.optional(),
  from: bound(false).optional(),
  to: bound(true).optional(),
  /** `ndjson`: all rows, or as many as `limit` says, as a stream. */
  format: z.enum(["json", "ndjson"]).default("json"),
});
export type LogsQuery = z.infer<typeof ListLogsSchema>;

type Place = { ts: string; id: number };
const PlaceSchema = z.tuple([z.string().max(40), z.number().int()]);
const LastSchema = z.object({ last: z.number().int().nullable() });

export interface LogsPage {
  results: OperationLog[];
  /** Of older rows; null on the last page and in a tail. */
  cursor: string | null;
  /** Every row that fits and has this id or a smaller one was visible: where a tail goes on. */
  last: number;
}

/**
 * Lines of `operation_logs`, newest first; with `after`, those that came since, oldest first. Needs `logs:read`; who is
 * confined to a workspace sees its lines alone. Errors: VALIDATION_FAILED. Throws where the database does not answer.
 */
export async function listLogs(ctx: ServiceContext, input: unknown): Promise<Result<LogsPage>> {
  const denied = requireScope(ctx, "logs:read");
  if (denied) return denied;
  const parsed = ListLogsSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const query = parsed.data;
  const before = query.cursor === undefined ? null : decode(query.cursor);
  if (query.cursor !== undefined && before === null) {
    return fail("VALIDATION_FAILED", "cursor: not one of this list's cursors");
  }
  if (query.cursor !== undefined && query.after !== undefined) {
    return fail("VALIDATION_FAILED", "after: a tail has no pages; leave out the cursor");
  }
  // One batch is one reading: what the rows leave out has an id above `last`.
  const [found, newest] = await batch(ctx.env.DB_LOGS, [
    logsQuery(ctx.db, query, { before, workspaceId: ctx.actor.workspaceId }),
    ctx.db.logs.selectFrom("operation_logs").select((eb) => eb.fn.max("id").as("last")),
  ]);
  const rows = rowsOf(found).map((row) => OperationLogSchema.parse(row));
  const shown = rows.slice(0, query.limit);
  const end = shown.at(-1);
  const max = LastSchema.parse(rowsOf(newest)[0]).last ?? 0;
  const more = rows.length > query.limit && end !== undefined;
  if (query.after !== undefined) {
    return { ok: true, results: shown, cursor: null, last: more ? end.id : Math.max(max, query.after) };
  }
  return { ok: true, results: shown, cursor: more ? encode({ ts: end.ts, id: end.id }) : null, last: max };
}

/** One row more than the page: it says that there is another page. */
export function logsQuery(
  db: ServiceContext["db"],
  query: LogsQuery,
  options: { before: Place | null; workspaceId: string | null },
) {
  const { before, workspaceId } = options;
  let rows = db.logs
    .selectFrom("operation_logs")
    .select([
      "id",
      "ts",
      "source",
      "operation",
      "level",
      "message",
      "outcome",
      "actor",
      "request_id",
      "workspace_id",
      "order_id",
      "task_id",
      "patch_id",
      "duration_ms",
      "meta",
    ]);
  if (workspaceId !== null) rows = rows.where("workspace_id", "=", workspaceId);
  for (const column of ["source", "operation", "outcome", "order_id", "task_id", "patch_id", "request_id"] as const) {
    const value = query[column];
    if (value !== undefined) rows = rows.where(column, "=", value);
  }
  if (query.level !== undefined) rows = rows.where(ofLevels(query.level));
  if (query.from !== undefined) rows = rows.where("ts", ">=", query.from);
  if (query.to !== undefined) rows = rows.where("ts", "<=", query.to);
  if (query.search !== undefined) rows = rows.where(contains(query.search));
  if (query.after !== undefined) {
    return rows
      .where("id", ">", query.after)
      .orderBy("id")
      .limit(query.limit + 1);
  }
  if (before) {
    rows = rows.where("ts", "<=", before.ts).where(sql<boolean>`(ts, id) < (${before.ts}, ${before.id})`);
  }
  return rows
    .orderBy("ts", "desc")
    .orderBy("id", "desc")
    .limit(query.limit + 1);
}

/**
 * Whether a line is of one of these levels. In words that the index of warnings and errors is made for; of other sets the
 * lines are looked at in their order, as they are most of all lines.
 */
function ofLevels(levels: readonly OperationLevel[]): RawBuilder<boolean> {
  const wanted = [...new Set(levels)].toSorted();
  if (wanted.length === 1) return sql<boolean>`level = ${wanted[0]}`;
  if (wanted.join() === "error,warn") return sql<boolean>`+level IN ('warn', 'error')`;
  return sql<boolean>`+level IN (${sql.join(wanted)})`;
}

/** Whether a line holds the text, by the trigram index; a text under three characters is looked for row by row. */
function contains(needle: string): RawBuilder<boolean> {
  if (Array.from(needle).length < 3) {
    const places = ["operation", "message", "meta"].map(
      (column) => sql`instr(lower(coalesce(${sql.ref(column)}, '')), lower(${needle})) > 0`,
    );
    return sql<boolean>`(${sql.join(places, sql` OR `)})`;
  }
  // A phrase in FTS5's own quoting; within it nothing has a meaning but the doubled quote.
  const phrase = `"${needle.replaceAll('"', '""')}"`;
  return sql<boolean>`id IN (SELECT rowid FROM operation_logs_search WHERE operation_logs_search MATCH ${phrase})`;
}

const encode = (place: Place): string => Buffer.from(JSON.stringify([place.ts, place.id])).toString("base64url");

function decode(cursor: string): Place | null {
  try {
    const [ts, id] = PlaceSchema.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
    return { ts, id };
  } catch {
    // A caller's cursor is a caller's text: whatever is wrong with it, the answer is the same.
    return null;
  }
}
