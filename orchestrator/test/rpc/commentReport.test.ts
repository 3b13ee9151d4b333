import { type GithubCommand, steerGithub } from "@shared/testing/githubControl";
import { env } from "cloudflare:workers";
import { expect, inject, test } from "vitest";
import { createContext, type ServiceContext, systemActor } from "../../worker/context.ts";
import * as integrations from "../../worker/integrations/github.ts";
import { commentReport } from "../../worker/services/delivery/commentReport.ts";
import { commentReports, tryCommentReport } from "../../worker/services/delivery/commentReports.ts";
import { makeReport } from "../../worker/services/delivery/makeReport.ts";
import { regenerateReports } from "../../worker/services/delivery/regenerateReports.ts";
import { markerOf } from "../../worker/services/delivery/reportComment.ts";
import { openPullRequest } from "../../worker/services/github/openPullRequest.ts";
import { createOrder } from "../../worker/services/order/createOrder.ts";
import { createProject } from "../../worker/services/project/createProject.ts";
import { context, mint, value } from "./workspaceHarness.ts";

const github = inject("github");
const steer = (command: GithubCommand) => steerGithub(github.url, command);
const LEASE_MS = 5 * 60_000;

/** A context whose calls of core-github-api go through `between`, on a clock of its own. */
function through(
  between: (method: string, path: string, send: () => Promise<Response>) => Promise<Response>,
  at = Date.now(),
): ServiceContext {
  const binding = env.CORE_GITHUB_API as unknown as { fetch(address: string, init: RequestInit): Promise<Response> };
  const bound = {
    ...env,
    CORE_GITHUB_API: {
      fetch: (address: string, init: RequestInit) =>
        between(init.method ?? "GET", new URL(address).pathname, () => binding.fetch(address, init)),
    },
  } as unknown as Env;
  return createContext(bound, { actor: systemActor("test"), now: () => new Date(at) });
}

/** An order whose work stands in a pull request, with a report. */
async function anOrder(title = "A button") {
  const ctx = context();
  const name = mint("site");
  const full = `acme/${name}`;
  await steer({ action: "addRepository", repository: full });
  const projectId = mint("project");
  value(await createProject(ctx, { id: projectId, name: "Site", repository: full }));
  const id = mint("ORD");
  value(
    await createOrder(ctx, {
      id,
      title,
      factory: "ui-factory",
      projectId,
      source: { kind: "path", path: inject("engine").source },
    }),
  );
  // What a report says changes here without a patch, whose message would have the queue make a comment beside the test's.
  const edit = async () => {
    await env.DB_OPS.prepare(
      "INSERT INTO ai_provider_executions (execution_id, provider_name, task_uuid, order_id) VALUES (?1, 'jules', 't', ?2)",
    )
      .bind(mint("execution"), id)
      .run();
    value(await makeReport(ctx, { orderId: id }));
  };
  await edit();
  const { number } = value(await openPullRequest(withoutQueue(ctx), { orderId: id })).pullRequest;
  const comments = async () =>
    value(await integrations.listComments(env, { repo: full, number, per_page: 100 })).comments.filter(({ body }) =>
      body.includes("vibehq:delivery"),
    );
  const row = () => env.DB_OPS.prepare("SELECT * FROM order_pull_requests WHERE order_id = ?1").bind(id).first();
  return { ctx, id, full, number, edit, comments, row };
}
/** Each test says itself when a comment is made. */
const withoutQueue = (ctx: ServiceContext): ServiceContext => ({
  ...ctx,
  env: { ...ctx.env, REPORTS_QUEUE: undefined } as unknown as Env,
});

