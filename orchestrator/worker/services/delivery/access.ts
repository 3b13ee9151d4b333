import { fail, type Failed } from "@shared/contracts";
import { requireWorkspace, type ServiceContext } from "../../context.ts";

/** Whose report it is: the order's factory, where it was placed, and the one workspace its events stand in. */
export interface ReportOwner {
  order_id: string;
  factory: string | null;
  workspace_id: string | null;
}

/** FORBIDDEN unless the caller may see this report: a factory only its own orders', a confined token only its workspace's. */
export function requireReportAccess(ctx: Pick<ServiceContext, "actor">, report: ReportOwner): Failed | null {
  const { actor } = ctx;
  if (actor.kind === "factory" && actor.id !== `factory:${report.factory}`) {
    return fail("FORBIDDEN", `order ${report.order_id} is not this factory's`);
  }
  if (report.workspace_id !== null) return requireWorkspace(ctx, report.workspace_id);
  return actor.workspaceId === null
    ? null
    : fail("FORBIDDEN", `order ${report.order_id} has patches in more than this token's workspace`);
}
