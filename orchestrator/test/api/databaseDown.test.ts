import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { app } from "../../worker/app.ts";
import { answerOf, BOOTSTRAP, problemOf } from "./caller.ts";

/** A database whose every query fails, and whose failure says more than a caller may know. */
const broken = (database: D1Database): D1Database =>
  new Proxy(database, {
    get: () => () => {
      throw new Error("D1_ERROR: SELECT secret FROM api_tokens: SQLITE_BUSY");
    },
  });

async function ask(path: string, bindings: Partial<Env>, init: RequestInit = {}) {
  const execution = createExecutionContext();
  const headers = { authorization: `Bearer ${BOOTSTRAP}`, "content-type": "application/json" };
  const request = new Request(`https://vibehq.test${path}`, { ...init, headers });
  const response = await app.fetch(request, { ...env, ...bindings }, execution);
  await waitOnExecutionContext(execution);
  return response;
}

test("a verb whose database does not answer is refused as retryable, and its error stays inside", async () => {
  const response = await ask("/api/orders", { DB_PROJECTS: broken(env.DB_PROJECTS) });
  expect(response.status).toBe(503);
  expect(response.headers.get("retry-after")).not.toBeNull();
  const problem = await problemOf(response);
  expect(problem).toMatchObject({ code: "DATABASE_UNAVAILABLE", error: { retryable: true, nothingWritten: null } });
  expect(JSON.stringify(problem)).not.toMatch(/SELECT|SQLITE|D1_/);
});

test("one database down leaves what stands on the others", async () => {
  expect((await ask("/api/orders", { DB_OPS: broken(env.DB_OPS) })).status).toBe(200);
});

test("health names the part that does not answer and answers itself", async () => {
  const response = await ask("/api/health", { DB_LOGS: broken(env.DB_LOGS) });
  expect(response.status).toBe(200);
  expect(await answerOf(response)).toMatchObject({
    ok: true,
    status: "degraded",
    components: { db_logs: { ok: false }, db_ops: { ok: true }, engine: { ok: true }, hub: { ok: true } },
  });
});
