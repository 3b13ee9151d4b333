import { sign } from "@octokit/webhooks-methods";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { createContext, systemActor } from "../../worker/context.ts";
import { handleDeliveries } from "../../worker/services/webhooks/handleDeliveries.ts";
import { sweepDeliveries } from "../../worker/services/webhooks/sweepDeliveries.ts";
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

test("a body of 25 MB is refused before it is read whole; one that is no JSON, or names nothing, is refused", async () => {
  expect(await problemOf(await deliver("x".repeat(25 * 1024 * 1024), { signature: "sha256=00" }))).toMatchObject({
    code: "BODY_TOO_LARGE",
    status: 413,
  });
  expect(await problemOf(await deliver("no json"))).toMatchObject({ code: "VALIDATION_FAILED" });
  expect(await problemOf(await deliver("{}", { delivery: "x" }))).toMatchObject({ code: "VALIDATION_FAILED" });
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
