import {
  type Decision,
  ExecuteTaskSchema,
  type Execution,
  fail,
  type Order,
  type ProviderName,
  type ProviderTaskMessage,
  type Result,
  type Task,
  validationError,
} from "@shared/contracts";
import { redactor } from "@shared/worker-kit";
import { sql } from "kysely";
import type { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { batch } from "../../database/batch.ts";
import { allSecrets } from "../secrets/secretService.ts";
import { findTask } from "../task/getTask.ts";
import { PARTS, type ExecutionParts } from "./execution/parts.ts";
import { type Choice, inputOf } from "./execution/plan.ts";
import { type ExecutionRow, findExecution } from "./execution/records.ts";
import { decisionOf, executionOfRow } from "./executionOfRow.ts";

/** How long a provider may work on a task where nobody says, in milliseconds. */
const DEFAULT_TIMEOUT_MS = 1_800_000;

type ExecuteTask = z.output<typeof ExecuteTaskSchema>;
interface Assigned {
  assignmentIds: number[];
  decision: Decision;
  /** Of a race: who runs. */
  race: Choice[] | null;
}

/**
 * Queues a task's execution: by the provider asked for, else by the one it is assigned to, else by one it is assigned to
 * now; a `race` by all that it names, whose rules must all hold. The same `executionId` again answers with the execution
 * there is, and sends its message again while it is still queued. Needs `ai:write`. Errors: NOT_FOUND (the task),
 * FORBIDDEN, INVALID_TRANSITION (a cancelled task or order), IDEMPOTENCY_CONFLICT (the id is another task's), those of
 * assigning, CONFLICT (another execution of the task was first), UPSTREAM_UNAVAILABLE (stored, but the queue did not take
 * it: ask again).
 */
export async function executeTask(
  ctx: ServiceContext,
  input: unknown,
  parts: ExecutionParts = PARTS,
): Promise<Result<{ execution: Execution }>> {
  const denied = requireScope(ctx, "ai:write");
  if (denied) return denied;
  const parsed = ExecuteTaskSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const request = parsed.data;
  const { provider, race } = request;
  if (race !== undefined && (provider !== undefined || new Set(race).size !== race.length)) {
    return fail("VALIDATION_FAILED", "race: different providers, and no provider beside them");
  }
  const found = await findTask(ctx, request.taskId);
  if (!found.ok) return found;
  const { task, order } = found;

  const executionId = request.executionId ?? ctx.mintId();
  const known = await findExecution(ctx, executionId);
  if (known) return enqueued(ctx, known, task, order);
  if (task.status === "cancelled") return fail("INVALID_TRANSITION", `task ${task.id} is cancelled`);
  if (order.status === "cancelled") return fail("INVALID_TRANSITION", `order ${order.id} is cancelled`);

  const assigned = await assign(ctx, parts, request);
  if (!assigned.ok) return assigned;
  await store(ctx, { request, executionId, task, order, assigned: assigned.assigned });
  const row = await findExecution(ctx, executionId);
  return row ? enqueued(ctx, row, task, order) : fail("CONFLICT", "another execution of this task was first");
}

/** Sends a queued execution's message. One that has begun needs none; its consumer bears the same one twice. */
async function enqueued(
  ctx: ServiceContext,
  row: ExecutionRow,
  task: Task,
  order: Order,
): Promise<Result<{ execution: Execution }>> {
  const execution = executionOfRow(row);
  if (execution.task_uuid !== task.id) {
    return fail("IDEMPOTENCY_CONFLICT", `execution ${execution.execution_id} is another task's`);
  }
  if (execution.status !== "queued") return { ok: true, execution };
  const message: ProviderTaskMessage = {
    task_id: task.id,
    provider: execution.provider_name,
    factory: order.factory,
    execution_id: execution.execution_id,
  };
  try {
    await ctx.env.AI_TASKS_QUEUE.send(message);
  } catch (error) {
    ctx.log.error("the queue did not take an execution", { executionId: execution.execution_id, error });
    return fail(
      "UPSTREAM_UNAVAILABLE",
      `execution ${execution.execution_id} is stored, not queued: ask again with its id`,
      {
        nothingWritten: false,
      },
    );
  }
  return { ok: true, execution };
}

async function assign(
  ctx: ServiceContext,
  parts: ExecutionParts,
  { taskId, provider, race }: ExecuteTask,
): Promise<Result<{ assigned: Assigned }>> {
  if (race === undefined) {
    const standing = await standingAssignment(ctx, taskId, provider);
    if (standing) return { ok: true, assigned: standing };
    const made = await parts.assignProvider(ctx, {
      taskId,
      ...(provider === undefined ? {} : { preferredProvider: provider }),
    });
    if (!made.ok) return made;
    return { ok: true, assigned: { assignmentIds: [made.assignment.id], decision: made.decision, race: null } };
  }
  const assignmentIds: number[] = [];
  const choices: Choice[] = [];
  let decision: Decision | null = null;
  for (const preferredProvider of race) {
    const made = await parts.assignProvider(ctx, { taskId, preferredProvider });
    if (!made.ok) return made;
    assignmentIds.push(made.assignment.id);
    choices.push({ provider: made.decision.provider, model: made.decision.model });
    decision ??= made.decision;
  }
  if (decision === null) return fail("VALIDATION_FAILED", "race: nobody is named");
  return { ok: true, assigned: { assignmentIds, decision, race: choices } };
}

/** The task's latest assignment that no execution has taken, where it is to the provider asked for. */
async function standingAssignment(
  ctx: ServiceContext,
  taskId: string,
  provider: ProviderName | undefined,
): Promise<Assigned | null> {
  const row = await ctx.db.ops
    .selectFrom("ai_provider_assignments")
    .select(["id", "provider_name", "decision"])
    .where("task_uuid", "=", taskId)
    .where("status", "in", ["pending", "assigned"])
    .where("execution_id", "is", null)
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
  const decision = row ? decisionOf(row.decision) : null;
  if (!row || decision === null || (provider !== undefined && provider !== row.provider_name)) return null;
  return { assignmentIds: [row.id], decision, race: null };
}

/** The row, once, and its assignments with it. Nothing where the assignment has become another execution's, or was replaced. */
async function store(
  ctx: ServiceContext,
  made: { request: ExecuteTask; executionId: string; task: Task; order: Order; assigned: Assigned },
): Promise<void> {
  const { request, executionId, task, order, assigned } = made;
  const { decision, race, assignmentIds } = assigned;
  const input = inputOf(
    {
      // Whoever wrote a key into them: it is kept nowhere, and told to nobody.
      instructions: request.instructions === undefined ? null : redactor(allSecrets(ctx.env))(request.instructions),
      approvePlan: request.approvePlan,
      maxCostUsd: request.maxCostUsd ?? null,
      timeoutMs: request.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      factory: order.factory,
    },
    decision,
    race,
  );
  const at = ctx.now().toISOString();
  const { ops } = ctx.db;
  // Of a race, the last assignment is the open one: it has taken the place of those before it.
  const isFree = sql<boolean>`EXISTS (SELECT 1 FROM ai_provider_assignments
    WHERE id = ${assignmentIds.at(-1) ?? null} AND status IN ('pending', 'assigned') AND execution_id IS NULL)`;
  await batch(ctx.env.DB_OPS, [
    ops
      .insertInto("ai_provider_executions")
      .columns([
        "execution_id",
        "provider_name",
        "model",
        "task_uuid",
        "order_id",
        "workspace_id",
        "input",
        "status",
        "race",
        "created_by",
        "created_at",
      ])
      .expression(
        sql`SELECT ${executionId}, ${decision.provider}, ${decision.model}, ${task.id}, ${order.id},
              ${order.workspace_id}, ${JSON.stringify(input)}, 'queued',
              ${race === null ? null : JSON.stringify(race.map(({ provider }) => provider))}, ${ctx.actor.id}, ${at}
            WHERE ${isFree} ON CONFLICT DO NOTHING`,
      ),
    ops
      .updateTable("ai_provider_assignments")
      .set({ execution_id: executionId, updated_at: at })
      .where("id", "in", assignmentIds)
      .where("execution_id", "is", null)
      .where(sql<boolean>`EXISTS (SELECT 1 FROM ai_provider_executions WHERE execution_id = ${executionId})`),
  ]);
}
