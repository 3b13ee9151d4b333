import type { ServiceContext } from "../../../context.ts";
import { WAKE_EVENT } from "./steps.ts";

/** Starts the execution's Workflow. One that was started is as good: its id is the execution's, and there is one of it. */
export async function startWorkflow(ctx: ServiceContext, executionId: string): Promise<void> {
  try {
    await ctx.env.AGENT_EXECUTION.create({ id: executionId, params: { executionId } });
  } catch (error) {
    if (!(await hasStarted(ctx, executionId))) throw error;
  }
}

/** Whether there is an instance, whatever has become of it. */
async function hasStarted(ctx: ServiceContext, executionId: string): Promise<boolean> {
  try {
    await (await ctx.env.AGENT_EXECUTION.get(executionId)).status();
    return true;
  } catch (error) {
    ctx.log.warn("an execution's Workflow is not to be found", { executionId, error });
    return false;
  }
}

/** Wakes the execution's Workflow where it waits; it looks for itself what has changed. False where there is none. */
export async function wakeWorkflow(ctx: ServiceContext, executionId: string, payload: object): Promise<boolean> {
  try {
    const instance = await ctx.env.AGENT_EXECUTION.get(executionId);
    await instance.sendEvent({ type: WAKE_EVENT, payload });
    return true;
  } catch (error) {
    ctx.log.warn("an execution's Workflow could not be woken", { executionId, error });
    return false;
  }
}
