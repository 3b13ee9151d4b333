import {
  AnswerHilSchema,
  fail,
  type Failed,
  findIllFormedString,
  type HilRequest,
  type Result,
  validationError,
} from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { requireEverything } from "../ai-providers/access.ts";
import { announceHil } from "./announceHil.ts";
import { recordConversation } from "./conversation.ts";
import { hilOfRow } from "./hilRow.ts";
import { tellExecution } from "./tellExecution.ts";

/**
 * Answers a request. Needs `hil:write`, and a caller who is confined to no factory and no workspace: an answer is a
 * person's, and what is confined is a program at work. The first answer decides; another, or one after the end of the
 * request's time, is CONFLICT and changes nothing. Where the request offers options, a plan or a failure is answered with
 * one of them. The run that waits is woken once the answer is stored; a run that could not be woken is woken by
 * `expireHilRequests`. Errors: VALIDATION_FAILED, NOT_FOUND, FORBIDDEN, CONFLICT.
 */
export async function answerHilRequest(
  ctx: ServiceContext,
  input: { id: string; answer?: unknown },
): Promise<Result<{ request: HilRequest }>> {
  const denied = requireScope(ctx, "hil:write") ?? requireEverything(ctx);
  if (denied) return denied;
  const parsed = AnswerHilSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { answer } = parsed.data;
  if (findIllFormedString(answer)) return fail("ILL_FORMED_UNICODE", "answer: it holds half of a surrogate pair");
  const asked = await ctx.db.ops
    .selectFrom("hil_requests")
    .select(["kind", "options"])
    .where("id", "=", input.id)
    .executeTakeFirst();
  if (!asked) return fail("NOT_FOUND", "there is no such request");
  const options: unknown = JSON.parse(asked.options);
  if (asked.kind !== "clarification" && Array.isArray(options) && options.length > 0 && !options.includes(answer)) {
    return fail("VALIDATION_FAILED", `answer: one of ${JSON.stringify(options)}`);
  }

  // Conditional, so that of answers at the same time exactly one decides, and none after the request's time.
  const now = ctx.now().toISOString();
  const row = await ctx.db.ops
    .updateTable("hil_requests")
    .set({ status: "answered", answer, answered_by: ctx.actor.id, answered_at: now })
    .where("id", "=", input.id)
    .where("status", "=", "open")
    .where("expires_at", ">", now)
    .returningAll()
    .executeTakeFirst();
  if (!row) return decidedAlready(ctx, input.id);
  await Promise.all([tellExecution(ctx, row), recordConversation(ctx, row), announceHil(ctx, row)]);
  return { ok: true, request: hilOfRow(row) };
}

async function decidedAlready(ctx: ServiceContext, id: string): Promise<Failed> {
  const row = await ctx.db.ops
    .selectFrom("hil_requests")
    .select(["status", "answered_by"])
    .where("id", "=", id)
    .executeTakeFirst();
  if (!row) return fail("NOT_FOUND", "there is no such request");
  if (row.status === "answered")
    return fail("CONFLICT", `this was answered already, by ${row.answered_by ?? "another"}`);
  return fail(
    "CONFLICT",
    row.status === "cancelled" ? "this is not asked any more" : "the time to answer this is over",
  );
}
