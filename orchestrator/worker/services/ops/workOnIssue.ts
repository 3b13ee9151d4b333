import { waitUntil } from "cloudflare:workers";
import {
  fail,
  type OpsIssue,
  opsOrderIdOf,
  type Order,
  type Result,
  type Task,
  validationError,
  WorkOnOpsIssueSchema,
} from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { createOrder } from "../order/createOrder.ts";
import { findIssue } from "./findIssue.ts";
import { logIssue } from "./logIssue.ts";
import { issueOfRow } from "./opsRows.ts";

/**
 * Turns an issue into an order with one task of type `fix`, whose description is the issue's remediation prompt. The
 * order's id follows from the issue and how often it came back, so asking again gives the same order. Needs `ops:write`
 * and `orders:write`. Errors: NOT_FOUND, INVALID_TRANSITION (an issue that is closed), those of taking an order.
 */
export async function workOnIssue(
  ctx: ServiceContext,
  input: { id: string; body: unknown },
): Promise<Result<{ issue: OpsIssue; order: Order; tasks: Task[]; created: boolean }>> {
  const denied = requireScope(ctx, "ops:write");
  if (denied) return denied;
  const parsed = WorkOnOpsIssueSchema.safeParse(input.body);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const found = await findIssue(ctx, input.id);
  if (!found.ok) return found;
  const { issue } = found;
  if (issue.status === "closed" || issue.status === "resolved") {
    return fail("INVALID_TRANSITION", `the issue is ${issue.status}`);
  }
  const id = opsOrderIdOf(issue);
  const [head = ""] = (issue.template ?? issue.analysis).split("\n");
  const title = `Mend: ${issue.worker ?? issue.repo ?? "ops"}: ${head}`.slice(0, 300).toWellFormed();
  const { factory, projectId, workspaceId, source } = parsed.data;
  const ordered = await createOrder(ctx, {
    id,
    title,
    description: issue.prompt.slice(0, 20_000).toWellFormed(),
    factory,
    projectId,
    ...(workspaceId === undefined ? {} : { workspaceId }),
    ...(source === undefined ? {} : { source }),
    tasks: [{ id: `${id}.fix`, title, type: "fix" }],
  });
  if (!ordered.ok) return ordered;
  const row = await ctx.db.ops
    .updateTable("ops_issues")
    .set({ order_id: ordered.order.id, updated_at: ctx.now().toISOString() })
    .where("id", "=", issue.id)
    .returningAll()
    .executeTakeFirst();
  if (ordered.created) waitUntil(logIssue(ctx, "ordered", row ?? issue));
  return { ...ordered, issue: row ? issueOfRow(row, ctx.now()) : issue };
}
