import {
  type Decision,
  DecisionSchema,
  FactoryNameSchema,
  type Order,
  ProviderNameSchema,
  type ProviderName,
  type Task,
} from "@shared/contracts";
import { z } from "zod";
import type { ServiceContext } from "../../../context.ts";
import { findTask } from "../../task/getTask.ts";
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
});
export type ExecutionInput = z.infer<typeof ExecutionInputSchema>;

/** An execution as its work goes by it; the same after every restart. */
export interface Plan extends ExecutionInput {
  executionId: string;
  workspaceId: string;
  task: Task;
  order: Order;
  isRace: boolean;
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
  };
}

export const decisionOf = (text: string | null): Decision | null =>
  text === null ? null : (DecisionSchema.safeParse(JSON.parse(text)).data ?? null);

/** Marks the execution as running and says what it is; null where it is over already, or gone. */
export async function loadPlan(ctx: ServiceContext, executionId: string): Promise<Plan | null> {
  const row = await beginExecution(ctx, executionId);
  if (row === null) return null;
  return planOf(ctx, row);
}

async function planOf(ctx: ServiceContext, row: ExecutionRow): Promise<Plan> {
  const input = ExecutionInputSchema.parse(JSON.parse(row.input ?? "null"));
  const found = await findTask(ctx, row.task_uuid);
  if (!found.ok) throw new Error(`the execution's task: ${found.error.code}`);
  const { task, order } = found;
  return {
    ...input,
    executionId: row.execution_id,
    workspaceId: row.workspace_id,
    task,
    order,
    isRace: row.race !== null,
  };
}
