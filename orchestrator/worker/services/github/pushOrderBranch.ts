import { BranchNameSchema, type EnginePushAnswer, type Failed, type Result, validationError } from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { engineOf } from "../../integrations/engine.ts";
import { gitCredential } from "../../integrations/github.ts";
import { inWorkspace } from "../workspace/workspaceObject.ts";
import { type OrderRepository, orderRepository, publishExport } from "./orderRepository.ts";

export const PushOrderBranchSchema = z.object({
  /** Where the branch begins, unless the workspace was opened from a commit of the repository. Absent: the project's branch. */
  base: BranchNameSchema.optional(),
});

export interface OrderBranch {
  repository: string;
  branch: string;
  commit: string;
  /** The commit it stands on; null: the first of its repository. */
  parent: string | null;
  /** False: the branch had this tree already. */
  pushed: boolean;
}

/** How often a workspace that is edited meanwhile is read anew. */
const ATTEMPTS = 3;
const AUTHOR = { name: "VibeHQ", email: "vibehq@users.noreply.github.com" };

/**
 * Pushes what an order's workspace holds to `factory/<order-id>` of its project's repository, as one commit that names
 * order, batches and the heads of log and custody chain. Asked again with nothing changed it is the same commit. Commits
 * of others on that branch are never overwritten. Needs `orders:write`.
 * Errors: NOT_FOUND, FORBIDDEN, VALIDATION_FAILED (no repository on GitHub), WORKSPACE_NOT_FOUND, CONFLICT (others have
 * pushed to the branch), those of `integrations/github` and of the engine.
 */
export async function pushOrderBranch(
  ctx: ServiceContext,
  input: { orderId: string; base?: unknown },
): Promise<Result<OrderBranch>> {
  const denied = requireScope(ctx, "orders:write");
  if (denied) return denied;
  const parsed = PushOrderBranchSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const target = await orderRepository(ctx, input.orderId);
  if (!target.ok) return target;
  const { repository, branch } = target;

  const pushed = await push(ctx, target, parsed.data.base ?? target.project.branch);
  const name = `${repository.owner}/${repository.name}`;
  if (!pushed.ok) {
    const { code } = pushed.error;
    ctx.log.warn("an order's branch was not pushed", { orderId: target.order.id, repository: name, code });
    await publishExport(ctx, target, {
      type: "github_export_error",
      message: `${branch} was not pushed`,
      data: { repository: name, branch, code },
    });
    return pushed;
  }
  const { commit, parent } = pushed;
  if (pushed.pushed) {
    await publishExport(ctx, target, {
      type: "github_export_completed",
      message: `${branch} is at ${commit.slice(0, 12)}`,
      data: { repository: name, branch, commit, tree: pushed.treeHash },
    });
  }
  return { ok: true, repository: name, branch, commit, parent, pushed: pushed.pushed };
}

async function push(
  ctx: ServiceContext,
  target: OrderRepository,
  base: string,
): Promise<Result<EnginePushAnswer> | Failed> {
  const { order, repository, branch } = target;
  const credential = await gitCredential(ctx.env, { owner: repository.owner, repo: repository.name });
  if (!credential.ok) return credential;
  const { remote, token } = credential.credential;
  for (let attempt = 1; ; attempt += 1) {
    // Engine and record at the same log: what is pushed is what is on record.
    const restored = await inWorkspace(ctx, order.workspace_id, (stub, id) => stub.restore(id));
    if (!restored.ok) return restored;
    if (!restored.answer.ok) return restored.answer;
    const { workspaceId } = restored;
    const { head } = restored.answer.workspace;
    const chain = await inWorkspace(ctx, workspaceId, (stub) => stub.events(Number.MAX_SAFE_INTEGER, 1));
    if (!chain.ok) return chain;
    const answer = await engineOf(ctx.env).push(workspaceId, {
      remote,
      branch,
      base,
      message: messageOf(order.title, order.id),
      author: AUTHOR,
      orderId: order.id,
      custody: chain.answer.head,
      token,
      expectedHead: head,
      force: false,
    });
    if (answer.ok || answer.error.code !== "HEAD_MISMATCH" || attempt === ATTEMPTS) return answer;
  }
}

/** The order's title as one line, whatever it holds. */
const messageOf = (title: string, orderId: string): string => {
  const line = title
    .toWellFormed()
    .replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, " ")
    .trim();
  return `${line === "" ? "Work" : line} (${orderId})`;
};
