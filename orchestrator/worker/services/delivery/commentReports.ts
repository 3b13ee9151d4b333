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

/** Comments that do not hold the current report of their order: GitHub was away, or a message was lost. */
export async function commentReports(ctx: ServiceContext): Promise<{ commented: number; failed: number }> {
  const stale = await staleCommentsQuery(ctx.db, MAX_COMMENTED).execute();
  const done = { commented: 0, failed: 0 };
  for (const { order_id: orderId } of stale) {
    const commented = await tryCommentReport(ctx, orderId);
    done.commented += Number(commented === "created" || commented === "updated");
    done.failed += Number(commented === "failed");
  }
  return done;
}

export const staleCommentsQuery = (db: ServiceContext["db"], limit: number) =>
  db.ops
    .selectFrom("order_pull_requests as pull")
    .innerJoin("delivery_reports as report", "report.order_id", "pull.order_id")
    .select("pull.order_id")
    .distinct()
    .where(sql<boolean>`pull.comment_hash IS NOT report.content_hash`)
    // An order's newest alone has a comment.
    .where(
      sql<boolean>`NOT EXISTS (SELECT 1 FROM order_pull_requests AS later WHERE later.order_id = pull.order_id
        AND (later.created_at, later.number) > (pull.created_at, pull.number))`,
    )
    .orderBy("pull.order_id")
    .limit(limit);
