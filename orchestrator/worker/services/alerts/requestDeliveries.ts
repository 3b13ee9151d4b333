import { z } from "zod";
import type { ServiceContext } from "../../context.ts";

/** A message of the queue `vibehq-alerts`: this delivery is due. What is sent stands in its row. */
export const DeliveryRequestSchema = z.object({ deliveryId: z.string().min(1).max(300) });

/** Messages a queue takes at once. */
const BATCH = 100;

/** Asks for deliveries. Where the deployment has no queue, or it does not answer, `sweepAlerts` makes them. Never throws. */
export async function requestDeliveries(ctx: ServiceContext, deliveryIds: readonly string[]): Promise<void> {
  const { ALERTS_QUEUE: queue }: { ALERTS_QUEUE?: Queue } = ctx.env;
  if (queue === undefined) return;
  try {
    for (let at = 0; at < deliveryIds.length; at += BATCH) {
      await queue.sendBatch(
        deliveryIds.slice(at, at + BATCH).map((deliveryId) => ({ body: { deliveryId }, contentType: "json" as const })),
      );
    }
  } catch (error) {
    ctx.log.warn("the queue of alerts does not answer; the next sweep sends them", { error });
  }
}
