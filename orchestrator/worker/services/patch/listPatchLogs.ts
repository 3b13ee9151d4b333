import { ExportFormatSchema, fail, PatchEventTypeSchema, type Result, validationError } from "@shared/contracts";
import { type RawBuilder, sql } from "kysely";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";

/** A time as a date (its first or last millisecond, UTC) or a date-time. */
const bound = (endOfDay: boolean) =>
  z.union([
    z.iso.date().transform((day) => `${day}T${endOfDay ? "23:59:59.999" : "00:00:00.000"}Z`),
    z.iso.datetime({ offset: true }).transform((time) => new Date(time).toISOString()),
  ]);
const text = z.string().min(1).max(200);

export const ListPatchLogsSchema = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
  /** From an earlier page: goes on after its last row, whatever has been added meanwhile. Takes the place of `offset`. */
  cursor: z.string().max(200).optional(),
  order: z.enum(["asc", "desc"]).default("desc"),
  task_id: text.optional(),
  /** A part of the path. */
  file: text.optional(),
  /** A part of the path, operation, patch id or meta; upper and lower case are one. */
  search: text.optional(),
  /** With `search`: of each patch that has it in one of its events, all events. Of three characters or more. */
  lives: z.stringbool().default(false),
  order_id: text.optional(),
  requester: text.optional(),
  op: text.optional(),
  /** Whom the statistics count the patch for: whoever asked for it, whoever its later events are by. */
  factory: text.optional(),
  event_type: PatchEventTypeSchema.optional(),
  from: bound(false).optional(),
  to: bound(true).optional(),
  /** Other than JSON: all rows, or as many as `limit` says, as a stream. */
  format: ExportFormatSchema.default("json"),
});
type PatchLogsQuery = z.infer<typeof ListPatchLogsSchema>;

export const PatchLogRowSchema = z.object({
  id: z.number().int(),
  patch_id: z.string(),
  task_id: z.string().nullable(),
  file_path: z.string(),
  op: z.string(),
  ts_check_ok: z.number().int().nullable(),
  diff_path: z.string().nullable(),
  meta: z.string().nullable(),
  created_at: z.string(),
  event_type: z.string(),
  workspace_id: z.string(),
  seq: z.number().int(),
  batch_id: z.string().nullable(),
  order_id: z.string().nullable(),
  project_id: z.string().nullable(),
  actor: z.string(),
  requester: z.string().nullable(),
  reason: z.string().nullable(),
  phase: z.string().nullable(),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  error_code: z.string().nullable(),
});
type PatchLogRow = z.infer<typeof PatchLogRowSchema>;

/** A row's place in the list: rows are in the order of their time, then of their arrival. */
type Place = { createdAt: string; id: number };
const PlaceSchema = z.tuple([z.string().max(40), z.number().int()]);

/**
 * The log of patch events as it was delivered to D1, newest first unless asked otherwise. Needs `patches:read`.
 * `cursor` is null on the last page. Errors: VALIDATION_FAILED, DATABASE_UNAVAILABLE.
 */
export async function listPatchLogs(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ results: PatchLogRow[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "patches:read");
  if (denied) return denied;
  const parsed = ListPatchLogsSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const query = parsed.data;
  const after = query.cursor === undefined ? null : decode(query.cursor);
  if (query.cursor !== undefined && after === null) {
    return fail("VALIDATION_FAILED", "cursor: not one of this list's cursors");
  }
  let rows;
  try {
    rows = await patchLogsQuery(ctx.db, query, { after, workspaceId: ctx.actor.workspaceId }).execute();
  } catch (error) {
    ctx.log.error("DB_OPS does not answer", { error });
    return fail("DATABASE_UNAVAILABLE", "the database does not answer");
  }
  const shown = rows.slice(0, query.limit).map((row) => PatchLogRowSchema.parse(row));
  const last = shown.at(-1);
  const cursor = rows.length > query.limit && last ? encode({ createdAt: last.created_at, id: last.id }) : null;
  return { ok: true, results: shown, cursor };
}

/** One row more than the page: it says that there is another page. `workspaceId` confines the list to a workspace. */
export function patchLogsQuery(
  db: ServiceContext["db"],
  query: PatchLogsQuery,
  options: { after: Place | null; workspaceId: string | null },
) {
  const { after, workspaceId } = options;
  const comparison = query.order === "asc" ? ">" : "<";
  let rows = db.ops
    .selectFrom("patch_events")
    .select([
      "id",
      "patch_id",
      "task_id",
      "file_path",
      "op",
      "ts_check_ok",
      "diff_path",
      "meta",
      "created_at",
      "event_type",
      "workspace_id",
      "seq",
      "batch_id",
      "order_id",
      "project_id",
      "actor",
      "requester",
      "reason",
      "phase",
      "provider",
      "model",
      "error_code",
    ]);
  if (workspaceId !== null) rows = rows.where("workspace_id", "=", workspaceId);
  for (const column of ["task_id", "order_id", "requester", "op", "event_type"] as const) {
    const value = query[column];
    if (value !== undefined) rows = rows.where(column, "=", value);
  }
  if (query.factory !== undefined) rows = rows.where("patch_factory", "=", query.factory);
  if (query.from !== undefined) rows = rows.where("created_at", ">=", query.from);
  if (query.to !== undefined) rows = rows.where("created_at", "<=", query.to);
  if (query.file !== undefined) rows = rows.where(contains(["file_path"], query.file));
  if (query.search !== undefined) {
    const found = contains(["file_path", "op", "patch_id", "meta"], query.search);
    rows = rows.where(query.lives && isIndexed(query.search) ? ofPatchesWith(found) : found);
  }
  if (after) {
    rows = rows
      .where("created_at", query.order === "asc" ? ">=" : "<=", after.createdAt)
      .where(sql<boolean>`(created_at, id) ${sql.raw(comparison)} (${after.createdAt}, ${after.id})`);
  }
  return rows
    .orderBy("created_at", query.order)
    .orderBy("id", query.order)
    .limit(query.limit + 1)
    .offset(after ? 0 : query.offset);
}

const isIndexed = (needle: string): boolean => Array.from(needle).length >= 3;

/**
 * Whether one of the columns holds the text, by the trigram index. It knows no text under three characters; for those
 * the rows that the other filters leave are looked at one by one, newest first, until the page is full.
 */
function contains(columns: string[], needle: string): RawBuilder<boolean> {
  if (!isIndexed(needle)) {
    const places = columns.map((column) => sql`instr(lower(${sql.ref(column)}), lower(${needle})) > 0`);
    return sql<boolean>`(${sql.join(places, sql` OR `)})`;
  }
  // A phrase in FTS5's own quoting; within it nothing has a meaning but the doubled quote.
  const phrase = `{${columns.join(" ")}} : "${needle.replaceAll('"', '""')}"`;
  return sql<boolean>`id IN (SELECT rowid FROM patch_events_search WHERE patch_events_search MATCH ${phrase})`;
}

/** The events of the patches that have an event of which this is true. */
const ofPatchesWith = (found: RawBuilder<boolean>): RawBuilder<boolean> =>
  sql<boolean>`(patch_id, workspace_id) IN (SELECT patch_id, workspace_id FROM patch_events WHERE ${found})`;

const encode = (place: Place): string => Buffer.from(JSON.stringify([place.createdAt, place.id])).toString("base64url");

function decode(cursor: string): Place | null {
  try {
    const [createdAt, id] = PlaceSchema.parse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8")));
    return { createdAt, id };
  } catch {
    // A caller's cursor is a caller's text: whatever is wrong with it, the answer is the same.
    return null;
  }
}
