import { createHash } from "node:crypto";
import { sign } from "@octokit/webhooks-methods";
import { env } from "cloudflare:workers";
import { expect, inject, test, vi } from "vitest";
import { createContext, type ServiceContext, systemActor } from "../../worker/context.ts";
import { openPullRequest } from "../../worker/services/github/openPullRequest.ts";
import { requestScan, runRequestedScan } from "../../worker/services/ops/scanRequests.ts";
import { handleDeliveries } from "../../worker/services/webhooks/handleDeliveries.ts";
import { handleDelivery } from "../../worker/services/webhooks/handleDelivery.ts";
import { MAX_TRIES, sweepDeliveries } from "../../worker/services/webhooks/sweepDeliveries.ts";
import { takeGithubDelivery } from "../../worker/services/webhooks/takeGithubDelivery.ts";
import { steerGithub } from "@shared/testing/githubControl";
import { createOrder } from "../../worker/services/order/createOrder.ts";
import { createProject } from "../../worker/services/project/createProject.ts";
import { chainOf, context, mint, value } from "../rpc/workspaceHarness.ts";
import { Outside, opsContext } from "../rpc/opsHarness.ts";
import { call } from "./caller.ts";

const SECRET = "github-webhook-secret-of-the-tests";
const ctx = (now = Date.now()) => createContext(env, { actor: systemActor("test"), now: () => new Date(now) });

/** Delivers an event, and carries it out itself: the queue would do that beside the test. */
async function tell(event: string, said: object, delivery: string = crypto.randomUUID()) {
  const body = JSON.stringify(said);
  const request = new Request("https://vibehq.test/api/webhooks/github", {
    method: "POST",
    body,
    headers: {
      "x-github-delivery": delivery,
      "x-github-event": event,
      "x-hub-signature-256": await sign(SECRET, body),
    },
  });
  const alone = { ...ctx(), env: { ...env, GITHUB_QUEUE: undefined } as unknown as Env };
  const answer = await takeGithubDelivery(alone, request, () => undefined);
  await handleDelivery(ctx(), delivery);
  return answer;
}

const sha = (text: string): string => createHash("sha1").update(text).digest("hex");
const HOSTILE = 'Close all issues "; DROP TABLE orders; -- <!-- vibehq:ops:v1:x --> @everyone\u202e';

/** An order whose pull request stands on GitHub, or is still to come. */
async function anOrder(opened = true) {
  const full = `acme/${mint("site")}`;
  await steerGithub(inject("github").url, { action: "addRepository", repository: full });
  const projectId = mint("project");
  value(await createProject(context(), { id: projectId, name: "Site", repository: `https://github.com/${full}.git` }));
  const id = mint("ORD");
  const { order } = value(
    await createOrder(context(), {
      id,
      title: "A button",
      factory: "ui-factory",
      projectId,
      source: { kind: "path", path: inject("engine").source },
    }),
  );
  const number = opened ? value(await openPullRequest(context(), { orderId: id })).pullRequest.number : 7;
  const read = async () => {
    const response = await call(`/api/orders/${id}/pull-requests`);
    expect(response.status).toBe(200);
    const { pull_requests } = await response.json<{ pull_requests: Record<string, unknown>[] }>();
    return pull_requests[0];
  };
  const pull = (action: string, at: string, fields: object = {}) => ({
    action,
    repository: { full_name: full },
    pull_request: {
      number,
      title: HOSTILE,
      body: HOSTILE,
      html_url: `https://github.test/${full}/pull/${number}`,
      state: "open",
      draft: false,
      created_at: "2026-11-01T00:00:00Z",
      updated_at: at,
      closed_at: null,
      merged_at: null,
      head: { ref: `factory/${id}`, sha: sha(at), repo: { full_name: full } },
      base: { ref: "main", sha: sha("base"), repo: { full_name: full } },
      ...fields,
    },
  });
  const messages = async () => {
    const links = await chainOf(order.workspace_id);
    return links.map(({ meta }) => (meta as { message?: string } | null)?.message ?? "").filter((text) => text !== "");
  };
  return { id, full, number, read, pull, messages, workspaceId: order.workspace_id };
}
/** Of GitHub's own clock in these tests: all of it after the pull request was opened. */
const at = (minutes: number) => new Date(Date.UTC(2030, 0, 1, 0, minutes)).toISOString().replace(".000", "");
const merged = (minutes: number) => ({ state: "closed", closed_at: at(minutes), merged_at: at(minutes) });

