import {
  type Assignment,
  AssignmentSchema,
  AssignProviderSchema,
  type Decision,
  fail,
  type Result,
  validationError,
} from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { batch } from "../../database/batch.ts";
import { findTask } from "../task/getTask.ts";
import { assignmentOfRow } from "./assignmentOfRow.ts";
import { DEFINITIONS } from "./definitions.ts";
import { evidenceNow } from "./evidenceNow.ts";
import { OUTSIDE } from "./outside.ts";
import { providersNow } from "./providerFacts.ts";
import { decide } from "./routing/decide.ts";
import { taskFacts } from "./taskFacts.ts";

/**
 * Gives a task to a provider and keeps why. The hard rules come first, whoever asks; then the caller's word, the order's
 * or the project's override; then the score. A task that was given away and not begun is given anew.
 * Needs `ai:write`. Errors: NOT_FOUND, FORBIDDEN, CONFLICT (a provider is working on it), and those of `decide`:
 * PROVIDER_NOT_SUITABLE, PROVIDER_UNAVAILABLE, BUDGET_EXCEEDED.
 */
export async function assignProvider(
  ctx: ServiceContext,
  input: unknown,
  outside = OUTSIDE,
): Promise<Result<{ assignment: Assignment; decision: Decision }>> {
  const denied = requireScope(ctx, "ai:write");
  if (denied) return denied;
  const parsed = AssignProviderSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { taskId, preferredProvider: preferred = null } = parsed.data;

  const providers = await providersNow(ctx);
  const [task, evidence] = await Promise.all([
    taskFacts(ctx, { taskId, preferred }, providers, outside),
    evidenceNow(ctx, providers),
  ]);
  if (!task.ok) return task;
  const at = ctx.now().toISOString();
  const decided = decide({ task: task.facts, providers, evidence, seed: ctx.mintId(), at });
  if (!decided.ok) return decided;
  const { decision } = decided;
  const assignment = await store(ctx, decision, task.order.id);
  return assignment === null
    ? fail("CONFLICT", "a provider is working on this task already")
    : { ok: true, assignment, decision };
}

/** Null where the task is being worked on. */
async function store(ctx: ServiceContext, decision: Decision, orderId: string): Promise<Assignment | null> {
  const { provider, task_uuid, decided_at: now } = decision;
  const ops = ctx.db.ops;
  const [, inserted] = await batch(ctx.env.DB_OPS, [
    // Given away and not begun: this decision takes its place.
    ops
      .updateTable("ai_provider_assignments")
      .set({ status: "cancelled", updated_at: now })
      .where("task_uuid", "=", task_uuid)
      .where("status", "in", ["pending", "assigned"])
      .where("execution_id", "is", null),
    // One that is begun keeps its place, by the index of open assignments.
    ops
      .insertInto("ai_provider_assignments")
      .values({
        task_uuid,
        order_id: orderId,
        provider_name: provider,
        provider_type: DEFINITIONS[provider].type,
        status: "assigned",
        assigned_by: ctx.actor.id,
        reason: decision.by,
        decision: JSON.stringify(decision),
        created_at: now,
        updated_at: now,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning("id"),
  ]);
  const row = inserted?.results[0];
  if (row === undefined) return null;
  const { id } = z.object({ id: AssignmentSchema.shape.id }).parse(row);
  return AssignmentSchema.parse({
    id,
    task_uuid,
    order_id: orderId,
    provider_name: provider,
    provider_type: DEFINITIONS[provider].type,
    status: "assigned",
    execution_id: null,
    decision,
    created_at: now,
    updated_at: now,
  });
}

/** `GET /api/ai/assign/explain`. */
export const ExplainAssignmentSchema = z.object({ task_id: z.string() });

/**
 * Why a task is with its provider: its last assignment that was decided, with every candidate, the rules it broke and the
 * parts of its score. Needs `ai:read`. Errors: NOT_FOUND (the task, or it was never given away), FORBIDDEN.
 */
export async function explainAssignment(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ assignment: Assignment; decision: Decision }>> {
  const denied = requireScope(ctx, "ai:read");
  if (denied) return denied;
  const parsed = ExplainAssignmentSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const found = await findTask(ctx, parsed.data.task_id);
  if (!found.ok) return found;
  const row = await decidedQuery(ctx.db, found.task.id).executeTakeFirst();
  const assignment = row ? assignmentOfRow(row) : null;
  return assignment?.decision
    ? { ok: true, assignment, decision: assignment.decision }
    : fail("NOT_FOUND", "this task has not been given to a provider yet");
}

export const decidedQuery = (db: ServiceContext["db"], taskId: string) =>
  db.ops
    .selectFrom("ai_provider_assignments")
    .selectAll()
    .where("task_uuid", "=", taskId)
    .where("decision", "is not", null)
    .orderBy("id", "desc")
    .limit(1);
