import { type ServiceContext } from "../../context.ts";
import { deliverAlert, type DeliverOptions } from "./deliverAlert.ts";
import { DeliveryRequestSchema } from "./requestDeliveries.ts";

/** What a queue hands over; each message is said to be done with or to be sent again. */
export interface DeliveryMessage {
  body: unknown;
  ack(): void;
  retry(options?: { delaySeconds?: number }): void;
}

/** The longest a queue holds a message back, in seconds; what waits longer is the sweep's. */
const MAX_DELAY = 12 * 3600;

/**
 * Sends what messages ask for, all at once: a receiver that hangs holds up no other. A message is only the hint that a
 * delivery is due, so the same one twice, late or out of order does no harm.
 */
export async function deliverAlerts(
  ctx: ServiceContext,
  messages: readonly DeliveryMessage[],
  options: DeliverOptions = {},
): Promise<void> {
  await Promise.all(
    messages.map(async (message) => {
      const parsed = DeliveryRequestSchema.safeParse(message.body);
      if (!parsed.success) {
        ctx.log.error("a message asks for no delivery", { error: parsed.error });
        return message.ack();
      }
      const { deliveryId } = parsed.data;
      try {
        const { againInMs } = await deliverAlert(ctx, deliveryId, options);
        if (againInMs === null) return message.ack();
        const delaySeconds = Math.ceil(againInMs / 1000);
        // A longer wait is the sweep's: the queue would come too early, and count it as a failure.
        return delaySeconds > MAX_DELAY ? message.ack() : message.retry({ delaySeconds });
      } catch (error) {
        ctx.log.warn("a delivery was not made; its message comes again", { deliveryId, error });
        return message.retry({ delaySeconds: 30 });
      }
    }),
  );
}