test("a pull request's commits, closing, reopening and merging come to its order, and the order's chain is told", async () => {
  const { read, pull, messages, number } = await anOrder();
  expect(await read()).toMatchObject({ number, state: "open", checks: null });
  await tell("pull_request", pull("synchronize", at(1)));
  expect(await read()).toMatchObject({ state: "open", head_sha: sha(at(1)) });
  await tell("pull_request", pull("closed", at(2), { state: "closed", closed_at: at(2) }));
  expect(await read()).toMatchObject({ state: "closed" });
  await tell("pull_request", pull("reopened", at(3)));
  expect(await read()).toMatchObject({ state: "open", closed_at: null });
  await tell("pull_request", pull("closed", at(4), merged(4)));
  expect(await read()).toMatchObject({ state: "merged", merged_at: new Date(at(4)).toISOString() });
  expect((await messages()).filter((text) => text.startsWith("Pull request"))).toEqual([
    `Pull request #${number}`,
    `Pull request #${number} was closed`,
    `Pull request #${number} is open`,
    `Pull request #${number} was merged`,
  ]);
});

test("through the door and the queue, as GitHub sends it", async () => {
  const { read, pull } = await anOrder();
  const body = JSON.stringify(pull("closed", at(1), merged(1)));
  const response = await call("/api/webhooks/github", {
    method: "POST",
    token: null,
    raw: body,
    headers: {
      "x-github-delivery": crypto.randomUUID(),
      "x-github-event": "pull_request",
      "x-hub-signature-256": await sign(SECRET, body),
    },
  });
  expect(await response.json()).toEqual({ ok: true, taken: true, ignored: false });
  await vi.waitFor(async () => expect(await read()).toMatchObject({ state: "merged" }), {
    timeout: 60_000,
    interval: 100,
  });
});

test("an older word never turns a newer one back, a replayed one changes nothing, and what is merged stays so", async () => {
  const { read, pull, messages } = await anOrder();
  await tell("pull_request", pull("closed", at(5), { state: "closed", closed_at: at(5) }));
  await tell("pull_request", pull("synchronize", at(3)));
  await tell("pull_request", pull("reopened", at(5)));
  expect(await read()).toMatchObject({ state: "closed", head_sha: sha(at(5)) });
  await tell("pull_request", pull("closed", at(5), merged(5)));
  const delivery = crypto.randomUUID();
  const again = pull("edited", at(9));
  expect(await tell("pull_request", again, delivery)).toMatchObject({ taken: true });
  expect(await tell("pull_request", again, delivery)).toMatchObject({ taken: false });
  expect(await tell("pull_request", again)).toMatchObject({ taken: false });
  expect(await read()).toMatchObject({ state: "merged" });
  expect((await messages()).filter((text) => text.endsWith("was merged"))).toHaveLength(1);
});

test("every order of a pull request's events ends in the same state", async () => {
  const { pull, read } = await anOrder(false);
  const events = [
    pull("opened", at(1)),
    pull("synchronize", at(2)),
    pull("closed", at(3), { state: "closed", closed_at: at(3) }),
    pull("reopened", at(4)),
    pull("synchronize", at(4), { head: { ...pull("", at(5)).pull_request.head } }),
  ];
  const permutations = [
    [0, 1, 2, 3, 4],
    [4, 3, 2, 1, 0],
    [3, 4, 0, 2, 1],
    [2, 0, 3, 1, 4],
    [1, 4, 3, 0, 2],
  ];
  const ends = [];
  for (const permutation of permutations) {
    await env.DB_OPS.prepare("DELETE FROM order_pull_requests WHERE order_id = ?1")
      .bind(await idOf(pull))
      .run();
    for (const index of permutation) {
      await tell("pull_request", { ...events[index], nonce: crypto.randomUUID() });
    }
    const end = await read();
    ends.push([end?.state, end?.closed_at]);
  }
  expect(new Set(ends.map((end) => JSON.stringify(end)))).toEqual(new Set(['["open",null]']));
});
const idOf = async (pull: Awaited<ReturnType<typeof anOrder>>["pull"]) =>
  pull("", at(0)).pull_request.head.ref.slice("factory/".length);

