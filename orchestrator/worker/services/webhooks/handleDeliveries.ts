import { z } from "zod";
import type { ServiceContext } from "../../context.ts";
import type { ReportMessage } from "../delivery/regenerateReports.ts";
import { SaidSchema } from "./takeGithubDelivery.ts";

const MessageSchema = z.object({ delivery: z.string() });

/** Carries out what messages name. The same one twice, late or out of order does no harm. */
export async function handleDeliveries(ctx: ServiceContext, messages: readonly ReportMessage[]): Promise<void> {
  for (const message of messages) {
    const parsed = MessageSchema.safeParse(message.body);
    if (!parsed.success) {
      ctx.log.error("a message names no delivery of GitHub", { error: parsed.error });
      message.ack();
      continue;
    }
    try {
      await handleDelivery(ctx, parsed.data.delivery);
      message.ack();
    } catch (error) {
      ctx.log.warn("a delivery was not carried out; its message comes again", { ...parsed.data, error });
      message.retry();
    }
  }
}

/**
 * An issue that was closed or opened on GitHub is so here: the latest word by GitHub's own clock, in whatever order they
 * come. The row and the delivery's mark are one write. Pull requests, runs and checks are read from GitHub when they are
 * looked at, so their events change nothing that is kept.
 */
export async function handleDelivery(ctx: ServiceContext, delivery: string): Promise<void> {
  const { DB_OPS } = ctx.env;
  const row = await ctx.db.ops
    .selectFrom("github_deliveries")
    .select(["event", "said"])
    .where("delivery", "=", delivery)
    .where("handled_at", "is", null)
    .executeTakeFirst();
  if (!row) return;
  const now = ctx.now().toISOString();
  const { action, issue } = SaidSchema.parse(JSON.parse(row.said));
  const isMove = row.event === "issues" && (action === "closed" || action === "reopened");
  await DB_OPS.batch([
    ...(isMove && issue && issue.pull_request === undefined
      ? [DB_OPS.prepare(MOVE).bind(issue.html_url, issue.state, issue.updated_at, now)]
      : []),
    DB_OPS.prepare(HANDLED).bind(delivery, now),
  ]);
}

const MOVE = `
  UPDATE ops_issues SET
    status = CASE WHEN ?2 = 'closed' THEN 'closed' WHEN status IN ('resolved', 'closed') THEN 'open' ELSE status END,
    closed_at = CASE WHEN ?2 = 'closed' THEN coalesce(closed_at, ?4) ELSE NULL END,
    claimed_by = CASE WHEN ?2 = 'closed' THEN NULL ELSE claimed_by END,
    claimed_at = CASE WHEN ?2 = 'closed' THEN NULL ELSE claimed_at END,
    claim_expires_at = CASE WHEN ?2 = 'closed' THEN NULL ELSE claim_expires_at END,
    gh_state = ?2, gh_updated_at = ?3, updated_at = ?4
  WHERE gh_issue_url = ?1 AND coalesce(gh_updated_at, '') < ?3`;
const HANDLED = "UPDATE github_deliveries SET handled_at = ?2 WHERE delivery = ?1 AND handled_at IS NULL";
