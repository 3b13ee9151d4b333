import type { ServiceContext } from "../../context.ts";
import { sendReportRequests } from "../delivery/requestReport.ts";
import { orderRepository, publishExport } from "./orderRepository.ts";

const MAX_TOLD = 100;

const WORDS = { open: "is open", closed: "was closed", merged: "was merged" } as const;

/**
 * Says in orders' chains and rooms what became of their pull requests, and asks for their reports. A state is noted as
 * told once it is: after a crash between the two it is told again, never not at all. `only`: of one alone.
 */
export async function tellPullRequests(
  ctx: ServiceContext,
  only?: { repository: string; number: number },
): Promise<{ told: number }> {
  let query = untoldPullsQuery(ctx.db);
  if (only) query = query.where("repository", "=", only.repository).where("number", "=", only.number);
  let told = 0;
  for (const pull of await query.limit(MAX_TOLD).execute()) {
    const { repository, number, state, url, order_id: orderId } = pull;
    const target = await orderRepository(ctx, orderId);
    // An order that is gone, or goes elsewhere now, is told nothing.
    if (target.ok) {
      const said = await publishExport(ctx, target, {
        type: state === "merged" ? "github_export_completed" : "github_export_progress",
        message: `Pull request #${number} ${WORDS[state]}`,
        data: { repository, pullRequest: number, state, url },
      });
      if (!said) continue;
      await sendReportRequests(ctx.env, [{ orderId }]);
      told += 1;
    }
    await ctx.db.ops
      .updateTable("order_pull_requests")
      .set({ told_state: state })
      .where("repository", "=", repository)
      .where("number", "=", number)
      .where("told_state", "is", pull.told_state)
      .execute();
  }
  return { told };
}

export const untoldPullsQuery = (db: ServiceContext["db"]) =>
  db.ops
    .selectFrom("order_pull_requests")
    .select(["repository", "number", "state", "url", "order_id", "told_state"])
    .whereRef("told_state", "is not", "state")
    .orderBy("repository")
    .orderBy("number");