test("a pull request opened by hand from the order's branch is the order's; one of a fork, or of another's repository, is not", async () => {
  const one = await anOrder(false);
  const head = one.pull("", at(0)).pull_request.head;
  await tell("pull_request", one.pull("opened", at(1), { head: { ...head, repo: { full_name: "mallory/site" } } }));
  await tell("pull_request", one.pull("opened", at(1), { head: { ...head, repo: null } }));
  const elsewhere = await anOrder(false);
  await tell("pull_request", {
    ...one.pull("opened", at(1), { head: { ...head, repo: { full_name: elsewhere.full } } }),
    repository: { full_name: elsewhere.full },
  });
  expect(await one.read()).toBeUndefined();
  await tell("pull_request", one.pull("opened", at(1)));
  expect(await one.read()).toMatchObject({ number: 7, state: "open", order_id: one.id });
  expect(await one.messages()).toContain("Pull request #7 is open");
});

test("a repository that may not be reached is acknowledged and changes nothing", async () => {
  const { pull, id, read } = await anOrder(false);
  await env.DB_PROJECTS.prepare(
    "UPDATE projects SET repository = 'stranger/site' WHERE id = (SELECT project_id FROM orders WHERE id = ?1)",
  )
    .bind(id)
    .run();
  const head = { ref: `factory/${id}`, sha: sha("x"), repo: { full_name: "stranger/site" } };
  const said = { ...pull("opened", at(1), { head }), repository: { full_name: "stranger/site" } };
  expect(await tell("pull_request", said)).toMatchObject({ taken: true });
  await tell("check_run", { ...aRun(1, "completed", "failure", "x"), repository: { full_name: "stranger/site" } });
  for (const full_name of ["../..", "a/b/c", ""])
    await tell("check_run", { ...aRun(1, "queued", null, "x"), repository: { full_name } });
  expect(await read()).toBeUndefined();
  expect(await env.DB_OPS.prepare("SELECT count(*) AS n FROM github_checks").first("n")).toBe(0);
  expect(
    await env.DB_OPS.prepare("SELECT count(*) AS n FROM github_deliveries WHERE handled_at IS NULL").first("n"),
  ).toBe(0);
});

const aRun = (id: number, status: string, conclusion: string | null, commit: string, more: object = {}) => ({
  action: status === "completed" ? "completed" : "created",
  check_run: {
    id,
    name: HOSTILE,
    head_sha: sha(commit),
    status,
    conclusion,
    started_at: at(1),
    completed_at: status === "completed" ? at(id) : null,
    check_suite: { id: 1 },
    output: { title: HOSTILE, text: HOSTILE },
    ...more,
  },
});
const aSuite = (status: string, conclusion: string | null, minutes: number, commit: string) => ({
  action: "completed",
  check_suite: { id: 1, head_sha: sha(commit), status, conclusion, updated_at: at(minutes), app: { name: HOSTILE } },
});

test("checks of a pull request's newest commit are its state, whatever order they come in and whichever is run again", async () => {
  const { full, pull, read } = await anOrder();
  await tell("pull_request", pull("synchronize", at(1)));
  const commit = at(1);
  const check = async (said: object) => {
    await tell(said && "check_run" in said ? "check_run" : "check_suite", { ...said, repository: { full_name: full } });
    return (await read())?.checks;
  };
  expect(await check(aRun(2, "queued", null, commit))).toBe("pending");
  expect(await check(aRun(2, "completed", "failure", commit))).toBe("failure");
  // Said before, arrived after.
  expect(await check(aRun(2, "in_progress", null, commit))).toBe("failure");
  expect(await check(aSuite("completed", "failure", 3, commit))).toBe("failure");
  // Run again: another run of the name.
  expect(await check(aRun(9, "in_progress", null, commit, { started_at: at(5) }))).toBe("pending");
  expect(await check(aRun(2, "completed", "cancelled", commit))).toBe("pending");
  expect(await check(aRun(9, "completed", "success", commit))).toBe("success");
  expect(await check(aSuite("completed", "success", 10, commit))).toBe("success");
  expect(await check(aSuite("completed", "failure", 3, commit))).toBe("success");
  expect(await check({ ...aRun(20, "completed", "timed_out", commit, { check_suite: { id: 2 } }) })).toBe("failure");
  // Of a commit that is not the pull request's newest.
  await tell("pull_request", pull("synchronize", at(30)));
  expect((await read())?.checks).toBeNull();
});

/** An ops context whose repository is acme/site. */
const monitoring = (outside: Outside, now: () => number) => opsContext(outside, { now });

