import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { createContext, systemActor } from "../../worker/context.ts";
import { wakeSession } from "../../worker/services/ai-providers/jules/wakeSession.ts";
import { signatureOf } from "../../worker/services/webhooks/takeDelivery.ts";
import { answerOf, call, problemOf } from "./caller.ts";

const SECRET = "webhook-secret-of-the-tests";
const RUNNING = "sessions/77001";
const OVER = "sessions/77002";
const now = () => Math.floor(Date.now() / 1000);
let minted = 0;
/** A body that says the same as others and is none of them. */
const news = (session = RUNNING) => JSON.stringify({ session, n: (minted += 1) });

interface Sent {
  body?: string;
  timestamp?: string | null;
  secret?: string;
  signature?: string | null;
}
function deliver({ body = news(), timestamp = String(now()), secret = SECRET, signature }: Sent = {}) {
  const signed = signature === undefined ? signatureOf(secret, timestamp ?? "", body) : signature;
  return call("/api/webhooks/jules", {
    method: "POST",
    token: null,
    raw: body,
    headers: {
      ...(timestamp === null ? {} : { "x-vibehq-timestamp": timestamp }),
      ...(signed === null ? {} : { "x-vibehq-signature": signed }),
    },
  });
}

beforeAll(async () => {
  const at = "2026-11-01T10:00:00.000Z";
  for (const [execution, session, status] of [
    ["exec-running", RUNNING, "running"],
    ["exec-over", OVER, "ended"],
  ] as const) {
    await env.DB_OPS.prepare(
      "INSERT INTO ai_provider_executions (execution_id, provider_name, task_uuid, status, created_at) VALUES (?1, 'jules', 't', 'running', ?2)",
    )
      .bind(execution, at)
      .run();
    await env.DB_OPS.prepare(
      "INSERT INTO ai_provider_attempts (execution_id, attempt, provider_name, status, external_id, started_at) VALUES (?1, 1, 'jules', ?2, ?3, ?4)",
    )
      .bind(execution, status, session, at)
      .run();
  }
});

/** The verb with a Workflow that keeps what it is sent. */
async function wake(body: string, fields: { fails?: boolean; secret?: string } = {}) {
  const told: unknown[] = [];
  const AGENT_EXECUTION = {
    get: async (id: string) => ({
      sendEvent: async (event: object) => {
        if (fields.fails) throw new Error("instance.not_found");
        told.push({ id, ...event });
      },
    }),
  };
  const ctx = createContext(
    { ...env, JULES_WEBHOOK_SECRET: fields.secret ?? SECRET, AGENT_EXECUTION } as unknown as Env,
    { actor: systemActor("test") },
  );
  const timestamp = String(now());
  const answer = await wakeSession(ctx, { timestamp, signature: signatureOf(SECRET, timestamp, body), body });
  return { answer, told };
}

test("news of a running session wakes its execution, and nothing of the delivery but the session's name goes in", async () => {
  const { answer, told } = await wake(JSON.stringify({ session: RUNNING, state: "COMPLETED", diff: "evil", n: -1 }));
  expect(answer).toEqual({ ok: true, woken: true });
  expect(told).toEqual([{ id: "exec-running", type: "provider-news", payload: { session: RUNNING } }]);
});

test("nobody is woken for a session that is over or unknown; an execution that is gone is no fault", async () => {
  for (const session of [OVER, "sessions/1"]) {
    expect(await wake(news(session))).toEqual({ answer: { ok: true, woken: false }, told: [] });
  }
  expect(await wake(news(), { fails: true })).toMatchObject({ answer: { ok: true, woken: false } });
});

test("without a secret nobody is listened to", async () => {
  expect((await wake(news(), { secret: "" })).answer).toMatchObject({ ok: false, error: { code: "NOT_FOUND" } });
});

describe("the door", () => {
  test("takes what is signed", async () => {
    const response = await deliver();
    expect([response.status, await answerOf(response)]).toEqual([200, { ok: true, woken: expect.any(Boolean) }]);
  });

  test("takes each delivery once, also of many at once", async () => {
    const sent = { body: news(), timestamp: String(now()) };
    const responses = await Promise.all(Array.from({ length: 8 }, () => deliver(sent)));
    expect(responses.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, ...Array(7).fill(409)]);
  });

  const body = news();
  const timestamp = String(now());
  const FORGED: [string, Sent][] = [
    ["without a signature", { signature: null }],
    ["without a timestamp", { timestamp: null }],
    ["with another secret's", { secret: "another" }],
    ["with one of another body", { signature: signatureOf(SECRET, timestamp, "{}"), timestamp, body }],
    ["with one of another time", { signature: signatureOf(SECRET, String(now() - 9), body), timestamp, body }],
    ["too old", { timestamp: String(now() - 301) }],
    ["from the future", { timestamp: String(now() + 3_600) }],
    ["with a timestamp that is no number", { timestamp: "1e9" }],
    ["with a signature that is cut", { signature: signatureOf(SECRET, timestamp, body).slice(0, -2), timestamp, body }],
    ["with one in other letters", { signature: "sha256=é", timestamp, body }],
  ];
  test.each(FORGED)("refuses a delivery %s", async (_name, sent) => {
    const response = await deliver(sent);
    expect(response.status).toBe(401);
    expect((await problemOf(response)).code).toBe("UNAUTHENTICATED");
  });

  test.each([
    ["no JSON", "{", "MALFORMED_JSON"],
    ["no session", "{}", "VALIDATION_FAILED"],
    ["a session that is a path", JSON.stringify({ session: "sessions/../../x" }), "VALIDATION_FAILED"],
  ])("says what is wrong with a signed body: %s", async (_name, sent, code) => {
    const response = await deliver({ body: sent });
    expect((await problemOf(response)).code).toBe(code);
  });

  test("reads a body to its bound, and no further", async () => {
    const response = await deliver({ body: JSON.stringify({ session: RUNNING, filler: "x".repeat(20_000) }) });
    expect(response.status).toBe(413);
  });
});

test("receipts that no timestamp could match any more are swept", async () => {
  await env.DB_OPS.prepare("INSERT INTO webhook_receipts (sender, signature, received_at) VALUES ('jules', 'old', ?1)")
    .bind(new Date(Date.now() - 11 * 60_000).toISOString())
    .run();
  expect((await deliver()).status).toBe(200);
  expect(
    await env.DB_OPS.prepare("SELECT count(*) AS n FROM webhook_receipts WHERE signature = 'old'").first("n"),
  ).toBe(0);
});
