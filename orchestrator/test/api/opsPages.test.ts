import {
  GithubPullRequestSchema,
  MadePullRequestSchema,
  OpsIssueDetailSchema,
  OpsSummarySchema,
} from "@shared/contracts";
import { type GithubCommand, steerGithub } from "@shared/testing/githubControl";
import { env } from "cloudflare:workers";
import { beforeEach, expect, inject, test } from "vitest";
import { z } from "zod";
import { createContext, systemActor } from "../../worker/context.ts";
import * as integrations from "../../worker/integrations/github.ts";
import { recordPullRequest } from "../../worker/services/github/recordPullRequest.ts";
import { listPullRequests } from "../../worker/services/github/listPullRequests.ts";
import { createProject } from "../../worker/services/project/createProject.ts";
import { createOrder } from "../../worker/services/order/createOrder.ts";
import { admin, answerOf, call, problemOf, tokenWith } from "./caller.ts";

const github = inject("github");
const steer = (command: GithubCommand) => steerGithub(github.url, command);
const mint = (name: string): string => `${name}-${crypto.randomUUID().slice(0, 8)}`;

interface Fields {
  kind?: "worker-log" | "build-log";
  severity?: number;
  status?: string;
  worker?: string;
  repo?: string;
  url?: string;
  order?: string;
  reopened?: number;
  lastSeen?: string;
  commits?: string[];
  claimedUntil?: string;
}
let made = 0;
async function anIssue(fields: Fields = {}): Promise<number> {
  made += 1;
  const row = await env.DB_OPS.prepare(
    `INSERT INTO ops_issues (kind, severity, rule_severity, judged_by, status, worker, repo, prompt, analysis, fingerprint, template,
       gh_issue_number, gh_issue_url, order_id, reopened, first_seen, last_seen, claimed_by, claim_expires_at)
     VALUES (?1, ?2, ?2, 'rule', ?3, ?4, ?5, 'Mend it', 'By rule', ?6, 'It <n> broke', ?7, ?8, ?9, ?10, ?11, ?11, ?12, ?13) RETURNING id`,
  )
    .bind(
      fields.kind ?? "worker-log",
      fields.severity ?? 2,
      fields.status ?? "open",
      fields.worker ?? null,
      fields.repo ?? null,
      mint("f"),
      fields.url === undefined ? null : made,
      fields.url ?? null,
      fields.order ?? null,
      fields.reopened ?? 0,
      fields.lastSeen ?? "2026-11-20T02:00:00.000Z",
      fields.claimedUntil === undefined ? null : "token:somebody",
      fields.claimedUntil ?? null,
    )
    .first<{ id: number }>();
  if (!row) throw new Error("the issue was not stored");
  for (const sha of fields.commits ?? [])
    await env.DB_OPS.prepare("INSERT INTO ops_issue_commits (issue_id, commit_sha, first_seen) VALUES (?1, ?2, '2026')")
      .bind(row.id, sha)
      .run();
  return row.id;
}
const aProject = async (repository: string | null): Promise<string> => {
  const id = mint("project");
  const created = await createProject(admin(), { id, name: "Site", repository });
  if (!created.ok) throw new Error(created.error.message);
  return id;
};
const IdsSchema = z.object({ issues: z.array(z.object({ id: z.number() })), cursor: z.string().nullable() });
const listed = async (query: string): Promise<number[]> =>
  IdsSchema.parse(await answerOf(await call(`/api/ops/issues?${query}`))).issues.map(({ id }) => id);

beforeEach(async () => {
  await env.DB_OPS.batch(
    ["DELETE FROM ops_issues", "DELETE FROM ops_issue_commits"].map((sql) => env.DB_OPS.prepare(sql)),
  );
});

