import { createHmac } from "node:crypto";
import { sign } from "@octokit/webhooks-methods";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { createContext, systemActor } from "../../worker/context.ts";
import { closeQuietQuery } from "../../worker/services/ops/due.ts";
import { handleDeliveries } from "../../worker/services/webhooks/handleDeliveries.ts";
import { sweepDeliveries } from "../../worker/services/webhooks/sweepDeliveries.ts";
import { takeGithubDelivery } from "../../worker/services/webhooks/takeGithubDelivery.ts";
import { answerOf, call, problemOf } from "./caller.ts";

const SECRET = "github-webhook-secret-of-the-tests";
const ctx = (now = Date.now()) => createContext(env, { actor: systemActor("test"), now: () => new Date(now) });

async function deliver(
  body: string,
  fields: { delivery?: string; event?: string; secret?: string; signature?: string | null } = {},
) {
  const { delivery = crypto.randomUUID(), event = "issues", secret = SECRET } = fields;
  const signature = fields.signature === undefined ? await sign(secret, body) : fields.signature;
  return call("/api/webhooks/github", {
    method: "POST",
    token: null,
    raw: body,
    headers: {
      "x-github-delivery": delivery,
      "x-github-event": event,
      ...(signature === null ? {} : { "x-hub-signature-256": signature }),
    },
  });
}

let numbers = 0;
async function anIssue() {
  numbers += 1;
  const url = `https://github.test/acme/hooks/issues/${numbers}`;
  await env.DB_OPS.prepare(
    "INSERT INTO ops_issues (kind, severity, prompt, analysis, gh_issue_number, gh_issue_url, gh_state) VALUES ('worker-log', 2, '', '', ?1, ?2, 'open')",
  )
    .bind(numbers, url)
    .run();
  const body = (action: string, state: string, at: string, n = 0) =>
    JSON.stringify({
      action,
      n,
      repository: { full_name: "acme/hooks" },
      issue: { number: numbers, html_url: url, state, updated_at: at },
    });
  const status = () =>
    env.DB_OPS.prepare("SELECT status FROM ops_issues WHERE gh_issue_url = ?1").bind(url).first("status");
  return { body, status };
}
/** Carries out what the queue may not have yet. */
const settle = () => sweepDeliveries(ctx(Date.now() + 11 * 60_000));

test("an issue closed on GitHub is closed here, opened there opened here, in whatever order the events come", async () => {
  const { body, status } = await anIssue();
  expect(await answerOf(await deliver(body("closed", "closed", "2026-11-20T02:00:00Z")))).toMatchObject({
    taken: true,
  });
  await settle();
  expect(await status()).toBe("closed");
  await deliver(body("reopened", "open", "2026-11-20T04:00:00Z"));
  await settle();
  // Said before, arrived after.
  await deliver(body("closed", "closed", "2026-11-20T03:00:00Z"));
  await settle();
  expect(await status()).toBe("open");
});

test("an issue that somebody opened again on GitHub is not closed for its silence before", async () => {
  const { body, status } = await anIssue();
  await env.DB_OPS.prepare(
    "UPDATE ops_issues SET fingerprint = 'quiet', last_seen = '2026-11-10T00:00:00.000Z' WHERE gh_issue_number = ?1",
  )
    .bind(numbers)
    .run();
  await deliver(body("closed", "closed", "2026-11-20T02:00:00Z"));
  await settle();
  await deliver(body("reopened", "open", "2026-11-20T04:00:00Z"));
  await settle();
  const closeQuiet = (quietSince: string) =>
    closeQuietQuery(ctx().db, { kinds: ["worker-log"], quietSince, now: "2026-11-23T09:00:00.000Z" }).execute();
  await closeQuiet("2026-11-17T09:00:00.000Z");
  expect(await status()).toBe("open");
  await closeQuiet("2026-11-20T09:00:00.000Z");
  expect(await status()).toBe("closed");
});

