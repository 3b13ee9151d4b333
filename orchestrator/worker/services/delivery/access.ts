import { fail, type Failed } from "@shared/contracts";
import { requireWorkspace, type ServiceContext } from "../../context.ts";

/** Whose report it is: the order's factory, where it was placed, and the one workspace its events stand in. */
export interface ReportOwner {
  order_id: string;
  factory: string | null;
  workspace_id: string | null;
}

/** FORBIDDEN where the caller is a factory and the order was placed with another, or never. */
export const requireOwnFactory = (
  { actor }: Pick<ServiceContext, "actor">,
  report: Pick<ReportOwner, "order_id" | "factory">,
): Failed | null =>
  actor.kind === "factory" && actor.id !== `factory:${report.factory}`
    ? fail("FORBIDDEN", `order ${report.order_id} is not this factory's`)
    : null;

/** FORBIDDEN unless the caller may see this report: a factory only its own orders', a confined token only its workspace's. */
export function requireReportAccess(ctx: Pick<ServiceContext, "actor">, report: ReportOwner): Failed | null {
  const { actor } = ctx;
  const denied = requireOwnFactory(ctx, report);
  if (denied) return denied;
  if (report.workspace_id !== null) return requireWorkspace(ctx, report.workspace_id);
  return actor.workspaceId === null
    ? null
    : fail("FORBIDDEN", `order ${report.order_id} has patches in more than this token's workspace`);
}