test("a project's issues are its builds', those filed in its repository, and those seen at a commit that broke its builds", async () => {
  const project = await aProject("https://github.com/acme/Shop");
  const build = await anIssue({ kind: "build-log", repo: "acme/shop", commits: ["c1"] });
  const filed = await anIssue({ worker: "api", url: `${github.url}/acme/shop/issues/7` });
  const joined = await anIssue({ worker: "gateway", commits: ["c0", "c1"] });
  await anIssue({ worker: "other", commits: ["c2"] });
  await anIssue({
    kind: "build-log",
    repo: "acme/shop-front",
    commits: ["c2"],
    url: "https://github.com/acme/shop-front/issues/7",
  });
  await anIssue({ kind: "build-log", repo: "evil/acme%shop" });

  expect(await listed(`project=${project}`)).toEqual([joined, filed, build]);
  expect(await listed(`project=${project}&kind=worker-log`)).toEqual([joined, filed]);
  const page = IdsSchema.parse(await answerOf(await call(`/api/ops/issues?project=${project}&limit=2`)));
  expect(page.issues.map(({ id }) => id)).toEqual([joined, filed]);
  expect(await listed(`project=${project}&limit=2&cursor=${page.cursor}`)).toEqual([build]);

  expect(await listed(`project=${await aProject(null)}`)).toEqual([]);
  expect(await listed(`project=${await aProject("ssh://elsewhere/acme/shop")}`)).toEqual([]);
  expect((await problemOf(await call("/api/ops/issues?project=nowhere"))).code).toBe("NOT_FOUND");
  expect((await problemOf(await call("/api/ops/issues?project=../x"))).code).toBe("VALIDATION_FAILED");
  // Whoever may read issues may narrow them, and needs no more for it.
  const { token } = await tokenWith(["ops:read"]);
  expect((await call(`/api/ops/issues?project=${project}`, { token })).status).toBe(200);
});

test("issues are narrowed to those last seen at a time or later, page by page and with the other filters", async () => {
  const project = await aProject("https://github.com/acme/seen");
  const before = await anIssue({ worker: "api", lastSeen: "2026-11-18T23:59:59.999Z" });
  const at = await anIssue({ worker: "api", lastSeen: "2026-11-19T00:00:00.000Z", severity: 3 });
  const after = await anIssue({ kind: "build-log", repo: "acme/seen", lastSeen: "2026-11-20T02:00:00.000Z" });
  await anIssue({ kind: "build-log", repo: "acme/seen", lastSeen: "2026-11-01T02:00:00.000Z" });

  expect(await listed("since=2026-11-19T00:00:00Z")).toEqual([after, at]);
  // The same moment as clocks elsewhere have it.
  expect(await listed(`since=${encodeURIComponent("2026-11-19T01:00:00+01:00")}`)).toEqual([after, at]);
  expect(await listed("since=2026-11-18T23:59:59.999Z&worker=api")).toEqual([at, before]);
  expect(await listed("since=2026-11-19T00:00:00Z&severity=2")).toEqual([after]);
  expect(await listed(`since=2026-11-19T00:00:00Z&project=${project}`)).toEqual([after]);
  const page = IdsSchema.parse(await answerOf(await call("/api/ops/issues?since=2026-11-19T00:00:00Z&limit=1")));
  expect(page.issues.map(({ id }) => id)).toEqual([after]);
  expect(await listed(`since=2026-11-19T00:00:00Z&limit=1&cursor=${page.cursor}`)).toEqual([at]);
  expect(await listed("since=2026-11-21T00:00:00Z")).toEqual([]);
  for (const since of ["yesterday", "2026-11-19", ""])
    expect((await problemOf(await call(`/api/ops/issues?since=${since}`))).code).toBe("VALIDATION_FAILED");
});

