import { ProviderTaskMessageSchema } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { startWorkflow } from "./execution/instance.ts";

/** What a queue hands over; each message is said to be done with or to be sent again. */
export interface TaskMessage {
  body: unknown;
  ack(): void;
  retry(): void;
}

/**
 * Starts the Workflow of each execution that a message names. A message that comes again finds its instance and is done
 * with; one that is no such message goes, with its retries, to the queue of dead letters. Needs `ai:write`.
 */
export async function startExecutions(ctx: ServiceContext, messages: readonly TaskMessage[]): Promise<void> {
  if (requireScope(ctx, "ai:write")) throw new Error("the queue's caller may not start executions");
  for (const message of messages) {
    const parsed = ProviderTaskMessageSchema.safeParse(message.body);
    if (!parsed.success) {
      ctx.log.error("a message names no execution", { error: parsed.error });
      message.retry();
      continue;
    }
    const { execution_id: executionId } = parsed.data;
    try {
      await startWorkflow(ctx, executionId);
      message.ack();
    } catch (error) {
      ctx.log.warn("an execution was not started; its message comes again", { executionId, error });
      message.retry();
    }
  }
}
