import {
  fail,
  findIllFormedString,
  type HilRequest,
  HilRequestSchema,
  OrderIdSchema,
  type Result,
  TaskIdSchema,
  validationError,
} from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { requireWorkAccess } from "../ai-providers/access.ts";
import { findOrder } from "../order/getOrder.ts";
import { findTask } from "../task/getTask.ts";
import { announceHil } from "./announceHil.ts";
import { recordConversation } from "./conversation.ts";
import { type HilRow, hilOfRow } from "./hilRow.ts";

const DAY_SECONDS = 86_400;

export const CreateHilRequestSchema = z.object({
  /** Asked for twice, it is one request. Minted where absent. */
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/)
    .optional(),
  kind: HilRequestSchema.shape.kind.default("clarification"),
  question: z.string().trim().min(1).max(20_000),
  /** What may be answered. A clarification may be answered with any text all the same. */
  options: z.array(z.string().trim().min(1).max(500)).max(10).default([]),
  /** What it is about: a run, or a task, or an order. The first that is given says the others. */
  executionId: z.string().max(100).optional(),
  taskId: TaskIdSchema.optional(),
  orderId: OrderIdSchema.optional(),
  expiresInSeconds: z
    .number()
    .int()
    .min(60)
    .max(30 * DAY_SECONDS)
    .default(7 * DAY_SECONDS),
});
export type CreateHilRequest = z.input<typeof CreateHilRequestSchema>;

type Subject = Pick<HilRow, "execution_id" | "task_uuid" | "order_id" | "workspace_id">;

/**
 * Asks people something. Needs `ai:write`: whoever may run providers may ask on their behalf. The question stands in the
 * database before anyone is told of it; the message on the hub is a hint, the list is the truth. The same `id` with the
 * same question again answers with the request there is (`created` false). Errors: VALIDATION_FAILED,
 * EXECUTION_NOT_FOUND, NOT_FOUND, FORBIDDEN, IDEMPOTENCY_CONFLICT.
 */
export async function createHilRequest(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ request: HilRequest; created: boolean }>> {
  const denied = requireScope(ctx, "ai:write");
  if (denied) return denied;
  const parsed = CreateHilRequestSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  if (findIllFormedString(parsed.data)) return fail("ILL_FORMED_UNICODE", "a text holds half of a surrogate pair");
  const { id = ctx.mintId(), kind, question, options, expiresInSeconds } = parsed.data;
  const subject = await subjectOf(ctx, parsed.data);
  if (!subject.ok) return subject;

  const now = ctx.now();
  const row = await ctx.db.ops
    .insertInto("hil_requests")
    .values({
      id,
      kind,
      question,
      options: JSON.stringify(options),
      ...subject.subject,
      created_at: now.toISOString(),
      expires_at: new Date(now.getTime() + expiresInSeconds * 1_000).toISOString(),
    })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .returningAll()
    .executeTakeFirst();
  if (row) {
    await Promise.all([recordConversation(ctx, row), announceHil(ctx, row)]);
    return { ok: true, request: hilOfRow(row), created: true };
  }
  const there = await ctx.db.ops.selectFrom("hil_requests").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  const isSame =
    there.kind === kind && there.question === question && there.execution_id === subject.subject.execution_id;
  return isSame
    ? { ok: true, request: hilOfRow(there), created: false }
    : fail("IDEMPOTENCY_CONFLICT", "another question was asked under this id");
}

async function subjectOf(
  ctx: ServiceContext,
  { executionId, taskId, orderId }: z.output<typeof CreateHilRequestSchema>,
): Promise<Result<{ subject: Subject }>> {
  if (executionId !== undefined) {
    const row = await ctx.db.ops
      .selectFrom("ai_provider_executions")
      .select(["execution_id", "task_uuid", "order_id", "workspace_id"])
      .where("execution_id", "=", executionId)
      .executeTakeFirst();
    if (!row) return fail("EXECUTION_NOT_FOUND", "there is no such execution");
    return (await requireWorkAccess(ctx, row)) ?? { ok: true, subject: row };
  }
  if (taskId !== undefined) {
    const found = await findTask(ctx, taskId);
    if (!found.ok) return found;
    const { task, order } = found;
    return {
      ok: true,
      subject: { execution_id: null, task_uuid: task.id, order_id: order.id, workspace_id: order.workspace_id },
    };
  }
  if (orderId !== undefined) {
    const found = await findOrder(ctx, orderId);
    if (!found.ok) return found;
    const { order } = found;
    return {
      ok: true,
      subject: { execution_id: null, task_uuid: null, order_id: order.id, workspace_id: order.workspace_id },
    };
  }
  return fail("VALIDATION_FAILED", "say what it is about: executionId, taskId or orderId");
}
