import type { AttemptClass, EXECUTION_STATUSES, Usage, VibeError } from "@shared/contracts";
import { type Selectable, sql } from "kysely";
import type { ServiceContext } from "../../../context.ts";
import { batch, rowsOf } from "../../../database/batch.ts";
import type { OpsDatabase } from "../../../database/schema.ts";

/** The rows of executions and their attempts. Every write is conditional: carried out again, it changes nothing more. */

export type ExecutionRow = Selectable<OpsDatabase["ai_provider_executions"]>;
export type ExecutionStatus = (typeof EXECUTION_STATUSES)[number];

const LIVE = ["queued", "running", "waiting"] as const;
const isLive = (status: string): boolean => LIVE.some((live) => live === status);

export const findExecution = (ctx: ServiceContext, executionId: string): Promise<ExecutionRow | undefined> =>
  ctx.db.ops
    .selectFrom("ai_provider_executions")
    .selectAll()
    .where("execution_id", "=", executionId)
    .executeTakeFirst();

/** Moves a queued execution to running. Null where it is over, or there is none. */
export async function beginExecution(ctx: ServiceContext, executionId: string): Promise<ExecutionRow | null> {
  const { ops } = ctx.db;
  const at = ctx.now().toISOString();
  await batch(ctx.env.DB_OPS, [
    ops
      .updateTable("ai_provider_executions")
      .set({ status: "running", started_at: sql`coalesce(started_at, ${at})` })
      .where("execution_id", "=", executionId)
      .where("status", "=", "queued"),
    ops
      .updateTable("ai_provider_assignments")
      .set({ status: "running", updated_at: at })
      .where("execution_id", "=", executionId)
      .where("status", "in", ["pending", "assigned"]),
  ]);
  const row = await findExecution(ctx, executionId);
  return row && isLive(row.status) ? row : null;
}

/** Whether someone has ended the execution from outside, or asked to. */
export async function isStopped(ctx: ServiceContext, executionId: string): Promise<boolean> {
  const row = await ctx.db.ops
    .selectFrom("ai_provider_executions")
    .select(["status", "cancel_reason"])
    .where("execution_id", "=", executionId)
    .executeTakeFirst();
  return row === undefined || !isLive(row.status) || row.cancel_reason !== null;
}

export interface OpenedAttempt {
  executionId: string;
  attempt: number;
  provider: string;
  model: string;
  /** JSON without a key. */
  input: object;
  /** Whether the execution shows this attempt's provider as its own; those of a race do not. */
  leads: boolean;
}

/** Puts an attempt on record before anything is asked of its provider. False where the execution is over. */
export async function openAttempt(ctx: ServiceContext, opened: OpenedAttempt): Promise<boolean> {
  const { executionId, attempt, provider, model, input, leads } = opened;
  const at = ctx.now().toISOString();
  const { ops } = ctx.db;
  const live = sql<boolean>`EXISTS (SELECT 1 FROM ai_provider_executions
    WHERE execution_id = ${executionId} AND status IN ('queued', 'running', 'waiting') AND cancel_reason IS NULL)`;
  await batch(ctx.env.DB_OPS, [
    ops
      .insertInto("ai_provider_attempts")
      .columns(["execution_id", "attempt", "provider_name", "model", "status", "input", "started_at"])
      .expression(
        sql`SELECT ${executionId}, ${attempt}, ${provider}, ${model}, 'running', ${JSON.stringify(input)}, ${at}
            WHERE ${live} ON CONFLICT DO NOTHING`,
      ),
    ops
      .updateTable("ai_provider_executions")
      .set({
        attempts: sql`max(attempts, ${attempt})`,
        ...(leads ? { provider_name: provider, model } : {}),
      })
      .where("execution_id", "=", executionId)
      .where(live),
  ]);
  return !(await isStopped(ctx, executionId));
}

/** Notes that the attempt's provider is about to be asked. False where that was noted before: it may have been asked. */
export async function markAsked(ctx: ServiceContext, executionId: string, attempt: number): Promise<boolean> {
  const marked = await sql`
    UPDATE ai_provider_attempts SET input = json_set(input, '$.asked_at', ${ctx.now().toISOString()})
    WHERE execution_id = ${executionId} AND attempt = ${attempt} AND input ->> '$.asked_at' IS NULL
    RETURNING attempt`.execute(ctx.db.ops);
  return marked.rows.length > 0;
}

