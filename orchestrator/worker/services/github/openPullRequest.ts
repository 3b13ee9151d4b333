import {
  BranchNameSchema,
  CreateGithubPullSchema,
  fail,
  GITHUB_MAX_TITLE,
  type GithubPullRequest,
  type Result,
  validationError,
} from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { createPullRequest, listRepoPRs } from "../../integrations/github.ts";
import { escapeMarkdown } from "../delivery/markdown.ts";
import { sendReportRequests } from "../delivery/requestReport.ts";
import { orderRepository, publishExport } from "./orderRepository.ts";
import { pushOrderBranch } from "./pushOrderBranch.ts";
import { quietMarkdown } from "./quietMarkdown.ts";
import { recordPullRequest } from "./recordPullRequest.ts";

const pull = CreateGithubPullSchema.shape;
export const OpenPullRequestSchema = z.object({
  /** Absent: the order's title. */
  title: pull.title.optional(),
  /** Markdown. Absent: what the order says, as plain text. */
  body: z.string().max(60_000).optional(),
  /** What it is to be merged into. Absent: the project's branch. */
  base: BranchNameSchema.optional(),
  draft: pull.draft,
});

const MAX_DESCRIPTION = 10_000;

/**
 * Pushes an order's branch and opens a pull request for it, or answers with the one that is open. Needs `orders:write`.
 * Errors: those of pushOrderBranch; UPSTREAM_REFUSED also where there is nothing to merge.
 */
export async function openPullRequest(
  ctx: ServiceContext,
  input: { orderId: string; title?: unknown; body?: unknown; base?: unknown; draft?: unknown },
): Promise<Result<{ pullRequest: GithubPullRequest; created: boolean }>> {
  const denied = requireScope(ctx, "orders:write");
  if (denied) return denied;
  const parsed = OpenPullRequestSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const target = await orderRepository(ctx, input.orderId);
  if (!target.ok) return target;
  const { order, project, repository, branch } = target;
  const base = parsed.data.base ?? project.branch;
  const pushed = await pushOrderBranch(ctx, { orderId: order.id, base });
  if (!pushed.ok) return pushed;

  const { title = titleOf(order.title, order.id), body = bodyOf(order), draft } = parsed.data;
  const of = { owner: repository.owner, repo: repository.name };
  const made = await createPullRequest(ctx.env, { ...of, title, body, base, draft, head: branch });
  if (made.ok) {
    await remember(ctx, { orderId: order.id, repository: pushed.repository, pull: made.pullRequest });
    const { number, html_url: url } = made.pullRequest;
    await publishExport(ctx, target, {
      type: "github_export_completed",
      message: `Pull request #${number}`,
      data: { repository: pushed.repository, branch, commit: pushed.commit, pullRequest: number, url },
    });
    return { ok: true, pullRequest: made.pullRequest, created: true };
  }
  if (made.error.code !== "CONFLICT") return made;
  const open = await listRepoPRs(ctx.env, { repo: pushed.repository, head: branch, base });
  if (!open.ok) return open;
  const [existing] = open.prs;
  if (existing === undefined) {
    return fail("CONFLICT", "GitHub says that this pull request is open already, and does not show it");
  }
  await remember(ctx, { orderId: order.id, repository: pushed.repository, pull: existing });
  return { ok: true, pullRequest: existing, created: false };
}

/**
 * On record, so that its events are known and the order's report is put on it. What cannot be recorded now is, by GitHub's
 * event of the opening.
 */
async function remember(ctx: ServiceContext, seen: Parameters<typeof recordPullRequest>[1]): Promise<void> {
  try {
    await recordPullRequest(ctx, seen);
    await sendReportRequests(ctx.env, [{ orderId: seen.orderId }]);
  } catch (error) {
    ctx.log.warn("a pull request was not put on record", { orderId: seen.orderId, number: seen.pull.number, error });
  }
}

const titleOf = (title: string, orderId: string): string => {
  const line = title
    .toWellFormed()
    .replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, " ")
    .trim();
  return (line === "" ? `Order ${orderId}` : line).slice(0, GITHUB_MAX_TITLE).toWellFormed();
};

/** What an order says was written by anyone: nobody is mentioned by it, nothing closed, no markup made. */
const bodyOf = ({ id, description }: { id: string; description: string }): string =>
  [quietMarkdown(escapeMarkdown(description, MAX_DESCRIPTION)), `Order \`${id}\``]
    .filter((part) => part !== "")
    .join("\n\n");
