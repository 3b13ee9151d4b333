import { SCOPES } from "@shared/contracts";
import { createLogger } from "@shared/worker-kit";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { z } from "zod";
import { authenticate, type AuthenticateOptions } from "../../worker/services/auth/authenticate.ts";
import { CredentialCache, FRESH_MS, STALE_MS } from "../../worker/services/auth/CredentialCache.ts";
import { revokeToken } from "../../worker/services/auth/revokeToken.ts";
import { admin, answerOf, call, tokenWith } from "./caller.ts";

const START = Date.parse("2026-06-01T00:00:00.000Z");
/** A clock and a cache of its own: one isolate, as far as tokens go. */
function isolate() {
  const state = { ms: START };
  const started: Promise<unknown>[] = [];
  const options: AuthenticateOptions = {
    log: createLogger({ write: () => undefined }),
    now: () => new Date(state.ms),
    background: (work) => void started.push(work),
    cache: new CredentialCache(),
  };
  const codeOf = async (token: string | null, database = env) => {
    const result = await authenticate(database, token, options);
    return result.ok ? result.actor.id : result.error.code;
  };
  return { state, codeOf, settled: () => Promise.all(started) };
}
/** The environment with a DB_OPS that answers nothing but an error. */
const down = (): Cloudflare.Env => ({
  ...env,
  DB_OPS: new Proxy(env.DB_OPS, {
    get: () => () => {
      throw new Error("D1_ERROR: unreachable");
    },
  }),
});

const MadeSchema = z.object({
  token: z.string(),
  apiToken: z.looseObject({ id: z.string(), expiresAt: z.string().nullable() }),
});

test("a token is shown once, stored only as a hash, and can be listed and revoked", async () => {
  const made = await call("/api/auth/tokens", { body: { name: "ci", scopes: ["orders:read"], requesters: ["ci"] } });
  expect(made.status).toBe(201);
  const { token, apiToken } = z
    .object({ token: z.string(), apiToken: z.object({ id: z.string(), prefix: z.string() }) })
    .parse(await answerOf(made));
  const row = await env.DB_OPS.prepare("SELECT * FROM api_tokens WHERE id = ?").bind(apiToken.id).first();
  expect(JSON.stringify(row)).not.toContain(token.slice(apiToken.prefix.length + 1));
  expect(JSON.stringify(await answerOf(await call("/api/auth/tokens")))).toContain(apiToken.id);

  expect((await call("/api/orders", { token })).status).toBe(200);
  expect((await call(`/api/auth/tokens/${apiToken.id}`, { method: "DELETE" })).status).toBe(200);
  expect((await call("/api/orders", { token })).status).toBe(401);
  expect((await call("/api/auth/tokens/nobody", { method: "DELETE" })).status).toBe(404);
});

test("the bootstrap token is an administrator, and nothing like it is", async () => {
  const { codeOf } = isolate();
  expect(await codeOf(env.BOOTSTRAP_TOKEN)).toBe("token:bootstrap");
  expect(await codeOf(`${env.BOOTSTRAP_TOKEN}x`)).toBe("UNAUTHENTICATED");
  expect(await codeOf(null)).toBe("UNAUTHENTICATED");
  expect(await codeOf("x".repeat(100_000))).toBe("UNAUTHENTICATED");
});

test("without a bootstrap token in the environment, no token stands for it", async () => {
  const { codeOf } = isolate();
  expect(await codeOf("", { ...env, BOOTSTRAP_TOKEN: "" })).toBe("UNAUTHENTICATED");
});

test("the prefix finds a token, the secret decides", async () => {
  const { codeOf } = isolate();
  const { token, id } = await tokenWith(["orders:read"]);
  expect(await codeOf(token)).toBe(`token:${id}`);
  const last = token.at(-1) === "A" ? "B" : "A";
  expect(await codeOf(token.slice(0, -1) + last)).toBe("UNAUTHENTICATED");
});

test("when a token was last used is noted when it is read, not at every call", async () => {
  const { state, codeOf, settled } = isolate();
  const { token, id } = await tokenWith(["orders:read"]);
  const usedAt = () =>
    env.DB_OPS.prepare("SELECT last_used_at FROM api_tokens WHERE id = ?").bind(id).first<string>("last_used_at");
  expect(await usedAt()).toBeNull();
  await codeOf(token);
  state.ms += FRESH_MS;
  await codeOf(token);
  await settled();
  expect(await usedAt()).toBe(new Date(START).toISOString());
});