/** Keeps what the provider calls the run, so that it can be ended from elsewhere. */
export async function keepExternalId(
  ctx: ServiceContext,
  executionId: string,
  attempt: number,
  externalId: string | null,
): Promise<void> {
  await ctx.db.ops
    .updateTable("ai_provider_attempts")
    .set({ external_id: externalId })
    .where("execution_id", "=", executionId)
    .where("attempt", "=", attempt)
    .where("status", "=", "running")
    .execute();
}

/** Puts an attempt on record that could not begin. */
export async function recordUnbegun(
  ctx: ServiceContext,
  unbegun: Pick<ClosedAttempt, "executionId" | "attempt" | "class" | "message" | "error"> & {
    provider: string;
    model: string;
  },
): Promise<void> {
  const { executionId, attempt, provider, model, message, error } = unbegun;
  const at = ctx.now().toISOString();
  const { ops } = ctx.db;
  await batch(ctx.env.DB_OPS, [
    ops
      .insertInto("ai_provider_attempts")
      .values({
        execution_id: executionId,
        attempt,
        provider_name: provider,
        model,
        status: "ended",
        class: unbegun.class,
        message,
        error: error === null ? null : JSON.stringify(error),
        started_at: at,
        finished_at: at,
        duration_ms: 0,
      })
      .onConflict((conflict) => conflict.doNothing()),
    ops
      .updateTable("ai_provider_executions")
      .set({ attempts: sql`max(attempts, ${attempt})` })
      .where("execution_id", "=", executionId)
      .where("status", "in", LIVE),
  ]);
}

export interface CollectedAttempt {
  executionId: string;
  attempt: number;
  externalId: string | null;
  baseCommit: string | null;
  cliVersion: string | null;
  /** The change as the provider gave it. */
  change: string | null;
  summary: string | null;
  usage: Usage;
}

/** Keeps what a provider came back with. */
export async function keepCollected(ctx: ServiceContext, collected: CollectedAttempt): Promise<void> {
  const { executionId, attempt, usage } = collected;
  await batch(ctx.env.DB_OPS, [
    ctx.db.ops
      .updateTable("ai_provider_attempts")
      .set({
        external_id: collected.externalId,
        base_commit: collected.baseCommit,
        cli_version: collected.cliVersion,
        patch_data: collected.change,
        input_tokens: usage.inputTokens,
        output_tokens: usage.outputTokens,
        cached_tokens: usage.cachedTokens,
      })
      .where("execution_id", "=", executionId)
      .where("attempt", "=", attempt)
      .where("status", "=", "running"),
    ctx.db.ops
      .updateTable("ai_provider_executions")
      .set({ output: collected.summary })
      .where("execution_id", "=", executionId)
      .where("status", "in", LIVE),
  ]);
}

export interface ClosedAttempt {
  executionId: string;
  attempt: number;
  class: AttemptClass;
  message: string;
  error: VibeError | null;
  batchId: string | null;
  costUsd: number | null;
}

/** Ends an attempt, once, and brings the execution's sums up to date. */
export async function closeAttempt(ctx: ServiceContext, closed: ClosedAttempt): Promise<void> {
  const { executionId, attempt } = closed;
  const at = ctx.now().toISOString();
  await batch(ctx.env.DB_OPS, [
    ctx.db.ops
      .updateTable("ai_provider_attempts")
      .set({
        status: "ended",
        class: closed.class,
        message: closed.message,
        error: closed.error === null ? null : JSON.stringify(closed.error),
        batch_id: closed.batchId,
        cost_usd: closed.costUsd,
        finished_at: at,
        duration_ms: sql`CAST(round((julianday(${at}) - julianday(started_at)) * 86400000) AS INTEGER)`,
      })
      .where("execution_id", "=", executionId)
      .where("attempt", "=", attempt)
      .where("status", "=", "running"),
    sumsQuery(ctx, executionId),
  ]);
}

/** An execution's tokens and cost are those of its attempts; null where none of them said. */
const sumsQuery = (ctx: ServiceContext, executionId: string) => {
  const sumOf = (column: "input_tokens" | "output_tokens" | "cost_usd") =>
    sql<number | null>`(SELECT sum(${sql.ref(column)}) FROM ai_provider_attempts WHERE execution_id = ${executionId})`;
  return ctx.db.ops
    .updateTable("ai_provider_executions")
    .set({
      input_tokens: sumOf("input_tokens"),
      output_tokens: sumOf("output_tokens"),
      cost_usd: sumOf("cost_usd"),
    })
    .where("execution_id", "=", executionId);
};