test("an order's report is one comment on its pull request, changed in place as the report changes", async () => {
  const { ctx, id, number, full, edit, comments, row } = await anOrder("For @everyone, see #1 and GH-2");
  expect(await row()).toMatchObject({ repository: full, number, state: "open", order_id: id, comment_id: null });
  expect(value(await commentReport(ctx, id)).comment).toBe("created");
  const [first] = await comments();
  expect(first).toMatchObject({ mine: true });
  expect(first!.body.split("\n")[0]).toBe(markerOf(id));
  expect(first!.body).toContain("# Delivery report");
  expect(value(await commentReport(ctx, id)).comment).toBe("unchanged");
  await edit();
  expect(value(await commentReport(ctx, id)).comment).toBe("updated");
  const after = await comments();
  expect(after.map((comment) => comment.id)).toEqual([first!.id]);
  expect(after[0]!.body).not.toBe(first!.body);
  expect(after[0]!.body).not.toMatch(/@(?!\u200b)|(?<!&)#\d|GH-\d/);
});

test("the queue that makes reports comments them, and a GitHub that is away fails no report; the night makes it good", async () => {
  const { ctx, id, full, comments, row, edit } = await anOrder();
  await steer({ action: "fault", path: `${full}/issues`, times: 20, fault: { kind: "status", status: 410 } });
  let acked = 0;
  const message = { body: { orderId: id }, ack: () => void (acked += 1), retry: () => expect.unreachable() };
  await regenerateReports(ctx, [message]);
  expect(acked).toBe(1);
  expect(await row()).toMatchObject({ comment_id: null, comment_error: "UPSTREAM_REFUSED", commenting_by: null });
  // What is left of the fault is used up.
  while (!(await integrations.listComments(env, { repo: full, number: 1 })).ok);
  expect((await commentReports(ctx)).commented).toBeGreaterThanOrEqual(1);
  expect(await comments()).toHaveLength(1);
  await edit();
  await regenerateReports(ctx, [message]);
  const [comment] = await comments();
  expect((await row())?.comment_id).toBe(comment!.id);
  expect(
    await env.DB_OPS.prepare("SELECT content_hash AS h FROM delivery_reports WHERE order_id = ?1").bind(id).first("h"),
  ).toBe((await row())?.comment_hash);
});

test("comments that cannot be made keep no other from being made", async () => {
  const stuck = await Promise.all([anOrder("Stuck"), anOrder("Stuck too")]);
  for (const { id, number } of stuck) {
    await env.DB_OPS.prepare("UPDATE order_pull_requests SET number = ?2 WHERE order_id = ?1")
      .bind(id, number + 9_000)
      .run();
  }
  const { ctx, comments, edit } = await anOrder("Fine");
  // What the tests before left over was tried; these were not.
  for (let night = 1; night <= stuck.length + 1; night += 1) await commentReports(ctx, 1);
  expect(await comments()).toHaveLength(1);
  await edit();
  for (let night = 1; night <= 20; night += 1) await commentReports(ctx, 1);
  const [comment] = await comments();
  expect(comment!.body).toContain("# Delivery report");
  expect(await commentReports(ctx)).toMatchObject({ commented: 0 });
});

test("of many at once one writes, and a report that was written meanwhile is not lost", async () => {
  const { ctx, id, edit, comments, row } = await anOrder();
  const seen = await Promise.all(Array.from({ length: 8 }, () => tryCommentReport(ctx, id)));
  expect(seen.filter((one) => one === "created")).toHaveLength(1);
  expect(await comments()).toHaveLength(1);
  await edit();
  // While the comment is on its way, another version comes and finds the first at work.
  let isFirst = true;
  const holding = through(async (method, _path, send) => {
    if (method === "PATCH" && isFirst) {
      isFirst = false;
      await edit();
      expect(value(await commentReport(ctx, id)).comment).toBe("busy");
    }
    return send();
  });
  expect(value(await commentReport(holding, id)).comment).toBe("updated");
  expect(
    await env.DB_OPS.prepare("SELECT content_hash AS h FROM delivery_reports WHERE order_id = ?1").bind(id).first("h"),
  ).toBe((await row())?.comment_hash);
  expect(await comments()).toHaveLength(1);
});

test.each(["before", "after"] as const)(
  "cut off %s each call of GitHub, there is one comment in the end and never two",
  async (when) => {
    for (let at = 1; at <= 2; at += 1) {
      const { ctx, id, comments } = await anOrder();
      let count = 0;
      const cut = through(async (_method, _path, send) => {
        count += 1;
        if (count < at) return send();
        if (when === "after") await send();
        throw new Error("cut");
      });
      expect(await commentReport(cut, id)).toMatchObject({ ok: false });
      // Whoever comes at once leaves it alone where it is in doubt, and makes it where it is not.
      await commentReport(ctx, id);
      expect((await comments()).length).toBeLessThanOrEqual(1);
      const later = through((_method, _path, send) => send(), Date.now() + LEASE_MS + 1_000);
      expect(await commentReport(later, id)).toMatchObject({ ok: true });
      expect(await comments()).toHaveLength(1);
      expect(value(await commentReport(later, id)).comment).toBe("unchanged");
    }
  },
);

test("an answer that GitHub's connection loses is in doubt: nobody creates another, the next finds it", async () => {
  const { ctx, id, full, number, comments } = await anOrder();
  await steer({ action: "fault", method: "POST", path: `${full}/issues/${number}/comments`, fault: { kind: "lose" } });
  expect(await commentReport(ctx, id)).toMatchObject({ ok: false, error: { nothingWritten: null } });
  expect(value(await commentReport(ctx, id)).comment).toBe("busy");
  const later = through((_method, _path, send) => send(), Date.now() + LEASE_MS + 1_000);
  expect(value(await commentReport(later, id)).comment).toBe("updated");
  expect(await comments()).toHaveLength(1);
});

test("a crash between creating and recording is made good by the marker, of our own comments alone", async () => {
  const { ctx, id, full, number, comments, row } = await anOrder();
  const { token = "" } = await steer({ action: "addToken", repositories: [full], login: "mallory" });
  await fetch(`${github.url}/repos/${full}/issues/${number}/comments`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "user-agent": "theirs" },
    body: JSON.stringify({ body: `${markerOf(id)}\nForged` }),
  });
  value(await commentReport(ctx, id));
  await env.DB_OPS.prepare(
    "UPDATE order_pull_requests SET comment_id = NULL, comment_hash = NULL, commenting_by = 'dead', commenting_at = ?2 WHERE order_id = ?1",
  )
    .bind(id, new Date().toISOString())
    .run();
  expect(value(await commentReport(ctx, id)).comment).toBe("busy");
  const later = through((_method, _path, send) => send(), Date.now() + LEASE_MS + 1_000);
  expect(value(await commentReport(later, id)).comment).toBe("updated");
  const all = await comments();
  expect(all.map(({ mine, user, body }) => [mine, user, body.endsWith("Forged")])).toEqual([
    [false, "mallory", true],
    [true, expect.any(String), false],
  ]);
  expect((await row())?.comment_id).toBe(all[1]!.id);
});

