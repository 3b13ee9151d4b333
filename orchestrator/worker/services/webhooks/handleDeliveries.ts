import { z } from "zod";
import type { ServiceContext } from "../../context.ts";
import type { ReportMessage } from "../delivery/regenerateReports.ts";
import { runRequestedScan, SCAN_DELAY_SECONDS } from "../ops/scanRequests.ts";
import { handleDelivery } from "./handleDelivery.ts";
import { queueOf } from "./takeGithubDelivery.ts";

const MessageSchema = z.union([z.object({ delivery: z.string() }), z.object({ scan: z.literal("cicd") })]);

/** Carries out what messages name, scans last: they may take long. The same one twice, late or out of order does no harm. */
export async function handleDeliveries(ctx: ServiceContext, messages: readonly ReportMessage[]): Promise<void> {
  const scans: ReportMessage[] = [];
  for (const message of messages) {
    const parsed = MessageSchema.safeParse(message.body);
    if (!parsed.success) {
      ctx.log.error("a message names no delivery of GitHub", { error: parsed.error });
      message.ack();
    } else if ("scan" in parsed.data) {
      scans.push(message);
    } else {
      const { delivery } = parsed.data;
      await carryOut(ctx, message, () => handleDelivery(ctx, delivery));
    }
  }
  for (const message of scans) {
    await carryOut(ctx, message, async () => {
      const ran = await runRequestedScan(ctx, "cicd");
      if (ran === "later") await queueOf(ctx.env)?.send({ scan: "cicd" }, { delaySeconds: SCAN_DELAY_SECONDS + 60 });
    });
  }
}

async function carryOut(ctx: ServiceContext, message: ReportMessage, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    message.ack();
  } catch (error) {
    ctx.log.warn("a message of GitHub's was not carried out; it comes again", { body: message.body, error });
    message.retry();
  }
}