/** The change an attempt collected. */
export async function changeOf(ctx: ServiceContext, executionId: string, attempt: number): Promise<string | null> {
  const row = await ctx.db.ops
    .selectFrom("ai_provider_attempts")
    .select("patch_data")
    .where("execution_id", "=", executionId)
    .where("attempt", "=", attempt)
    .executeTakeFirst();
  return row?.patch_data ?? null;
}

/**
 * Takes the execution's one place for a batch. Of several attempts, and of a batch and a cancellation, exactly one gets
 * it; who has it keeps it.
 */
export async function claimBatch(ctx: ServiceContext, executionId: string, batchId: string): Promise<boolean> {
  const row = await ctx.db.ops
    .updateTable("ai_provider_executions")
    .set({ batch_id: batchId })
    .where("execution_id", "=", executionId)
    .where("status", "in", LIVE)
    .where("cancel_reason", "is", null)
    .where((eb) => eb.or([eb("batch_id", "is", null), eb("batch_id", "=", batchId)]))
    .returning("batch_id")
    .executeTakeFirst();
  return row !== undefined;
}

/** Gives the place back: the batch does not stand. */
export async function releaseBatch(ctx: ServiceContext, executionId: string, batchId: string): Promise<void> {
  await ctx.db.ops
    .updateTable("ai_provider_executions")
    .set({ batch_id: null })
    .where("execution_id", "=", executionId)
    .where("status", "in", LIVE)
    .where("batch_id", "=", batchId)
    .execute();
}

/** Shows the execution as waiting for a person, or as at work again. */
export async function setWaiting(ctx: ServiceContext, executionId: string, hilId: string | null): Promise<void> {
  const [from, to] = hilId === null ? (["waiting", "running"] as const) : (["running", "waiting"] as const);
  const at = ctx.now().toISOString();
  await batch(ctx.env.DB_OPS, [
    ctx.db.ops
      .updateTable("ai_provider_executions")
      .set({ status: to, ...(hilId === null ? {} : { hil_request_id: hilId }) })
      .where("execution_id", "=", executionId)
      .where("status", "=", from),
    ctx.db.ops
      .updateTable("ai_provider_assignments")
      .set({ status: to, updated_at: at })
      .where("execution_id", "=", executionId)
      .where("status", "=", from),
  ]);
}

export interface FinishedExecution {
  executionId: string;
  status: Extract<ExecutionStatus, "completed" | "failed" | "cancelled" | "timed_out">;
  class: AttemptClass | null;
  error: VibeError | null;
  /** The attempt whose batch stands. */
  applied: { attempt: number; provider: string; model: string } | null;
}

/**
 * Ends an execution, once. False where it was to be completed and someone asked to cancel it before that: then its batch
 * must not stand. What ended it before stays.
 */
export async function finishExecution(ctx: ServiceContext, finished: FinishedExecution): Promise<boolean> {
  const { executionId, status, applied } = finished;
  const at = ctx.now().toISOString();
  const { ops } = ctx.db;
  let ending = ops
    .updateTable("ai_provider_executions")
    .set({
      status,
      class: finished.class,
      error: finished.error === null ? null : JSON.stringify(finished.error),
      finished_at: at,
      duration_ms: sql`CAST(round((julianday(${at}) - julianday(coalesce(started_at, created_at))) * 86400000) AS INTEGER)`,
      ...(applied === null
        ? { batch_id: null }
        : {
            provider_name: applied.provider,
            model: applied.model,
            patch_data: sql<string | null>`(SELECT patch_data FROM ai_provider_attempts
              WHERE execution_id = ${executionId} AND attempt = ${applied.attempt})`,
          }),
    })
    .where("execution_id", "=", executionId)
    .where("status", "in", LIVE);
  if (status === "completed") ending = ending.where("cancel_reason", "is", null);
  const results = await batch(ctx.env.DB_OPS, [
    ending.returning("status"),
    ops
      .updateTable("ai_provider_assignments")
      .set({
        status: sql`(SELECT CASE status WHEN 'timed_out' THEN 'failed' ELSE status END
          FROM ai_provider_executions WHERE execution_id = ${executionId})`,
        updated_at: at,
      })
      .where("execution_id", "=", executionId)
      .where("status", "in", ["pending", "assigned", "running", "waiting"])
      .where(
        sql<boolean>`EXISTS (SELECT 1 FROM ai_provider_executions
          WHERE execution_id = ${executionId} AND status NOT IN ('queued', 'running', 'waiting'))`,
      ),
  ]);
  if (rowsOf(results[0]).length > 0 || status !== "completed") return true;
  return (await findExecution(ctx, executionId))?.status === "completed";
}
