import { waitUntil } from "cloudflare:workers";
import { ClaimOpsIssueSchema, fail, type OpsIssue, type Result, validationError } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { commentOnIssue, updateIssueState } from "../../integrations/github.ts";
import { findIssue } from "./findIssue.ts";
import { opsRepository } from "./fileIssues.ts";
import { logIssue } from "./logIssue.ts";
import { issueOfRow } from "./opsRows.ts";

/**
 * Takes an issue for the caller, until the claim's time is over, or gives it back (`release`). Of simultaneous claims the
 * first wins, the others get CONFLICT, the holder's own too;
 * `renew` lengthens what the caller holds. The issue on GitHub is told: `told`
 * says whether it could be; its state is set by the next scan where it could not. Needs `ops:write`.
 * Errors: NOT_FOUND, CONFLICT, INVALID_TRANSITION (an issue that is closed), FORBIDDEN (to release another's).
 */
export async function claimIssue(
  ctx: ServiceContext,
  input: { id: string; body: unknown },
): Promise<Result<{ id: number; status: OpsIssue["status"]; issue: OpsIssue; told: boolean }>> {
  const denied = requireScope(ctx, "ops:write");
  if (denied) return denied;
  const parsed = ClaimOpsIssueSchema.safeParse(input.body);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const found = await findIssue(ctx, input.id);
  if (!found.ok) return found;
  const now = ctx.now();
  const { minutes, renew, release } = parsed.data;
  const row = release
    ? await ctx.db.ops
        .updateTable("ops_issues")
        .set({
          status: "open",
          claimed_by: null,
          claimed_at: null,
          claim_expires_at: null,
          updated_at: now.toISOString(),
        })
        .where("id", "=", found.issue.id)
        .where("status", "=", "in_progress")
        .$if(!ctx.actor.scopes.has("admin"), (query) => query.where("claimed_by", "=", ctx.actor.id))
        .returningAll()
        .executeTakeFirst()
    : // Conditional, so that of simultaneous claims exactly one changes the row.
      await ctx.db.ops
        .updateTable("ops_issues")
        .set({
          status: "in_progress",
          claimed_by: ctx.actor.id,
          claimed_at: now.toISOString(),
          claim_expires_at: new Date(now.getTime() + minutes * 60_000).toISOString(),
          updated_at: now.toISOString(),
        })
        .where("id", "=", found.issue.id)
        .where((eb) =>
          eb.or([
            eb("status", "in", ["open", "triaged"]),
            eb.and([
              eb("status", "=", "in_progress"),
              eb.or([
                eb("claim_expires_at", "is", null),
                eb("claim_expires_at", "<=", now.toISOString()),
                ...(renew ? [eb("claimed_by", "=", ctx.actor.id)] : []),
              ]),
            ]),
          ]),
        )
        .returningAll()
        .executeTakeFirst();
  if (!row) return refusalOf(found.issue, release);
  const what = release ? "released" : renew ? "renewed" : "claimed";
  waitUntil(logIssue(ctx, what, row, { until: row.claim_expires_at }));
  const told = renew || (await tell(ctx, row.gh_issue_number, release));
  if (told && row.gh_issue_number !== null) {
    await ctx.db.ops
      .updateTable("ops_issues")
      .set({ gh_state: release ? "open" : "in_progress" })
      .where("id", "=", row.id)
      .where("status", "=", row.status)
      .execute();
  }
  return { ok: true, id: row.id, status: row.status, issue: issueOfRow(row, now), told };
}

function refusalOf({ status, claimed_by: holder }: OpsIssue, release: boolean) {
  if (status === "closed" || status === "resolved") return fail("INVALID_TRANSITION", `the issue is ${status}`);
  if (!release) return fail("CONFLICT", "somebody else has claimed this issue");
  return holder === null
    ? fail("CONFLICT", "nobody has claimed this issue")
    : fail("FORBIDDEN", "another holds this claim");
}

async function tell(ctx: ServiceContext, number: number | null, release: boolean): Promise<boolean> {
  const repository = opsRepository(ctx.env);
  if (number === null || repository === null) return false;
  const repo = `${repository.owner}/${repository.name}`;
  const state = await updateIssueState(ctx.env, { repo, number, state: release ? "open" : "in_progress" });
  const said = await commentOnIssue(ctx.env, {
    repo,
    number,
    body: release ? "Given back in VibeHQ: open again." : "Claimed in VibeHQ: now in progress.",
  });
  for (const answer of [state, said]) {
    if (!answer.ok) ctx.log.warn("GitHub was not told of a claim", { number, code: answer.error.code });
  }
  return state.ok && said.ok;
}
