import { fail, type ReportPhaseInput, type Result } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { findOrder } from "../order/getOrder.ts";
import { publish } from "./publish.ts";

/**
 * Publishes a phase message of an order the caller works on, in that order's workspace and project, whatever the
 * message says of them. Errors: VALIDATION_FAILED, NOT_FOUND, FORBIDDEN.
 */
export async function reportPhase(ctx: ServiceContext, input: ReportPhaseInput): Promise<Result<{ seq: number }>> {
  const { orderId } = input;
  if (typeof orderId !== "string") return fail("VALIDATION_FAILED", "orderId: a phase message belongs to an order");
  const found = await findOrder(ctx, orderId);
  if (!found.ok) return found;
  const { id, workspace_id, project_id } = found.order;
  return publish(ctx, {
    ...input,
    orderId: id,
    workspaceId: workspace_id,
    ...(project_id === null ? {} : { projectId: project_id }),
  });
}
