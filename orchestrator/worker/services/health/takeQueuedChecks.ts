import { z } from "zod";
import type { ServiceContext } from "../../context.ts";
import { runHealthCheck } from "./runHealthCheck.ts";

const MessageSchema = z.object({ uuid: z.string() });

/** The queue's messages: a check each. One that was carried out already changes nothing. */
export async function takeQueuedChecks(ctx: ServiceContext, messages: readonly Message[]): Promise<void> {
  for (const message of messages) {
    const parsed = MessageSchema.safeParse(message.body);
    if (!parsed.success) {
      ctx.log.error("a message of the health queue is none", { id: message.id });
      message.ack();
      continue;
    }
    try {
      await runHealthCheck(ctx, parsed.data.uuid);
      message.ack();
    } catch (error) {
      ctx.log.error("a health check could not be begun", { uuid: parsed.data.uuid, error });
      message.retry();
    }
  }
}