test("a comment that somebody deleted is made again, once", async () => {
  const { ctx, id, full, comments, edit } = await anOrder();
  value(await commentReport(ctx, id));
  const [first] = await comments();
  await fetch(`${github.url}/repos/${full}/issues/comments/${first!.id}`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${github.token}`, "user-agent": "x" },
  });
  await edit();
  expect(value(await commentReport(ctx, id)).comment).toBe("created");
  const [again] = await comments();
  expect(again!.id).not.toBe(first!.id);
  await edit();
  expect(value(await commentReport(ctx, id)).comment).toBe("updated");
  expect(await comments()).toHaveLength(1);
});

test("ours is found behind a page of others' comments", async () => {
  const { ctx, id, full, number, row } = await anOrder();
  await steer({ action: "limits", limits: { contentPerMinute: 1_000_000 } });
  const { token = "" } = await steer({ action: "addToken", repositories: [full] });
  for (let n = 0; n < 101; n += 1) {
    await fetch(`${github.url}/repos/${full}/issues/${number}/comments`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "user-agent": "theirs" },
      body: JSON.stringify({ body: `Talk ${n}` }),
    });
  }
  value(await commentReport(ctx, id));
  const before = await row();
  await env.DB_OPS.prepare("UPDATE order_pull_requests SET comment_id = NULL, comment_hash = NULL WHERE order_id = ?1")
    .bind(id)
    .run();
  expect(value(await commentReport(ctx, id)).comment).toBe("updated");
  expect((await row())?.comment_id).toBe(before?.comment_id);
});

test("an order without a pull request or a report has no comment", async () => {
  expect(value(await commentReport(context(), mint("ORD"))).comment).toBe("none");
});