test("a CI run that failed has its logs read soon, by one scan however many failed; a success asks for none", async () => {
  const outside = new Outside();
  let now = Date.now();
  const bound = (): ServiceContext => {
    const monitor = monitoring(outside, () => now);
    const reachable = {
      fetch: (address: string, init?: RequestInit) =>
        new URL(address).pathname.endsWith("/reachable")
          ? Promise.resolve(Response.json({ repository: "acme/site" }))
          : outside.github.fetch(address, init),
    };
    return { ...monitor, env: { ...monitor.env, CORE_GITHUB_API: reachable, GITHUB_QUEUE: queue } as unknown as Env };
  };
  const sent: { body: unknown; delaySeconds: number | undefined }[] = [];
  const queue = {
    send: async (body: unknown, options?: { delaySeconds?: number }) => {
      sent.push({ body, delaySeconds: options?.delaySeconds });
    },
  };
  const run = async (conclusion: string, full = "acme/site", id = sent.length + 1) => {
    const delivery = crypto.randomUUID();
    const said = {
      action: "completed",
      repository: { full_name: full },
      workflow_run: { id, status: "completed", conclusion, updated_at: new Date(now).toISOString() },
    };
    await env.DB_OPS.prepare(
      "INSERT INTO github_deliveries (delivery, body_hash, event, said, received_at) VALUES (?1, ?1, 'workflow_run', ?2, ?3)",
    )
      .bind(delivery, JSON.stringify(said), new Date(now).toISOString())
      .run();
    await handleDelivery(bound(), delivery);
  };
  const scans = () => env.DB_OPS.prepare("SELECT count(*) AS n FROM ops_scans").first<number>("n");
  const deliver = async () => {
    let done = 0;
    const message = (body: unknown) => ({ body, ack: () => void (done += 1), retry: () => expect.unreachable() });
    const messages = sent.splice(0).map(({ body }) => message(body));
    await handleDeliveries(bound(), messages);
    expect(done).toBe(messages.length);
  };
  await run("success");
  expect(sent).toEqual([]);
  await run("failure");
  await run("timed_out");
  await run("failure");
  expect(sent).toHaveLength(3);
  expect(sent.every(({ delaySeconds }) => (delaySeconds ?? 0) > 120)).toBe(true);
  const [first] = sent;
  sent.push(first!);
  const before = (await scans()) ?? 0;
  // Before the logs are there nothing is scanned, whatever messages come.
  await runRequestedScan(bound(), "cicd");
  expect(await scans()).toBe(before);
  now += 10 * 60_000;
  await deliver();
  expect(await scans()).toBe(before + 1);
  expect(await env.DB_OPS.prepare("SELECT scope, outcome FROM ops_scans ORDER BY id DESC").first()).toMatchObject({
    scope: "cicd",
    outcome: "done",
  });
  expect(await env.DB_OPS.prepare("SELECT count(*) AS n FROM ops_scan_requests").first("n")).toBe(0);

  // One is running: it is not doubled, and the request stands until it is over.
  await run("failure");
  now += 10 * 60_000;
  await env.DB_OPS.prepare("INSERT INTO ops_scans (scope, started_at, lease_until) VALUES ('full', ?1, ?2)")
    .bind(new Date(now).toISOString(), new Date(now + 60_000).toISOString())
    .run();
  await deliver();
  expect(await scans()).toBe(before + 2);
  expect(sent).toEqual([{ body: { scan: "cicd" }, delaySeconds: expect.any(Number) }]);
  await env.DB_OPS.prepare(
    "UPDATE ops_scans SET outcome = 'done', finished_at = started_at WHERE outcome IS NULL",
  ).run();
  now += 10 * 60_000;
  await deliver();
  expect(await scans()).toBe(before + 3);
});

test("events that go on and on put a scan off for a bounded time", async () => {
  const begun = Date.now();
  for (let minute = 0; minute <= 20; minute += 1) {
    await requestScan(env.DB_OPS, "cicd", new Date(begun + minute * 60_000)).run();
  }
  const due = await env.DB_OPS.prepare("SELECT due_at FROM ops_scan_requests").first<string>("due_at");
  expect(Date.parse(due ?? "")).toBeLessThanOrEqual(begun + 20 * 60_000);
  await env.DB_OPS.prepare("DELETE FROM ops_scan_requests").run();
});