test("an issue is told with the commits it was seen at and the issues that share one, the gravest first", async () => {
  const id = await anIssue({ worker: "api", commits: ["c1", "c2"] });
  const mild = await anIssue({ kind: "build-log", repo: "acme/shop", severity: 3, commits: ["c1", "c2"] });
  const grave = await anIssue({ worker: "gateway", severity: 1, commits: ["c2"] });
  await anIssue({ worker: "other", commits: ["c3"] });
  const { issue } = z
    .object({ issue: OpsIssueDetailSchema })
    .parse(await answerOf(await call(`/api/ops/issues/${id}`)));
  expect(issue).toMatchObject({ id, commits: ["c1", "c2"], template: "It <n> broke" });
  expect(issue.related.map((other) => other.id)).toEqual([grave, mild]);
  expect((await problemOf(await call("/api/ops/issues/999999"))).code).toBe("NOT_FOUND");
  expect((await problemOf(await call("/api/ops/issues/tea"))).code).toBe("NOT_FOUND");
});

test("what waits for a person is grave, claimed by nobody and without an order since it was opened", async () => {
  const third = await anIssue({ severity: 2, lastSeen: "2026-11-19T02:00:00.000Z" });
  const second = await anIssue({ severity: 2 });
  const first = await anIssue({ severity: 1, status: "triaged" });
  await anIssue({ severity: 4 });
  await anIssue({ severity: 1, status: "closed" });
  await anIssue({ severity: 1, status: "in_progress", claimedUntil: "2999-01-01T00:00:00.000Z" });
  const lapsed = await anIssue({ severity: 3, status: "in_progress", claimedUntil: "2020-01-01T00:00:00.000Z" });
  const ordered = await anIssue({ severity: 1 });
  await env.DB_OPS.prepare("UPDATE ops_issues SET order_id = 'ORD-OPS-' || id || '.1' WHERE id = ?1")
    .bind(ordered)
    .run();
  const back = await anIssue({ severity: 1, reopened: 1, lastSeen: "2026-11-21T02:00:00.000Z" });
  await env.DB_OPS.prepare("UPDATE ops_issues SET order_id = 'ORD-OPS-' || id || '.1' WHERE id = ?1").bind(back).run();

  const { waiting } = OpsSummarySchema.parse(await answerOf(await call("/api/ops/summary")));
  expect(waiting.issues.map(({ id }) => id)).toEqual([back, first, second, third, lapsed]);
  expect(waiting.count).toBe(5);
  for (let n = 0; n < 12; n += 1) await anIssue({ severity: 1 });
  const more = OpsSummarySchema.parse(await answerOf(await call("/api/ops/summary"))).waiting;
  expect([more.count, more.issues.length]).toEqual([17, 10]);
  // An order made of it is work begun.
  const worked = await call(`/api/ops/issues/${first}/work`, { body: {} });
  expect(worked.status).toBe(200);
  expect(OpsSummarySchema.parse(await answerOf(await call("/api/ops/summary"))).waiting.count).toBe(16);
});

test("the Workers and repositories that there are issues of are counted, with most first, whatever became of them", async () => {
  await anIssue({ worker: "api" });
  await anIssue({ worker: "api", status: "closed" });
  await anIssue({ kind: "build-log", repo: "acme/shop" });
  await anIssue();
  const summary = OpsSummarySchema.parse(await answerOf(await call("/api/ops/summary")));
  expect(summary.by_source).toEqual([
    { kind: "worker-log", source: "api", count: 2 },
    { kind: "build-log", source: "acme/shop", count: 1 },
  ]);
});

test("who is signed in is told where GitHub shows its pages", async () => {
  expect(await answerOf(await call("/api/auth/session"))).toMatchObject({ who: { githubUrl: env.GITHUB_WEB_URL } });
  expect(env.GITHUB_WEB_URL).toBe("https://github.com");
});

const PullsSchema = z.object({ prs: z.array(MadePullRequestSchema), next: z.number().nullable() });

async function anOrder(projectId: string): Promise<string> {
  const id = mint("ORD");
  const placed = await createOrder(admin(), { id, title: "A button", factory: "ui-factory", projectId });
  if (!placed.ok) throw new Error(placed.error.message);
  return id;
}