test("an issue that was in progress and is closed on GitHub is told once more, so that its label goes", async () => {
  const { body, status } = await anIssue();
  const row = () =>
    env.DB_OPS.prepare("SELECT gh_state FROM ops_issues WHERE gh_issue_number = ?1").bind(numbers).first("gh_state");
  await env.DB_OPS.prepare("UPDATE ops_issues SET gh_state = 'in_progress' WHERE gh_issue_number = ?1")
    .bind(numbers)
    .run();
  await deliver(body("closed", "closed", "2026-11-20T02:00:00Z"));
  await settle();
  expect([await status(), await row()]).toEqual(["closed", "in_progress"]);
});

test("a delivery sent again, by its number or its body, is taken once", async () => {
  const { body } = await anIssue();
  const text = body("closed", "closed", "2026-11-20T02:00:00Z");
  const delivery = crypto.randomUUID();
  const answers = await Promise.all([1, 2, 3, 4].map(() => deliver(text, { delivery })));
  const taken = await Promise.all(answers.map(async (answer) => JSON.stringify(await answerOf(answer))));
  expect(taken.filter((answer) => answer.includes('"taken":true'))).toHaveLength(1);
  expect(await answerOf(await deliver(text))).toMatchObject({ taken: false });
  expect(
    await answerOf(await deliver(body("closed", "closed", "2026-11-20T02:00:00Z", 2), { delivery })),
  ).toMatchObject({ taken: false });
});

test("what is not signed with the secret is refused, whatever is wrong with it", async () => {
  const { body, status } = await anIssue();
  const text = body("closed", "closed", "2026-11-20T02:00:00Z");
  const other = await sign(SECRET, `${text} `);
  for (const fields of [
    { secret: "another" },
    { signature: null },
    { signature: "sha256=00" },
    { signature: other },
    { signature: "sha1=abc" },
  ]) {
    expect(await problemOf(await deliver(text, fields))).toMatchObject({ code: "UNAUTHENTICATED", status: 401 });
  }
  await settle();
  expect(await status()).toBe("open");
});

/** A body of so many bytes that says the same: GitHub puts what was changed and said behind and before it. */
function padded(body: string, bytes: number): string {
  const filling = (length: number) =>
    JSON.stringify({ title: 'é "]}'.repeat(9), deep: [[{ issue: { state: 1 } }]], x: "y".repeat(length) });
  const before = filling(Math.floor(bytes / 3));
  const head = `{"before":${before},"list":[${before}],`;
  const rest = bytes - Buffer.byteLength(head) - Buffer.byteLength(body) - Buffer.byteLength(',"pad":""') + 1;
  return `${head}${body.slice(1, -1)},"pad":"${"z".repeat(rest)}"}`;
}

test("a body of GitHub's 25 MB is taken, one byte more is refused, whether its length is told or not", async () => {
  const cap = 25 * 1024 * 1024;
  const { body, status } = await anIssue();
  const largest = padded(body("closed", "closed", "2026-11-20T02:00:00Z"), cap);
  expect(Buffer.byteLength(largest)).toBe(cap);
  expect(await problemOf(await deliver(largest, { secret: "another" }))).toMatchObject({ status: 401 });
  expect(await answerOf(await deliver(largest))).toMatchObject({ taken: true });
  await settle();
  expect(await status()).toBe("closed");
  expect(await answerOf(await deliver(largest))).toMatchObject({ taken: false });
  const signature = `sha256=${"0".repeat(64)}`;
  expect(await problemOf(await deliver(`${largest} `, { signature }))).toMatchObject({
    code: "BODY_TOO_LARGE",
    status: 413,
  });
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      sent += 1;
      if (sent > 100) throw new Error("read far beyond the cap");
      controller.enqueue(new Uint8Array(1024 * 1024).fill(32));
    },
  });
  expect(
    await problemOf(
      await call("/api/webhooks/github", {
        method: "POST",
        token: null,
        raw: endless,
        headers: { "x-hub-signature-256": signature },
      }),
    ),
  ).toMatchObject({ code: "BODY_TOO_LARGE" });
});

