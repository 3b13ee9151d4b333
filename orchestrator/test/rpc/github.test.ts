import { type GithubCommand, steerGithub } from "@shared/testing/githubControl";
import { env } from "cloudflare:workers";
import { expect, inject, test } from "vitest";
import type { ServiceContext } from "../../worker/context.ts";
import * as integrations from "../../worker/integrations/github.ts";
import { openPullRequest } from "../../worker/services/github/openPullRequest.ts";
import { pushOrderBranch } from "../../worker/services/github/pushOrderBranch.ts";
import { createOrder } from "../../worker/services/order/createOrder.ts";
import { createProject } from "../../worker/services/project/createProject.ts";
import { aLine, apply, chainOf, context, mint, typesOf, value } from "./workspaceHarness.ts";

const github = inject("github");
const steer = (command: GithubCommand) => steerGithub(github.url, command);

async function aRepository(files?: Record<string, string>) {
  const name = mint("site");
  const { sha = "" } = await steer({
    action: "addRepository",
    repository: `acme/${name}`,
    ...(files ? { files } : {}),
  });
  return { of: { owner: "acme", repo: name }, full: `acme/${name}`, sha };
}

/** An order in a workspace of its own, whose project is a repository of GitHub's. */
async function anOrder(repository: string | null, fields: Record<string, unknown> = {}) {
  const ctx = context();
  const projectId = mint("project");
  value(await createProject(ctx, { id: projectId, name: "Site", repository }));
  const id = mint("ORD");
  const { order } = value(
    await createOrder(ctx, {
      id,
      title: "A button",
      description: "For @everyone. Closes #1.",
      factory: "ui-factory",
      projectId,
      source: { kind: "path", path: inject("engine").source },
      ...fields,
    }),
  );
  return { ctx, order, branch: `factory/${id}`, workspaceId: order.workspace_id };
}

test("the integrations module reads and writes issues, branches and pull requests", async () => {
  const { of, full, sha } = await aRepository();
  const { issue } = value(await integrations.createIssue(env, { repo: full, title: "It breaks", body: "Here" }));
  expect(issue).toMatchObject({ number: 1, state: "open" });
  value(await integrations.commentOnIssue(env, { repo: full, number: 1, body: "Mine" }));
  const moved = value(await integrations.updateIssueState(env, { repo: of.repo, number: 1, state: "in_progress" }));
  expect(moved.issue.labels).toEqual(["in progress"]);
  expect(value(await integrations.listRepoIssues(env, { repo: full })).issues).toMatchObject([
    { number: 1, comments: 1 },
  ]);
  expect(value(await integrations.searchIssues(env, { ...of, q: "breaks" })).issues).toHaveLength(1);
  expect(value(await integrations.getBranch(env, { ...of, branch: "main" })).branch).toEqual({ name: "main", sha });
  value(await integrations.createBranch(env, { ...of, branch: "factory/a-b", sha }));
  expect(value(await integrations.getBranch(env, { ...of, branch: "factory/a-b" })).branch.sha).toBe(sha);
  await steer({ action: "commit", repository: full, branch: "factory/a-b", files: { "a.txt": "a\n" } });
  const opened = value(
    await integrations.createPullRequest(env, { ...of, title: "A", head: "factory/a-b", base: "main" }),
  );
  expect(
    value(await integrations.getPullRequest(env, { ...of, number: opened.pullRequest.number })).pullRequest.head.ref,
  ).toBe("factory/a-b");
  expect(value(await integrations.pullRequestDiff(env, { ...of, number: opened.pullRequest.number })).diff).toContain(
    "+a\n",
  );
  expect(value(await integrations.listRepoPRs(env, { repo: full, head: "factory/a-b" })).prs).toHaveLength(1);
  // The default repository, which has none.
  expect(value(await integrations.listRepoIssues(env))).toEqual({ ok: true, issues: [], next: null });
});

test("pages go on to the end", async () => {
  const { full } = await aRepository();
  await steer({ action: "addIssues", repository: full, count: 150 });
  const first = value(await integrations.listRepoIssues(env, { repo: full, per_page: 100 }));
  expect(first).toMatchObject({ next: 2 });
  expect(value(await integrations.listRepoIssues(env, { repo: full, per_page: 100, page: 2 }))).toMatchObject({
    next: null,
  });
});

test("refusals keep their code; without a binding or a configuration they say what to set", async () => {
  const { full, of } = await aRepository();
  expect(await integrations.getBranch(env, { ...of, branch: "none" })).toMatchObject({
    ok: false,
    error: { code: "NOT_FOUND" },
  });
  expect(await integrations.getBranch(env, { owner: "other", repo: "x", branch: "main" })).toMatchObject({
    error: { code: "FORBIDDEN" },
  });
  expect(await integrations.getBranch(env, { ...of, branch: "../../x" })).toMatchObject({
    error: { code: "VALIDATION_FAILED" },
  });
  await steer({ action: "fault", path: `${full}/pulls`, fault: { kind: "status", status: 451, message: "blocked" } });
  expect(await integrations.listRepoPRs(env, { repo: full })).toMatchObject({ error: { code: "UPSTREAM_REFUSED" } });
  const bare = { ...env, CORE_GITHUB_API: undefined } as unknown as Env;
  expect(await integrations.listRepoIssues(bare)).toMatchObject({
    error: { code: "UPSTREAM_UNAVAILABLE", message: expect.stringContaining("CORE_GITHUB_API") },
  });
});

