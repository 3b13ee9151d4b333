import { type AgentRunEvent, AgentRunEventSchema, fail, type Result, validationError } from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { requireWorkAccess } from "./access.ts";

export const ExecutionOutputSchema = z.object({
  /** Default: the last attempt there is. */
  attempt: z.coerce.number().int().positive().optional(),
  /** The `seq` of the last event read; each attempt counts its own from 1. */
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(2_000).default(500),
});

/** A page stops once its events' JSON passes so many characters, so that an answer stays within what a Worker holds. */
const PAGE_CHARACTERS = 2_000_000;

export interface ExecutionOutput {
  attempt: number;
  events: AgentRunEvent[];
  /** Where to read on from. */
  next: number;
  /** Whether more is stored. */
  more: boolean;
  /** Whether the attempt is over: then, without `more`, this was all of it. */
  ended: boolean;
}

/**
 * What an attempt of an execution said, redacted, in its order. Needs `ai:read`. Attempts of a race speak at the same
 * time, so each is read by itself. Errors: EXECUTION_NOT_FOUND, RUN_NOT_FOUND (no such attempt), VALIDATION_FAILED, FORBIDDEN.
 */
export async function getExecutionOutput(
  ctx: ServiceContext,
  input: { executionId: string; [option: string]: unknown },
): Promise<Result<ExecutionOutput>> {
  const denied = requireScope(ctx, "ai:read");
  if (denied) return denied;
  const parsed = ExecutionOutputSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { after, limit } = parsed.data;
  const { executionId } = input;
  const execution = await ctx.db.ops
    .selectFrom("ai_provider_executions")
    .select(["order_id", "workspace_id"])
    .where("execution_id", "=", executionId)
    .executeTakeFirst();
  if (!execution) return fail("EXECUTION_NOT_FOUND", "there is no such execution");
  const refused = await requireWorkAccess(ctx, execution);
  if (refused) return refused;

  // Its state before its events: once it reads as ended, the events read after are all there will be.
  const attempt = await attemptQuery(ctx, executionId, parsed.data.attempt).executeTakeFirst();
  if (!attempt) {
    return parsed.data.attempt === undefined
      ? { ok: true, attempt: 1, events: [], next: 0, more: false, ended: false }
      : fail("RUN_NOT_FOUND", `this execution has no attempt ${parsed.data.attempt}`);
  }
  const rows = await outputQuery(ctx, executionId, attempt.attempt, after, limit + 1).execute();
  let size = 0;
  const page = rows.slice(0, limit);
  const cut = page.findIndex((row, index) => (size += row.body.length) > PAGE_CHARACTERS && index > 0);
  const shown = cut === -1 ? page : page.slice(0, cut);
  return {
    ok: true,
    attempt: attempt.attempt,
    events: shown.flatMap((row) => eventOf(row) ?? []),
    next: shown.at(-1)?.seq ?? after,
    more: rows.length > shown.length,
    ended: attempt.status === "ended",
  };
}

function attemptQuery(ctx: Pick<ServiceContext, "db">, executionId: string, attempt: number | undefined) {
  let query = ctx.db.ops
    .selectFrom("ai_provider_attempts")
    .select(["attempt", "status"])
    .where("execution_id", "=", executionId);
  if (attempt !== undefined) query = query.where("attempt", "=", attempt);
  return query.orderBy("attempt", "desc").limit(1);
}

export const outputQuery = (
  ctx: Pick<ServiceContext, "db">,
  executionId: string,
  attempt: number,
  after: number,
  limit: number,
) =>
  ctx.db.ops
    .selectFrom("ai_execution_output")
    .select(["seq", "ts", "type", "body"])
    .where("execution_id", "=", executionId)
    .where("attempt", "=", attempt)
    .where("seq", ">", after)
    .orderBy("seq")
    .limit(limit);

const BodySchema = z.record(z.string(), z.json());

/** An event as it was stored; null for one of a kind that this version does not know. */
function eventOf({
  seq,
  ts,
  type,
  body,
}: {
  seq: number;
  ts: string;
  type: string;
  body: string;
}): AgentRunEvent | null {
  const fields = BodySchema.safeParse(JSON.parse(body)).data ?? {};
  return AgentRunEventSchema.safeParse({ ...fields, seq, ts, type }).data ?? null;
}
