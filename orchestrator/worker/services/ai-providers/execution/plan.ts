import {
  type Decision,
  fail,
  FactoryNameSchema,
  type Order,
  ProviderNameSchema,
  type ProviderName,
  type Result,
  type Task,
} from "@shared/contracts";
import { z } from "zod";
import type { ServiceContext } from "../../../context.ts";
import { routedTask } from "../taskFacts.ts";
import { beginExecution, type ExecutionRow } from "./records.ts";

/** Who is tried, and with which model. */
export interface Choice {
  provider: ProviderName;
  model: string;
}

/** What an execution is made again from. It holds no key. */
export const ExecutionInputSchema = z.object({
  instructions: z.string().nullable(),
  approvePlan: z.boolean(),
  maxCostUsd: z.number().positive().nullable(),
  timeoutMs: z.number().int().positive(),
  factory: FactoryNameSchema,
  /** Tried one after the other; of a race, all at once. */
  chain: z.array(z.object({ provider: ProviderNameSchema, model: z.string() })).min(1),
  repository: z.string().nullable(),
  branch: z.string().nullable(),
  /** Of the code that the task is about, as the router sees it. */
  language: z.string(),
});
export type ExecutionInput = z.infer<typeof ExecutionInputSchema>;

/** An execution as its work goes by it; the same after every restart. */
export interface Plan extends ExecutionInput {
  executionId: string;
  workspaceId: string;
  task: Task;
  order: Order;
  isRace: boolean;
  /** What all of the order's executions together may cost; null: nobody says. */
  maxOrderUsd: number | null;
}

/** What an execution is made from: the request, and the decision that chose its provider. */
export function inputOf(
  request: Pick<ExecutionInput, "instructions" | "approvePlan" | "maxCostUsd" | "timeoutMs" | "factory">,
  decision: Decision,
  race: readonly Choice[] | null,
): ExecutionInput {
  const { provider, model, chain, inputs } = decision;
  return {
    ...request,
    chain: race === null ? [{ provider, model }, ...chain] : [...race],
    repository: inputs.repository,
    branch: inputs.branch,
    language: inputs.language,
  };
}

/** Marks the execution as running and says what it is; null where it is over already, or gone. */
export async function loadPlan(ctx: ServiceContext, executionId: string): Promise<Result<{ plan: Plan }> | null> {
  const row = await beginExecution(ctx, executionId);
  return row === null ? null : planOf(ctx, row);
}

/** What an execution's row says it is. Errors: INTERNAL (the row is none that can be carried out), NOT_FOUND (its task). */
export async function planOf(ctx: ServiceContext, row: ExecutionRow): Promise<Result<{ plan: Plan }>> {
  const input = ExecutionInputSchema.safeParse(JSON.parse(row.input ?? "null"));
  if (!input.success) return fail("INTERNAL", "what the execution is made from is not on record");
  const found = await routedTask(ctx, row.task_uuid);
  if (!found.ok) return found;
  const { task, order, routing } = found;
  const { execution_id: executionId, workspace_id: workspaceId } = row;
  const { maxCostUsd: maxOrderUsd } = routing;
  const plan = { ...input.data, executionId, workspaceId, task, order, isRace: row.race !== null, maxOrderUsd };
  return { ok: true, plan };
}
