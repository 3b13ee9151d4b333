import { sql } from "kysely";
import type { ServiceContext } from "../../context.ts";
import { type Commented, commentReport } from "./commentReport.ts";

/** Pull requests that one run brings up to date; the next night does the rest. */
const MAX_COMMENTED = 200;

/** The comment of an order's report, where one is to be made: what fails is logged, and the nightly run tries again. */
export async function tryCommentReport(ctx: ServiceContext, orderId: string): Promise<Commented | "failed"> {
  try {
    const commented = await commentReport(ctx, orderId);
    if (commented.ok) return commented.comment;
    ctx.log.warn("a report was not put on its pull request", { orderId, code: commented.error.code });
  } catch (error) {
    ctx.log.warn("a report was not put on its pull request", { orderId, error });
  }
  return "failed";
}

/**
 * Comments that do not hold the current report of their order: GitHub was away, or a message was lost. Those that were
 * tried longest ago come first, so that none that cannot be made, however many there are, keeps another from it.
 */
export async function commentReports(
  ctx: ServiceContext,
  limit = MAX_COMMENTED,
): Promise<{ commented: number; failed: number }> {
  const stale = await staleCommentsQuery(ctx.db, limit).execute();
  const done = { commented: 0, failed: 0 };
  for (const { repository, number, order_id: orderId } of stale) {
    await ctx.db.ops
      .updateTable("order_pull_requests")
      .set({ comment_tried_at: ctx.now().toISOString() })
      .where("repository", "=", repository)
      .where("number", "=", number)
      .execute();
    const commented = await tryCommentReport(ctx, orderId);
    done.commented += Number(commented === "created" || commented === "updated");
    done.failed += Number(commented === "failed");
  }
  return done;
}

export const staleCommentsQuery = (db: ServiceContext["db"], limit: number) =>
  db.ops
    .selectFrom("order_pull_requests as pull")
    .select(["pull.repository", "pull.number", "pull.order_id"])
    // Word for word as the index of what is due has it.
    .where(sql<boolean>`pull.report_hash IS NOT NULL AND pull.comment_hash IS NOT pull.report_hash`)
    // An order's newest alone has a comment.
    .where(
      sql<boolean>`NOT EXISTS (SELECT 1 FROM order_pull_requests AS later WHERE later.order_id = pull.order_id
        AND (later.created_at, later.number) > (pull.created_at, pull.number))`,
    )
    .orderBy("pull.comment_tried_at")
    .orderBy("pull.order_id")
    .limit(limit);