test("a flood of made-up tokens does not drive out one that must outlive an outage", { timeout: 60_000 }, async () => {
  const { state, codeOf } = isolate();
  const { token, id } = await tokenWith(["orders:read"]);
  await codeOf(token);
  for (let n = 0; n < 1_100; n++) {
    const made = `vhq_${String(n).padStart(12, "a")}_${"b".repeat(43)}`;
    expect(await codeOf(made)).toBe("UNAUTHENTICATED");
  }
  state.ms += FRESH_MS + 1;
  expect(await codeOf(token, down())).toBe(`token:${id}`);
});

test("a token expires when it said, cached or not", async () => {
  const { state, codeOf } = isolate();
  const { token, id } = await tokenWith(["orders:read"], { expiresInSeconds: 60 });
  state.ms = Date.now();
  expect(await codeOf(token)).toBe(`token:${id}`);
  state.ms = Date.now() + 60_000;
  expect(await codeOf(token)).toBe("UNAUTHENTICATED");
});

test("while D1 is down a token read before stays valid for a bounded time, one never read is told to wait", async () => {
  const { state, codeOf } = isolate();
  const { token, id } = await tokenWith([...SCOPES]);
  const { token: unseen } = await tokenWith(["orders:read"]);
  expect(await codeOf(token)).toBe(`token:${id}`);
  state.ms += FRESH_MS + 1;
  expect(await codeOf(token, down())).toBe(`token:${id}`);
  expect(await codeOf(unseen, down())).toBe("DATABASE_UNAVAILABLE");
  state.ms = START + STALE_MS + 1;
  expect(await codeOf(token, down())).toBe("DATABASE_UNAVAILABLE");
});

test("a revocation made elsewhere takes effect when the cached token is no longer fresh", async () => {
  const { state, codeOf } = isolate();
  const { token, id } = await tokenWith(["orders:read"]);
  expect(await codeOf(token)).toBe(`token:${id}`);
  expect((await revokeToken(admin(), { id })).ok).toBe(true);
  state.ms += FRESH_MS + 1;
  expect(await codeOf(token)).toBe("UNAUTHENTICATED");
});

test("nobody gives away what they have not: no other scope, requester, workspace, or time", async () => {
  const maker = await tokenWith(["tokens:write", "tokens:read", "orders:read"], {
    requesters: ["ci"],
    workspaceId: "order:ORD-9",
    expiresInSeconds: 3600,
  });
  const make = (body: object) => call("/api/auth/tokens", { token: maker.token, body: { name: "a child", ...body } });
  const refused = [
    { scopes: ["orders:write"] },
    { scopes: ["admin"] },
    { scopes: ["orders:read", "patches:read"] },
    { scopes: ["orders:read"], requesters: ["ci", "somebody"] },
    { scopes: ["orders:read"], workspaceId: "order:ORD-8" },
  ];
  for (const body of refused) expect((await make(body)).status).toBe(403);

  for (const body of [{}, { expiresInSeconds: null }, { expiresInSeconds: 366 * 24 * 3600 }]) {
    const made = await make({ scopes: ["orders:read"], ...body });
    expect(made.status).toBe(201);
    const { apiToken } = MadeSchema.parse(await answerOf(made));
    expect(apiToken).toMatchObject({
      requesters: ["ci"],
      workspaceId: "order:ORD-9",
      createdBy: `token:${maker.id}`,
    });
    expect(Date.parse(apiToken.expiresAt ?? "")).toBeLessThanOrEqual(Date.now() + 3600_000);
  }
});

test("a holder sees and revokes what they have made and their own token, and no other", async () => {
  const maker = await tokenWith(["tokens:write", "tokens:read", "orders:read"]);
  const other = await tokenWith(["tokens:write", "tokens:read", "orders:read"]);
  const made = await call("/api/auth/tokens", { token: maker.token, body: { name: "c", scopes: ["orders:read"] } });
  const { token, apiToken } = MadeSchema.parse(await answerOf(made));
  const seenBy = async (seer: string) =>
    JSON.stringify(await answerOf(await call("/api/auth/tokens", { token: seer })));
  expect(await seenBy(maker.token)).toContain(apiToken.id);
  expect(await seenBy(other.token)).not.toContain(apiToken.id);
  const revoke = async (id: string, by: string) =>
    (await call(`/api/auth/tokens/${id}`, { method: "DELETE", token: by })).status;
  expect(await revoke(apiToken.id, other.token)).toBe(404);
  expect(await revoke(maker.id, other.token)).toBe(404);
  expect((await call("/api/orders", { token })).status).toBe(200);
  expect(await revoke(apiToken.id, maker.token)).toBe(200);
  expect((await call("/api/orders", { token })).status).toBe(401);
  expect(await revoke(maker.id, maker.token)).toBe(200);
  expect((await call("/api/orders", { token: maker.token })).status).toBe(401);
});