test("what bears no signature is refused before anything of it is read", async () => {
  let pulled = 0;
  const body = () =>
    new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          pulled += 1;
          controller.enqueue(new Uint8Array(1024));
          if (pulled > 5_000) controller.close();
        },
      },
      { highWaterMark: 0 },
    );
  for (const signature of [null, "sha256=00", "sha1=abc"]) {
    const request = new Request("https://vibehq.test/api/webhooks/github", {
      method: "POST",
      body: body(),
      headers: signature === null ? {} : { "x-hub-signature-256": signature },
    });
    const taken = await takeGithubDelivery(ctx(), request, () => expect.unreachable());
    expect(taken).toMatchObject({ ok: false, error: { code: "UNAUTHENTICATED" } });
  }
  expect(pulled).toBe(0);
});

test("one that is no JSON of an object, or names nothing, is refused; what nobody listens for is acknowledged", async () => {
  for (const body of ["no json", "[]", "1", '{"action":', '{"action":1}', '{"issue":{"number":"x"}}']) {
    expect(await problemOf(await deliver(body)), body).toMatchObject({ code: "VALIDATION_FAILED" });
  }
  expect(await problemOf(await deliver("{}", { delivery: "x" }))).toMatchObject({ code: "VALIDATION_FAILED" });
  expect(await problemOf(await deliver("{}", { event: "Issues;" }))).toMatchObject({ code: "VALIDATION_FAILED" });
  const before = await env.DB_OPS.prepare("SELECT count(*) AS n FROM github_deliveries").first("n");
  for (const event of ["ping", "push", "star"]) {
    expect(await answerOf(await deliver(JSON.stringify({ zen: "Keep it logically awesome." }), { event }))).toEqual({
      ok: true,
      taken: false,
      ignored: true,
    });
  }
  expect(await env.DB_OPS.prepare("SELECT count(*) AS n FROM github_deliveries").first("n")).toBe(before);
});

test("bytes that are no UTF-8 are verified as they were sent", async () => {
  const bytes = new Uint8Array([
    ...new TextEncoder().encode('{"zen":"'),
    0xff,
    0xfe,
    ...new TextEncoder().encode('"}'),
  ]);
  const signature = `sha256=${createHmac("sha256", SECRET).update(bytes).digest("hex")}`;
  const headers = {
    "x-github-delivery": crypto.randomUUID(),
    "x-github-event": "ping",
    "x-hub-signature-256": signature,
  };
  expect((await call("/api/webhooks/github", { method: "POST", token: null, raw: bytes, headers })).status).toBe(200);
});

test.each(["is not there", "fails"])("where the queue %s a delivery is kept, answered and swept", async (how) => {
  const { body, status } = await anIssue();
  const text = body("closed", "closed", "2026-11-20T02:00:00Z");
  const queue = how === "fails" ? { send: () => Promise.reject(new Error("no queue")) } : undefined;
  const bound = { ...env, GITHUB_QUEUE: queue } as unknown as Env;
  const request = new Request("https://vibehq.test/api/webhooks/github", {
    method: "POST",
    body: text,
    headers: {
      "x-github-delivery": crypto.randomUUID(),
      "x-github-event": "issues",
      "x-hub-signature-256": await sign(SECRET, text),
    },
  });
  const left: Promise<void>[] = [];
  const taken = await takeGithubDelivery({ ...ctx(), env: bound }, request, (work) => void left.push(work));
  expect(taken).toMatchObject({ ok: true, taken: true });
  await Promise.all(left);
  expect(await status()).toBe("open");
  await settle();
  expect(await status()).toBe("closed");
});

test("a message twice, or of nothing, does no harm", async () => {
  const { body, status } = await anIssue();
  const delivery = crypto.randomUUID();
  await deliver(body("closed", "closed", "2026-11-20T02:00:00Z"), { delivery });
  let acked = 0;
  const message = (content: unknown) => ({
    body: content,
    ack: () => void (acked += 1),
    retry: () => expect.unreachable(),
  });
  await handleDeliveries(ctx(), [
    message({ delivery }),
    message({ delivery }),
    message({ delivery: "gone" }),
    message(null),
  ]);
  expect(acked).toBe(4);
  expect(await status()).toBe("closed");
});
