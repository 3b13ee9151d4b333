import { githubRepositoryOf } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { reachableRepository } from "../../integrations/github.ts";
import { checkStatement } from "../github/checks.ts";
import { ordersOfPulls } from "../github/ordersOfPulls.ts";
import { pullStatement } from "../github/recordPullRequest.ts";
import { tellPullRequests } from "../github/tellPullRequests.ts";
import { opsRepository } from "../ops/fileIssues.ts";
import { requestRerun } from "../ops/readReruns.ts";
import { requestScan, SCAN_DELAY_SECONDS } from "../ops/scanRequests.ts";
import { type Said, SaidSchema } from "./said.ts";
import { queueOf } from "./takeGithubDelivery.ts";

/** Conclusions after which a run's logs are worth reading soon. */
const FAILED: ReadonlySet<string> = new Set(["failure", "timed_out", "startup_failure"]);

/**
 * Carries out one delivery, once: what it changes and its mark are one write. The latest word by GitHub's own clock
 * stands, in whatever order events come. Of repositories that may not be reached nothing is taken over. Throws where a
 * database or core-github-api does not answer: then it has to be carried out again.
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
  const now = ctx.now();
  const said = SaidSchema.parse(JSON.parse(row.said));
  const repository = await knownRepository(ctx, said.repository?.full_name);
  const change = repository === null ? null : await changeOf(ctx, { event: row.event, repository, said, now });
  const results = await DB_OPS.batch([
    ...(change?.statements ?? []),
    DB_OPS.prepare(HANDLED).bind(delivery, now.toISOString()),
  ]);
  // Of two at once the one that marked it goes on. What is lost from here on is found by the sweep, or by the next scan.
  if (results.at(-1)?.meta.changes === 1) await change?.after?.();
}

/** The repository by the name it is reached by; null: it is not. */
async function knownRepository(ctx: ServiceContext, full: string | undefined): Promise<string | null> {
  if (full === undefined || githubRepositoryOf(full) === null) return null;
  const reachable = await reachableRepository(ctx.env, full);
  if (reachable.ok) return reachable.repository;
  if (reachable.error.retryable) throw new Error(`core-github-api: ${reachable.error.code}`);
  return null;
}

interface Change {
  statements: D1PreparedStatement[];
  after?: () => Promise<void>;
}

async function changeOf(
  ctx: ServiceContext,
  { event, repository, said, now }: { event: string; repository: string; said: Said; now: Date },
): Promise<Change | null> {
  const { DB_OPS } = ctx.env;
  switch (event) {
    case "issues": {
      const { action, issue } = said;
      const isMove = action === "closed" || action === "reopened";
      if (!isMove || !issue || (issue.pull_request !== undefined && issue.pull_request !== null)) return null;
      return {
        statements: [DB_OPS.prepare(MOVE).bind(issue.html_url, issue.state, issue.updated_at, now.toISOString())],
      };
    }
    case "pull_request":
      return pullChange(ctx, repository, said);
    case "workflow_run": {
      const { workflow_run: run } = said;
      const ours = opsRepository(ctx.env);
      const isOurs = ours !== null && `${ours.owner}/${ours.name}`.toLowerCase() === repository.toLowerCase();
      if (!isOurs || run?.status !== "completed" || !FAILED.has(run.conclusion ?? "")) return null;
      const { id: runId, run_attempt: attempt = 1 } = run;
      return {
        statements: [
          requestScan(DB_OPS, "cicd", now),
          ...(attempt > 1 ? [requestRerun(DB_OPS, { repository, runId, attempt }, now)] : []),
        ],
        after: async () => {
          await queueOf(ctx.env)?.send({ scan: "cicd" }, { delaySeconds: SCAN_DELAY_SECONDS });
        },
      };
    }
    default: {
      const statement = checkStatement(DB_OPS, repository, said, now.toISOString());
      return statement && { statements: [statement] };
    }
  }
}

async function pullChange(
  ctx: ServiceContext,
  repository: string,
  { action, pull_request: pull }: Said,
): Promise<Change | null> {
  if (!pull) return null;
  const { draft, closed_at, merged_at, base, ...rest } = pull;
  const head = { ref: pull.head.ref, sha: pull.head.sha, repo: pull.head.repo?.full_name ?? null };
  const orderId = (await ordersOfPulls(ctx, repository, [{ number: pull.number, head }])).get(pull.number);
  if (orderId === undefined) return null;
  return {
    statements: [
      pullStatement(ctx.env.DB_OPS, {
        orderId,
        repository,
        action: action ?? null,
        told: false,
        pull: {
          ...rest,
          draft: draft ?? false,
          closed_at: closed_at ?? null,
          merged_at: merged_at ?? null,
          head,
          base: { ref: base.ref, sha: "", repo: repository },
        },
      }),
    ],
    after: async () => {
      await tellPullRequests(ctx, { repository, number: pull.number });
    },
  };
}

// What was in progress on GitHub still bears the label and the assignee, whatever its state: the next scan takes them away.
const MOVE = `
  UPDATE ops_issues SET
    status = CASE WHEN ?2 = 'closed' THEN 'closed' WHEN status IN ('resolved', 'closed') THEN 'open' ELSE status END,
    closed_at = CASE WHEN ?2 = 'closed' THEN coalesce(closed_at, ?4) ELSE NULL END,
    claimed_by = CASE WHEN ?2 = 'closed' THEN NULL ELSE claimed_by END,
    claimed_at = CASE WHEN ?2 = 'closed' THEN NULL ELSE claimed_at END,
    claim_expires_at = CASE WHEN ?2 = 'closed' THEN NULL ELSE claim_expires_at END,
    gh_state = CASE WHEN gh_state = 'in_progress' THEN gh_state ELSE ?2 END, gh_updated_at = ?3, updated_at = ?4
  WHERE gh_issue_url = ?1 AND coalesce(gh_updated_at, '') < ?3`;
const HANDLED = "UPDATE github_deliveries SET handled_at = ?2 WHERE delivery = ?1 AND handled_at IS NULL";