test("a pull request of an order's branch names the order and its last applied execution; one that only says so does not", async () => {
  const name = mint("site");
  const full = `acme/${name}`;
  const { sha = "" } = await steer({ action: "addRepository", repository: full });
  const order = await anOrder(await aProject(full));
  const elsewhere = await anOrder(await aProject("acme/elsewhere"));
  const open = async (branch: string) => {
    const of = { owner: "acme", repo: name };
    await integrations.createBranch(env, { ...of, branch, sha });
    await steer({ action: "commit", repository: full, branch, files: { [`${branch}.txt`]: "a\n" } });
    const opened = await integrations.createPullRequest(env, { ...of, title: branch, head: branch, base: "main" });
    if (!opened.ok) throw new Error(opened.error.message);
    return opened.pullRequest;
  };
  const ours = await open(`factory/${order}`);
  const foreign = await open(`factory/${elsewhere}`);
  const unknown = await open("factory/ORD-nobody");
  const plain = await open("topic");
  for (const [id, ended, at] of [
    ["E-1", "applied", "2026-11-20T01"],
    ["E-2", "applied", "2026-11-20T02"],
    ["E-3", "agent-error", "2026-11-20T03"],
  ] as const)
    await env.DB_OPS.prepare(
      "INSERT INTO ai_provider_executions (execution_id, provider_name, task_uuid, order_id, class, status, created_at) VALUES (?1, 'codex', 't', ?2, ?3, 'completed', ?4)",
    )
      .bind(`${id}-${order}`, order, ended, at)
      .run();

  const { prs } = PullsSchema.parse(await answerOf(await call(`/api/github/prs?repo=${full}`)));
  expect(prs.map(({ number, order_id: by, execution_id: run }) => ({ number, by, run }))).toEqual([
    { number: plain.number, by: null, run: null },
    { number: unknown.number, by: null, run: null },
    { number: foreign.number, by: null, run: null },
    { number: ours.number, by: order, run: `E-2-${order}` },
  ]);
  const first = PullsSchema.parse(await answerOf(await call(`/api/github/prs?repo=${full}&per_page=3`)));
  expect([first.prs.length, first.next]).toEqual([3, 2]);
  const last = PullsSchema.parse(await answerOf(await call(`/api/github/prs?repo=${full}&per_page=3&page=2`)));
  expect([last.prs.map(({ number }) => number), last.next]).toEqual([[ours.number], null]);

  // On record as an order's, whatever its branch is called, as its events have it too.
  await recordPullRequest(admin(), { orderId: elsewhere, repository: full, pull: plain });
  const recorded = PullsSchema.parse(await answerOf(await call(`/api/github/prs?repo=${full}`)));
  expect(recorded.prs[0]).toMatchObject({ number: plain.number, order_id: elsewhere });

  // A fork's branch may have any name.
  const inFork = GithubPullRequestSchema.parse({ ...ours, head: { ...ours.head, repo: `mallory/${name}` } });
  const gone = GithubPullRequestSchema.parse({ ...ours, number: 99, head: { ...ours.head, repo: null } });
  const CORE_GITHUB_API = { fetch: async () => Response.json([inFork, gone]) } as unknown as Env["CORE_GITHUB_API"];
  const forked = await listPullRequests(createContext({ ...env, CORE_GITHUB_API }, { actor: systemActor("test") }), {
    repo: full,
  });
  expect(forked).toMatchObject({ ok: true, prs: [{ order_id: null }, { number: 99, order_id: null }] });
});

test("an issue on GitHub names the ops issue it was filed for", async () => {
  const full = `acme/${mint("site")}`;
  await steer({ action: "addRepository", repository: full });
  const filed = await integrations.createIssue(env, { repo: full, title: "Filed", body: "" });
  const other = await integrations.createIssue(env, { repo: full, title: "Somebody's", body: "" });
  if (!filed.ok || !other.ok) throw new Error("GitHub took no issue");
  const id = await anIssue({ url: filed.issue.html_url });
  expect(await answerOf(await call(`/api/github/issues?repo=${full}`))).toMatchObject({
    issues: [
      { number: 2, ops_issue_id: null },
      { number: 1, ops_issue_id: id },
    ],
  });
});