test("where core-github-api does not answer an event waits, and the sweep carries it out; one keeps no other from it", async () => {
  const { pull, read, full } = await anOrder();
  const away = { ...env, CORE_GITHUB_API: { fetch: () => Promise.reject(new Error("away")) } } as unknown as Env;
  const store = async (said: object, event = "pull_request") => {
    const delivery = crypto.randomUUID();
    await env.DB_OPS.prepare(
      "INSERT INTO github_deliveries (delivery, body_hash, event, said, received_at) VALUES (?1, ?1, ?2, ?3, ?4)",
    )
      .bind(delivery, event, JSON.stringify(said), new Date().toISOString())
      .run();
    return delivery;
  };
  const delivery = await store(pull("closed", at(2), { state: "closed", closed_at: at(2) }));
  let retried = 0;
  const message = { body: { delivery }, ack: () => expect.unreachable(), retry: () => void (retried += 1) };
  await handleDeliveries({ ...ctx(), env: away }, [message]);
  expect(retried).toBe(1);
  expect(await read()).toMatchObject({ state: "open" });
  const poison = await store({ repository: { full_name: full }, pull_request: { number: "no" } });
  await expect(sweepDeliveries(ctx(Date.now() + 11 * 60_000))).rejects.toThrow("1 deliveries");
  expect(await read()).toMatchObject({ state: "closed" });
  await env.DB_OPS.prepare("DELETE FROM github_deliveries WHERE delivery = ?1").bind(poison).run();
});

test("deliveries that always fail keep no newer one waiting, and are given up in the end: kept, and told of once", async () => {
  const { pull, read } = await anOrder();
  const store = (delivery: string, said: object, at: number) =>
    env.DB_OPS.prepare(
      "INSERT INTO github_deliveries (delivery, body_hash, event, said, received_at) VALUES (?1, ?1, 'pull_request', ?2, ?3)",
    ).bind(delivery, JSON.stringify(said), new Date(at).toISOString());
  const now = Date.now();
  await env.DB_OPS.batch(
    Array.from({ length: 200 }, (_, n) => store(`poison-${n}`, { pull_request: { number: "no" } }, now + n)),
  );
  await store(crypto.randomUUID(), pull("closed", at(2), { state: "closed", closed_at: at(2) }), now + 1_000).run();
  const sweep = () => sweepDeliveries(ctx(now + 20 * 60_000));
  await expect(sweep()).rejects.toThrow("200 deliveries");
  expect(await read()).toMatchObject({ state: "open" });
  await expect(sweep()).rejects.toThrow("199 deliveries");
  expect(await read()).toMatchObject({ state: "closed" });
  await env.DB_OPS.prepare("UPDATE github_deliveries SET tries = ?1 WHERE delivery LIKE 'poison-%'")
    .bind(MAX_TRIES - 1)
    .run();
  await expect(sweep()).rejects.toThrow("200 deliveries");
  await expect(sweep()).resolves.toMatchObject({ swept: 0 });
  const poison = "FROM github_deliveries WHERE delivery LIKE 'poison-%'";
  expect(
    await env.DB_OPS.prepare(`SELECT count(*) AS n ${poison} AND given_up_at IS NOT NULL AND failure <> ''`).first("n"),
  ).toBe(200);
  const alerts = await env.DB_OPS.prepare("SELECT kind, count, told FROM alerts WHERE kind = 'webhook.given_up'").all();
  expect(alerts.results).toEqual([{ kind: "webhook.given_up", count: 1, told: 1 }]);
  await env.DB_OPS.prepare(`DELETE ${poison}`).run();
});

test("a state that the order was not told, since its workspace was away, is told by the sweep", async () => {
  const { pull, messages, id, read } = await anOrder();
  await tell("pull_request", pull("closed", at(2), { state: "closed", closed_at: at(2) }));
  await env.DB_OPS.prepare("UPDATE order_pull_requests SET told_state = 'open' WHERE order_id = ?1").bind(id).run();
  await sweepDeliveries(ctx());
  expect((await messages()).filter((text) => text.endsWith("was closed"))).toHaveLength(2);
  expect(await read()).toMatchObject({ state: "closed" });
  await sweepDeliveries(ctx());
  expect((await messages()).filter((text) => text.endsWith("was closed"))).toHaveLength(2);
});

test("nothing of a title or a text is stored with a delivery", async () => {
  const { pull, full } = await anOrder(false);
  await tell("pull_request", pull("opened", at(1)));
  const { results } = await env.DB_OPS.prepare(
    "SELECT said FROM github_deliveries WHERE said ->> '$.repository.full_name' = ?1",
  )
    .bind(full)
    .all<{ said: string }>();
  expect(results).toHaveLength(1);
  expect(results[0]!.said).not.toContain("DROP TABLE");
});
