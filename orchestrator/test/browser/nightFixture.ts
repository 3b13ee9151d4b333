import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Client, createClient } from "@shared/client";
import { steerCloudflare } from "@shared/testing";
import { buildClient } from "../../../scripts/buildClient.ts";
import { type NightStack, startNightStack } from "../../../scripts/start/nightStack.ts";
import type { OpsStore } from "./store.ts";

export const REPOSITORY = "acme/night";
const HOUR = 3_600_000;

export interface Night extends NightStack {
  data: string;
  client: Client;
  remove(): Promise<void>;
}

/** A night that has not been scanned yet, with Mission Control as it is built now. */
export async function startNight(): Promise<Night> {
  await buildClient();
  const data = mkdtempSync(path.join(tmpdir(), "vibehq-night-"));
  const stack = await startNightStack({ data, repository: REPOSITORY, webhookSecret: "the-webhooks-secret" });
  return {
    ...stack,
    data,
    client: createClient({ url: stack.url, token: stack.token }),
    remove: async () => {
      await stack.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

export const HOSTILE = `<img src=x onerror="document.title='taken'"> [click](javascript:alert(1)) </pre><script>document.title='taken'</script>`;

/** What Workers and CI runs logged: two causes of Workers and one of a build that filing takes up, and one that it does not. */
export async function writeLogs({ cloudflare, github, commit }: NightStack): Promise<void> {
  const now = Date.now();
  const log = (worker: string, level: "warn" | "error", message: string, ago: number) => ({
    worker,
    level,
    message,
    timestamp: now - ago,
    tag: commit,
  });
  await steerCloudflare(cloudflare.url, {
    action: "log",
    events: [
      ...[1, 2, 3, 4].map((n) =>
        log("checkout", "error", `D1_ERROR: no such table: carts (request ${n}f3a-77)`, 3 * HOUR + n),
      ),
      ...[1, 2].map((n) =>
        log("gateway", "error", `GET https://search.internal/q?page=${n} answered 503 in ${n * 31}ms`, HOUR + n),
      ),
      log("gateway", "warn", "cache miss for user 7", HOUR),
    ],
  });
  await github.run({
    action: "addRuns",
    repository: REPOSITORY,
    runs: [
      {
        head_sha: commit,
        conclusion: "failure",
        at: now - 2 * HOUR,
        logs: {
          "0_build.txt":
            "2026-11-20T02:14:09.1182274Z ##[group]Run tsc\n2026-11-20T02:14:10.1182274Z src/cart.ts(3,7): error TS2304: Cannot find name 'Money'.\n2026-11-20T02:14:11.1182274Z ##[error]Process completed with exit code 2.\n",
        },
      },
    ],
  });
}

const ago = (hours: number): string => new Date(Date.now() - hours * HOUR).toISOString();

/** What nights before this one would have left: a page and more of issues, one a model spoke of, and scans that went otherwise. */
export function writeNights(store: OpsStore): void {
  const issue = (id: number, fields: Record<string, unknown>) => ({
    id,
    kind: "worker-log",
    severity: 4,
    rule_severity: 4,
    judged_by: "rule",
    status: "closed",
    worker: "mailer",
    prompt: "Find and mend the cause of an error of the Worker mailer.",
    analysis: "By rule: severity 4 of 5, from its words, its level (warn) and how often it happened.",
    fingerprint: `seeded-${id}`,
    fingerprint_version: 1,
    template: `Mail <id> was refused by relay ${id}`,
    occurrences: id,
    first_seen: ago(24 * 40 + id),
    last_seen: ago(24 * 5 + id),
    created_at: ago(24 * 40 + id),
    updated_at: ago(24 * 5),
    closed_at: ago(24 * 2),
    ...fields,
  });
  store.insert("ops_issues", ...Array.from({ length: 60 }, (_, n) => issue(n + 1, {})));
  store.insert(
    "ops_issues",
    issue(101, {
      severity: 1,
      rule_severity: 2,
      judged_by: "ai-gateway:grader-1",
      status: "open",
      worker: "billing",
      template: `TypeError: ${HOSTILE}\n    at charge (billing.js:<n>:<n>)`,
      frame: "charge (billing.js)",
      analysis: `By ai-gateway:grader-1: The price is read before the cart is there. ${HOSTILE}`,
      prompt: `Find and mend the cause of an error of the Worker billing.\n\n${HOSTILE}`,
      gh_issue_number: 900,
      gh_issue_url: "javascript:document.title='taken'",
      gh_state: "open",
      // Said for good, so that no scan comments on what is not on GitHub.
      told_occurrences: 1_000,
      occurrences: 312,
      first_seen: ago(30),
      last_seen: ago(0.1),
      closed_at: null,
    }),
    issue(102, {
      kind: "build-log",
      severity: 3,
      rule_severity: 3,
      status: "in_progress",
      worker: null,
      repo: "acme/other",
      run_id: "77",
      template: "FAIL test/cart.test.ts > adds <n>",
      claimed_by: "token:somebody-else",
      claimed_at: ago(1),
      claim_expires_at: new Date(Date.now() + 5 * HOUR).toISOString(),
      gh_issue_number: 901,
      gh_issue_url: "https://github.com/acme/other/issues/901",
      gh_state: "in_progress",
      told_occurrences: 1_000,
      occurrences: 9,
      closed_at: null,
    }),
  );
  store.insert("ops_issue_commits", { issue_id: 101, commit_sha: "c0ffee".padEnd(40, "0"), first_seen: ago(30) });
  store.insert("ops_issue_commits", { issue_id: 102, commit_sha: "c0ffee".padEnd(40, "0"), first_seen: ago(30) });
  store.insert("alerts", {
    id: "alert-of-101",
    kind: "ops.issue.filed",
    severity: "critical",
    title: "[Ops] billing: TypeError",
    text: HOSTILE,
    dedupe_key: "ops:issue:101",
    worker: "billing",
    data: { issue: 101 },
    first_at: ago(30),
    last_at: ago(30),
    told_at: ago(30),
    told_by: "the test",
    announced_at: ago(30),
  });
  const totals = (lines: number) => ({
    logs_ingested: lines,
    worker_logs: lines,
    build_logs: 0,
    skipped: 1,
    reviewed: lines,
    issues_opened: 2,
    issues_reopened: 1,
    issues_closed: 3,
    comments: 4,
  });
  const scan = (id: number, fields: Record<string, unknown>) => ({
    id,
    scope: "full",
    started_at: ago(100 - id),
    finished_at: new Date(Date.parse(ago(100 - id)) + 74_000).toISOString(),
    started_by: "system:schedule",
    outcome: "done",
    totals: totals(id),
    ...fields,
  });
  store.insert(
    "ops_scans",
    ...Array.from({ length: 52 }, (_, n) => scan(n + 1, {})),
    scan(60, { outcome: "partial", error: `RATE_LIMITED: GitHub asks for a pause ${HOSTILE}` }),
    scan(61, { outcome: "stuck", error: "no sign of life", totals: null }),
    scan(62, { outcome: "failed", error: "a database did not answer; the next scan goes on", totals: totals(0) }),
  );
}

/** Pull requests of the repository, the first of them from an order's branch; the title of the second is hostile. */
export async function openPulls({ github, githubToken }: NightStack, orderId: string, many: number): Promise<void> {
  const api = async (at: string, method: string, body: object): Promise<void> => {
    const answer = await fetch(`${github.url}/repos/${REPOSITORY}${at}`, {
      method,
      headers: { authorization: `Bearer ${githubToken}`, "user-agent": "tests", "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${at}: ${answer.status} ${await answer.text()}`);
  };
  for (let n = 1; n <= many; n += 1) {
    const branch = n === 1 ? `factory/${orderId}` : `topic-${n}`;
    await github.run({
      action: "commit",
      repository: REPOSITORY,
      branch,
      from: "main",
      files: { [`${n}.txt`]: "a\n" },
    });
    const title = n === 2 ? HOSTILE : `Change ${n}`;
    await api("/pulls", "POST", { title, head: branch, base: "main", draft: n === 3 });
  }
  await api("/pulls/4", "PATCH", { state: "closed" });
}

/** An order's pull requests as webhooks would have told of them: one in each state, the last at an address that is none of GitHub's. */
export function writeOrderPulls(store: OpsStore, orderId: string, githubUrl: string): void {
  const pull = (number: number, state: "open" | "closed" | "merged", fields: Record<string, unknown> = {}) => ({
    repository: REPOSITORY,
    number,
    order_id: orderId,
    url: `${githubUrl}/${REPOSITORY}/pull/${number}`,
    head_ref: `factory/${orderId}`,
    head_sha: String(number).padStart(40, "a"),
    base_ref: "main",
    state,
    draft: 0,
    created_at: ago(2_000 - number),
    gh_updated_at: ago(1),
    told_state: state,
    ...fields,
  });
  store.insert(
    "order_pull_requests",
    pull(1, "open", { draft: 1 }),
    pull(1002, "closed", { closed_at: ago(1) }),
    pull(1003, "merged", { closed_at: ago(1), merged_at: ago(1) }),
    pull(1004, "open", { url: "javascript:document.title='taken'" }),
  );
  const check = (number: number, status: string, conclusion: string | null) => ({
    repository: REPOSITORY,
    head_sha: String(number).padStart(40, "a"),
    suite_id: number,
    name: "build",
    run_id: number,
    status,
    conclusion,
    at: ago(1),
    seen_at: ago(1),
  });
  store.insert(
    "github_checks",
    check(1, "in_progress", null),
    check(1002, "completed", "failure"),
    check(1003, "completed", "success"),
  );
}
