import {
  fail,
  githubRepositoryOf,
  type GithubRepository,
  type Order,
  orderBranchOf,
  type Project,
  type Result,
} from "@shared/contracts";
import { type ServiceContext, systemActor } from "../../context.ts";
import { findOrder } from "../order/getOrder.ts";
import { getProject } from "../project/getProject.ts";
import { publish } from "../phase/publish.ts";

export interface OrderRepository {
  order: Order;
  project: Project;
  repository: GithubRepository;
  /** `factory/<order-id>`. */
  branch: string;
}

/** Where an order's work goes on GitHub. Errors: NOT_FOUND, FORBIDDEN, VALIDATION_FAILED (it goes nowhere there). */
export async function orderRepository(ctx: ServiceContext, orderId: string): Promise<Result<OrderRepository>> {
  const found = await findOrder(ctx, orderId);
  if (!found.ok) return found;
  const { order } = found;
  if (order.project_id === null) return fail("VALIDATION_FAILED", "the order has no project, and so no repository");
  // Who may write the order may know where it goes.
  const owned = await getProject({ ...ctx, actor: systemActor("github") }, { projectId: order.project_id });
  if (!owned.ok) return owned;
  const repository = githubRepositoryOf(owned.project.repository ?? "");
  if (repository === null) return fail("VALIDATION_FAILED", "the order's project names no repository on GitHub");
  const branch = orderBranchOf(order.id);
  if (branch === null) return fail("VALIDATION_FAILED", "the order's id makes no branch's name");
  return { ok: true, order, project: owned.project, repository, branch };
}

/** Says in the order's custody chain and rooms what became of it on GitHub. False where it could not: that undoes nothing. */
export async function publishExport(
  ctx: ServiceContext,
  { order }: OrderRepository,
  said: {
    type: "github_export_completed" | "github_export_progress" | "github_export_error";
    message: string;
    data: Record<string, string | number>;
  },
): Promise<boolean> {
  try {
    const published = await publish(
      { ...ctx, actor: systemActor("github") },
      {
        ...said,
        orderId: order.id,
        workspaceId: order.workspace_id,
        ...(order.project_id === null ? {} : { projectId: order.project_id }),
      },
    );
    if (!published.ok) ctx.log.warn("an export was not published", { orderId: order.id, error: published.error });
    return published.ok;
  } catch (error) {
    ctx.log.warn("an export was not published", { orderId: order.id, error });
    return false;
  }
}
