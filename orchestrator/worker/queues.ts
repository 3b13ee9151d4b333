import { createContext, loggerOf, type ServiceContext, systemActor } from "./context.ts";
import { deliverAlerts } from "./services/alerts/deliverAlerts.ts";
import { startExecutions } from "./services/ai-providers/startExecutions.ts";
import { storeDeadLetters } from "./services/ai-providers/deadLetters/storeDeadLetters.ts";
import { handleDeliveries } from "./services/webhooks/handleDeliveries.ts";
import { regenerateReports } from "./services/delivery/regenerateReports.ts";
import { takeQueuedChecks } from "./services/health/takeQueuedChecks.ts";

/** Which verb takes a queue's messages. Each acknowledges or retries every message by itself. */
const CONSUMERS: Record<string, (ctx: ServiceContext, messages: readonly Message[]) => Promise<void>> = {
  "vibehq-alerts": (ctx, messages) => deliverAlerts(ctx, messages),
  "vibehq-reports": regenerateReports,
  "vibehq-github": handleDeliveries,
  "ai-provider-tasks": startExecutions,
  "ai-provider-tasks-dlq": storeDeadLetters,
  "vibehq-health": takeQueuedChecks,
};

/** Hands a batch to its queue's verb. Messages are delivered at least once: a verb must bear the same one twice. */
export async function queue(batch: MessageBatch, env: Env): Promise<void> {
  const log = loggerOf(env).child({ queue: batch.queue });
  const consumer = CONSUMERS[batch.queue];
  if (!consumer) throw new Error(`nothing takes messages of the queue ${batch.queue}`);
  await consumer(createContext(env, { actor: systemActor("queue"), log }), batch.messages);
}