test("an order's work becomes its branch, once, and a pull request, once, on record in its chain", async () => {
  const { full, of, sha } = await aRepository({ "README.md": "# Sample\n", "src/index.ts": "old\n" });
  const { ctx, order, branch, workspaceId } = await anOrder(`https://github.com/${full}`);
  const batch = aLine(workspaceId, 3, "edited", { orderId: order.id });
  expect(await apply(batch)).toMatchObject({ ok: true });
  const pushed = value(await pushOrderBranch(ctx, { orderId: order.id }));
  expect(pushed).toMatchObject({ repository: full, branch, parent: sha, pushed: true });
  expect(value(await integrations.getBranch(env, { ...of, branch })).branch.sha).toBe(pushed.commit);
  const trailers = (
    await steer({ action: "git", repository: full, args: ["log", "-1", "--format=%(trailers)", branch] })
  ).text;
  expect(trailers).toContain(`VibeHQ-Order: ${order.id}`);
  expect(trailers).toContain(`VibeHQ-Batch: ${batch.batchId}`);
  const [, applied] = await chainOf(workspaceId);
  expect(trailers).toContain(`VibeHQ-Custody: 2:${applied?.hash}`);
  expect(value(await pushOrderBranch(ctx, { orderId: order.id }))).toEqual({ ...pushed, pushed: false });

  const opened = value(await openPullRequest(ctx, { orderId: order.id }));
  expect(opened).toMatchObject({
    created: true,
    pullRequest: { title: "A button", head: { ref: branch }, base: { ref: "main" } },
  });
  expect(opened.pullRequest.body).not.toMatch(/(?<!\\)@everyone|(?<!\\)#1/);
  const again = value(await openPullRequest(ctx, { orderId: order.id }));
  expect(again).toMatchObject({ created: false, pullRequest: { number: opened.pullRequest.number } });
  expect(typesOf(await chainOf(workspaceId))).toEqual([
    "patch_requested",
    "patch_applied",
    "github_export_completed",
    "github_export_completed",
  ]);
});

test("a branch that others have pushed to is refused and the refusal on record", async () => {
  const { full } = await aRepository();
  const { ctx, order, branch, workspaceId } = await anOrder(full);
  value(await pushOrderBranch(ctx, { orderId: order.id }));
  const { sha } = await steer({ action: "commit", repository: full, branch, files: { "theirs.txt": "x\n" } });
  await apply(aLine(workspaceId, 1, "more"));
  expect(await pushOrderBranch(ctx, { orderId: order.id })).toMatchObject({ ok: false, error: { code: "CONFLICT" } });
  expect((await steer({ action: "git", repository: full, args: ["rev-parse", branch] })).text).toBe(sha);
  expect(typesOf(await chainOf(workspaceId)).at(-1)).toBe("github_export_error");
});

test("an order that goes nowhere on GitHub is refused with the reason, and who may not write orders is too", async () => {
  const { ctx, order } = await anOrder("https://git.example.com/a/b");
  expect(await pushOrderBranch(ctx, { orderId: order.id })).toMatchObject({ error: { code: "VALIDATION_FAILED" } });
  expect(await pushOrderBranch(ctx, { orderId: "ORD-none" })).toMatchObject({ error: { code: "NOT_FOUND" } });
  const other = await anOrder("elsewhere/x");
  expect(await pushOrderBranch(other.ctx, { orderId: other.order.id })).toMatchObject({ error: { code: "FORBIDDEN" } });
  const reader: ServiceContext = { ...ctx, actor: { ...ctx.actor, scopes: new Set(["orders:read"]) } };
  expect(await openPullRequest(reader, { orderId: order.id })).toMatchObject({ error: { code: "FORBIDDEN" } });
});

test("the credential is in no answer, event, row or file of the workspace", async () => {
  const { full } = await aRepository();
  const { ctx, order, workspaceId } = await anOrder(full);
  const answers = [
    await pushOrderBranch(ctx, { orderId: order.id }),
    await openPullRequest(ctx, { orderId: order.id }),
  ];
  await steer({
    action: "fault",
    path: "git-receive-pack",
    times: 10,
    fault: { kind: "status", status: 500, message: github.token },
  });
  await apply(aLine(workspaceId, 2, "again"));
  answers.push(await pushOrderBranch(ctx, { orderId: order.id }));
  expect(answers.map(({ ok }) => ok)).toEqual([true, true, false]);
  const told = JSON.stringify([answers, await chainOf(workspaceId)]);
  expect(told).not.toContain(github.token);
  expect(told).not.toContain(btoa(`x-access-token:${github.token}`));
});
