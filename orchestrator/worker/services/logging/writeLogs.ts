import {
  fail,
  findIllFormedString,
  type LogsWritten,
  MAX_LOG_CHARACTERS,
  MAX_LOG_MESSAGE,
  MAX_LOG_META,
  type OperationEntry,
  type Result,
  validationError,
  WriteLogsSchema,
} from "@shared/contracts";
import { type ServiceContext, requireScope } from "../../context.ts";
import { redacted, redactorOf } from "./redact.ts";

/** Lines a source may write a minute: a factory or a token, and this Worker's own parts. */
export const LINES_A_MINUTE = 600;
const OWN_LINES_A_MINUTE = 6_000;

/**
 * Stores lines of `operation_logs` under the caller's name, without secrets (by value and by pattern) and cut to what one
 * line may hold. Lines over what the source may write a minute are dropped, and the first time in a minute that is a line
 * itself. Needs `logs:write`. Errors: VALIDATION_FAILED, ILL_FORMED_UNICODE, BODY_TOO_LARGE, FORBIDDEN (a line of another
 * workspace than the caller's). Throws where the database does not answer.
 */
export async function writeLogs(ctx: ServiceContext, input: unknown): Promise<Result<LogsWritten>> {
  const denied = requireScope(ctx, "logs:write");
  if (denied) return denied;
  const parsed = WriteLogsSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { entries } = parsed.data;
  if (findIllFormedString(entries)) return fail("ILL_FORMED_UNICODE", "a text holds half of a surrogate pair");
  if (JSON.stringify(entries).length > MAX_LOG_CHARACTERS) {
    return fail("BODY_TOO_LARGE", `the lines of one call may have ${MAX_LOG_CHARACTERS} characters at most`);
  }
  const { workspaceId } = ctx.actor;
  if (workspaceId !== null && entries.some((entry) => (entry.workspaceId ?? workspaceId) !== workspaceId)) {
    return fail("FORBIDDEN", "this token is confined to another workspace");
  }
  if (entries.length === 0) return { ok: true, written: 0, dropped: 0 };
  const source = ctx.actor.id;
  const isOwn = ctx.actor.kind === "system";
  const now = ctx.now().toISOString();
  const rows = entries.map((entry) => rowOf(ctx, entry));
  return {
    ok: true,
    ...(await insert(ctx.env.DB_LOGS, { source, rows, now, limit: isOwn ? OWN_LINES_A_MINUTE : LINES_A_MINUTE })),
  };
}

function rowOf(ctx: ServiceContext, entry: OperationEntry) {
  const redact = redactorOf(ctx.env);
  return {
    operation: entry.operation,
    level: entry.level,
    message: cut(redact(entry.message), MAX_LOG_MESSAGE),
    outcome: entry.outcome ?? null,
    actor: ctx.actor.id,
    request_id: redact(entry.requestId ?? ctx.requestId),
    workspace_id: entry.workspaceId ?? ctx.actor.workspaceId,
    order_id: entry.orderId ?? null,
    task_id: entry.taskId ?? null,
    patch_id: entry.patchId ?? null,
    duration_ms: entry.durationMs ?? null,
    meta: entry.meta === undefined ? null : metaOf(ctx.env, entry.meta),
  };
}

/** The meta's JSON; of one that is too long only what it was about, since half of a JSON text is none. */
function metaOf(env: Env, meta: NonNullable<OperationEntry["meta"]>): string {
  const text = JSON.stringify(redacted(env, meta));
  return text.length <= MAX_LOG_META
    ? text
    : JSON.stringify({
        truncated: true,
        characters: text.length,
        names: Object.keys(meta)
          .slice(0, 50)
          .map((name) => redactorOf(env)(name).slice(0, 100)),
      });
}

const cut = (text: string, characters: number): string =>
  text.length <= characters ? text : `${text.slice(0, characters - 1).toWellFormed()}…`;

/**
 * As many rows as the source's minute still allows, and the count of both kinds, in one batch: calls at once cannot pass
 * the limit together.
 */
async function insert(
  database: D1Database,
  { source, rows, now, limit }: { source: string; rows: ReturnType<typeof rowOf>[]; now: string; limit: number },
): Promise<LogsWritten> {
  const minute = now.slice(0, 16);
  const [inserted] = await database.batch([
    database.prepare(INSERT).bind(JSON.stringify(rows), source, now, minute, limit),
    database.prepare(SAY_DROPPED).bind(source, now, minute, rows.length, limit),
    database.prepare(COUNT).bind(source, minute, rows.length, limit),
  ]);
  // Rows that the search index's triggers write are not counted among the returned ones.
  const written = inserted?.results.length ?? 0;
  return { written, dropped: rows.length - written };
}

const INSERT = `
  INSERT INTO operation_logs (source, ts, operation, level, message, outcome, actor, request_id, workspace_id, order_id,
    task_id, patch_id, duration_ms, meta)
  SELECT ?2, ?3, value ->> 'operation', value ->> 'level', value ->> 'message', value ->> 'outcome', value ->> 'actor',
    value ->> 'request_id', value ->> 'workspace_id', value ->> 'order_id', value ->> 'task_id', value ->> 'patch_id',
    value ->> 'duration_ms', value ->> 'meta'
  FROM json_each(?1)
  WHERE key < ?5 - coalesce((SELECT written FROM log_rates WHERE source = ?2 AND minute = ?4), 0)
  ORDER BY key
  RETURNING id`;
const SAY_DROPPED = `
  INSERT INTO operation_logs (source, ts, operation, level, message, outcome)
  SELECT ?1, ?2, 'log.limit', 'warn', 'more than ' || ?5 || ' lines in a minute: the rest of this minute are dropped', 'dropped'
  WHERE ?4 + coalesce((SELECT written FROM log_rates WHERE source = ?1 AND minute = ?3), 0) > ?5
    AND coalesce((SELECT dropped FROM log_rates WHERE source = ?1 AND minute = ?3), 0) = 0`;
const COUNT = `
  INSERT INTO log_rates (source, minute, written, dropped)
  VALUES (?1, ?2, min(?3, ?4), max(0, ?3 - ?4))
  ON CONFLICT (source, minute) DO UPDATE SET
    written = min(?4, written + ?3), dropped = dropped + max(0, written + ?3 - ?4)`;
