import { OrderIdSchema, WorkspaceIdSchema } from "@shared/contracts";
import { z } from "zod";

/** A message of the queue `vibehq-reports`: an order's report may have to be made anew. */
export const ReportRequestSchema = z.object({
  orderId: OrderIdSchema,
  /** The event that asks for it; absent: it is asked for whatever the report covers. */
  event: z.object({ workspaceId: WorkspaceIdSchema, seq: z.number().int().positive() }).optional(),
});
export type ReportRequest = z.input<typeof ReportRequestSchema>;

/** Messages a queue takes at once. */
const BATCH = 100;

/** Asks for reports. False where the deployment has no queue: the nightly run makes them then. Throws where it fails. */
export async function sendReportRequests(
  env: { INSTANCE: string; REPORTS_QUEUE?: Queue },
  requests: readonly ReportRequest[],
): Promise<boolean> {
  const queue = env.REPORTS_QUEUE;
  if (!queue) return false;
  for (let at = 0; at < requests.length; at += BATCH) {
    await queue.sendBatch(requests.slice(at, at + BATCH).map((body) => ({ body, contentType: "json" as const })));
  }
  return true;
}
