import {
  AssignmentSchema,
  DecisionSchema,
  fail,
  type ProviderName,
  ProviderStatusSchema,
  type TaskType,
} from "@shared/contracts";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, inject, test } from "vitest";
import { z } from "zod";
import { createContext, type ServiceContext, systemActor } from "../../worker/context.ts";
import { providerState } from "../../worker/durable-objects/provider-state/rpc.ts";
import type { GetBranch } from "../../worker/services/ai-providers/branchExists.ts";
import { listAvailableProviders } from "../../worker/services/ai-providers/listAvailableProviders.ts";
import { listProviders } from "../../worker/services/ai-providers/listProviders.ts";
import { probeProvider } from "../../worker/services/ai-providers/probeProvider.ts";
import { assignProvider, explainAssignment } from "../../worker/services/ai-providers/router.ts";
import { setProviderConfig } from "../../worker/services/ai-providers/setProviderConfig.ts";
import { createOrder } from "../../worker/services/order/createOrder.ts";
import { setOrderRouting } from "../../worker/services/order/setOrderRouting.ts";
import { createProject } from "../../worker/services/project/createProject.ts";
import { call, problemOf } from "../api/caller.ts";
import { mint } from "./workspaceHarness.ts";

const engine = inject("engine");
const source = { kind: "path", path: engine.source };
const KEYS = ["JULES", "CODEX", "GEMINI", "CLAUDE", "CURSOR"].map((name) => `${name}_API_KEY`);
const keyed = (keys: readonly string[] = KEYS, value = "a-key"): Env => ({
  ...env,
  ...Object.fromEntries(KEYS.map((key) => [key, undefined])),
  ...Object.fromEntries(keys.map((key) => [key, value])),
});
const context = (own: Env = keyed(), seed?: string): ServiceContext =>
  createContext(own, { actor: systemActor("test"), ...(seed === undefined ? {} : { mintId: () => seed }) });

/** GitHub as it has these branches, and no others. */
const github =
  (...branches: string[]): GetBranch =>
  (_, { owner, repo, branch }) =>
    Promise.resolve(
      branches.includes(`${owner}/${repo}#${branch}`)
        ? { ok: true, branch: { name: branch, sha: "0".repeat(40) } }
        : fail("NOT_FOUND", "there is no such branch"),
    );
const outside = { getBranch: github("acme/shop#main") };

async function aTask(
  more: {
    routing?: object;
    repository?: string | null;
    branch?: string;
    source?: object;
    files?: string;
    type?: TaskType;
  } = {},
) {
  const ctx = context(env);
  const projectId = mint("PRJ");
  const { repository = "https://github.com/acme/shop.git", branch = "main" } = more;
  await createProject(ctx, { id: projectId, name: "a shop", repository, branch });
  const orderId = mint("ORD");
  const made = await createOrder(ctx, {
    id: orderId,
    projectId,
    title: "an order",
    factory: "agent-factory",
    ...("source" in more ? (more.source ? { source: more.source } : {}) : { source }),
    ...(more.routing ? { routing: more.routing } : {}),
    tasks: [{ title: "mend", type: more.type ?? "fix", allowed: [{ files: more.files ?? "src/**" }] }],
  });
  if (!made.ok) throw new Error(made.error.message);
  return { taskId: `${orderId}.1`, orderId, projectId };
}

beforeEach(async () => {
  await env.DB_OPS.batch([
    env.DB_OPS.prepare("DELETE FROM ai_provider_configs"),
    env.DB_OPS.prepare("DELETE FROM ai_router_outcomes"),
  ]);
});

test("a task is given away, and why is stored as it was decided", async () => {
  const { taskId, orderId } = await aTask();
  const ctx = context();
  const given = await assignProvider(ctx, { taskId }, outside);
  if (!given.ok) throw new Error(given.error.message);
  const { assignment, decision } = given;
  expect(assignment).toMatchObject({ task_uuid: taskId, order_id: orderId, status: "assigned", execution_id: null });
  expect(assignment.provider_name).toBe(decision.provider);
  expect(decision.inputs).toMatchObject({
    type: "fix",
    language: "typescript",
    repository: "acme/shop",
    branch: "main",
    branchOnGithub: true,
  });
  expect(await explainAssignment(ctx, { task_id: taskId })).toEqual(given);
  for (const { score, parts } of decision.candidates) {
    expect(parts.reduce((sum, part) => sum + part.value, 0)).toBe(score ?? 0);
  }
  // Without their keys nobody else may have it.
  const refused = decision.candidates.filter(({ provider }) => provider === "ai-gateway" || provider === "copilot");
  expect(refused.length).toBeGreaterThan(0);
  for (const candidate of refused) expect(candidate.refused.map(({ rule }) => rule)).toContain("key");
});

test("the same seed gives the same decision, and what is given anew takes the place of what was not begun", async () => {
  const { taskId } = await aTask();
  const first = await assignProvider(context(keyed(), "seed-1"), { taskId }, outside);
  const second = await assignProvider(context(keyed(), "seed-1"), { taskId }, outside);
  if (!first.ok || !second.ok) throw new Error("refused");
  expect({ ...second.decision, decided_at: "" }).toEqual({ ...first.decision, decided_at: "" });
  const { results } = await env.DB_OPS.prepare(
    "SELECT status FROM ai_provider_assignments WHERE task_uuid = ? ORDER BY id",
  )
    .bind(taskId)
    .all();
  expect(results).toEqual([{ status: "cancelled" }, { status: "assigned" }]);
});

test("a task that is being worked on stays where it is; of ten that give it away at once one assignment is open", async () => {
  const { taskId } = await aTask();
  await Promise.all(Array.from({ length: 10 }, () => assignProvider(context(), { taskId }, outside)));
  const open = "SELECT count(*) AS open FROM ai_provider_assignments WHERE task_uuid = ? AND status = 'assigned'";
  expect(await env.DB_OPS.prepare(open).bind(taskId).first("open")).toBe(1);
  await env.DB_OPS.prepare(
    "UPDATE ai_provider_assignments SET status = 'running', execution_id = 'e' WHERE task_uuid = ? AND status = 'assigned'",
  )
    .bind(taskId)
    .run();
  expect(await assignProvider(context(), { taskId }, outside)).toMatchObject({
    ok: false,
    error: { code: "CONFLICT" },
  });
});

describe("Jules is given no task without a branch on GitHub, whoever says so", () => {
  test.each<[string, Parameters<typeof aTask>[0], GetBranch | null, RegExp]>([
    ["no repository", { repository: null }, github("acme/shop#main"), /names no repository/],
    ["a repository elsewhere", { repository: "https://gitlab.example/acme/shop" }, github(), /none of GitHub's/],
    ["a branch that is not there", { branch: "gone" }, github("acme/shop#main"), /acme\/shop has no branch gone/],
    [
      "GitHub out of reach",
      {},
      () => Promise.resolve(fail("UPSTREAM_UNAVAILABLE", "GitHub does not answer")),
      /GitHub does not answer/,
    ],
    ["no connection to GitHub", {}, null, /not connected to GitHub/],
  ])("%s", async (_, more, getBranch, why) => {
    const byOrder = await aTask({ ...more, routing: { provider: "jules" } });
    const plain = await aTask(more);
    const refusal = { ok: false, error: { code: "PROVIDER_NOT_SUITABLE", message: expect.stringMatching(why) } };
    expect(await assignProvider(context(), { taskId: byOrder.taskId }, { getBranch })).toMatchObject(refusal);
    expect(
      await assignProvider(context(), { taskId: plain.taskId, preferredProvider: "jules" }, { getBranch }),
    ).toMatchObject(refusal);
    const freely = await assignProvider(context(), { taskId: plain.taskId }, { getBranch });
    if (!freely.ok) throw new Error(freely.error.message);
    expect([freely.decision.provider, ...freely.decision.chain.map(({ provider }) => provider)]).not.toContain("jules");
    const { error } = await problemOf(await call("/api/ai/assign", { body: { taskId: byOrder.taskId } }));
    expect(error.code).toBe("PROVIDER_NOT_SUITABLE");
  });

  test("with one, it may have it; the order's own branch comes first", async () => {
    const { taskId, orderId } = await aTask({ routing: { provider: "jules" } });
    const branches = github("acme/shop#main", `acme/shop#factory/${orderId}`);
    const given = await assignProvider(context(), { taskId }, { getBranch: branches });
    expect(given).toMatchObject({
      ok: true,
      decision: { provider: "jules", by: "override", inputs: { branch: `factory/${orderId}` } },
    });
  });
});

test("an agent is given no task whose workspace is not open", async () => {
  const { taskId } = await aTask({ source: undefined as never });
  const given = await assignProvider(
    context(keyed(["CLAUDE_API_KEY"])),
    { taskId, preferredProvider: "claude" },
    outside,
  );
  expect(given).toMatchObject({ ok: false, error: { code: "PROVIDER_NOT_SUITABLE", message: /not open/ } });
});

test("a model is shown the files it may edit, if they fit", async () => {
  const gateway = keyed(["AI_GATEWAY_TOKEN"]);
  const { taskId } = await aTask({ files: "src/index.ts" });
  expect(await assignProvider(context(gateway), { taskId }, outside)).toMatchObject({
    ok: true,
    decision: { provider: "ai-gateway" },
  });
});

test("the order's word on routing comes before its project's, and may be changed", async () => {
  const { taskId, orderId, projectId } = await aTask();
  const routing = { provider: "gemini", priority: "high", preferredModel: "gpt-5-codex" };
  expect((await call(`/api/projects/${projectId}/routing`, { method: "PUT", body: routing })).status).toBe(200);
  const first = await assignProvider(context(), { taskId }, outside);
  expect(first).toMatchObject({
    decision: { provider: "gemini", by: "override", inputs: { priority: "high", preferredModel: "gpt-5-codex" } },
  });
  expect(await setOrderRouting(context(), { orderId, routing: { provider: "codex" } })).toMatchObject({
    ok: true,
    order: { routing: { provider: "codex" } },
  });
  const second = await assignProvider(context(), { taskId }, outside);
  expect(second).toMatchObject({ decision: { provider: "codex", inputs: { priority: "high" } } });
  const third = await assignProvider(context(), { taskId, preferredProvider: "claude" }, outside);
  expect(third).toMatchObject({ decision: { provider: "claude" } });
});

test("what the deployment says of a provider holds for decisions and reservations", async () => {
  const ctx = context();
  const { taskId } = await aTask();
  const config = (provider: ProviderName, body: object) => setProviderConfig(ctx, { provider, config: body });
  expect(await config("cursor", { enabled: false })).toMatchObject({
    ok: true,
    status: { available: false, reasons: ["Cursor is switched off"] },
  });
  expect(await assignProvider(ctx, { taskId, preferredProvider: "cursor" }, outside)).toMatchObject({
    ok: false,
    error: { code: "PROVIDER_NOT_SUITABLE" },
  });
  await config("gemini", {
    default_model: "gemini-next",
    rate_limits: { concurrency: 1, usdPerDay: 0.4 },
    cost_per_token: 0.000001,
  });
  const given = await assignProvider(ctx, { taskId, preferredProvider: "gemini" }, outside);
  expect(given).toMatchObject({ ok: true });
  expect(given.ok && given.decision.candidates.some(({ model }) => model === "gemini-next")).toBe(true);
  const state = providerState(env);
  const reserve = (executionId: string, costUsd: number) =>
    state.reserve({ executionId, attempt: 1, provider: "gemini", orderId: null, costUsd, units: 0, maxOrderUsd: null });
  expect(await reserve(mint("over"), 0.6)).toMatchObject({ ok: false, code: "BUDGET_EXCEEDED" });
  const executionId = mint("fits");
  expect(await reserve(executionId, 0.3)).toEqual({ ok: true });
  expect(await reserve(mint("second"), 0.1)).toMatchObject({ ok: false, code: "PROVIDER_UNAVAILABLE" });
  expect(await assignProvider(ctx, { taskId, preferredProvider: "gemini" }, outside)).toMatchObject({
    ok: false,
    error: { code: "BUDGET_EXCEEDED" },
  });
  await state.settle({
    executionId,
    attempt: 1,
    provider: "gemini",
    class: "cancelled",
    retryAfterMs: null,
    usage: null,
    costUsd: 0,
  });
});

test("an order that has spent its budget is refused with its reason", async () => {
  const { taskId, orderId } = await aTask({ routing: { maxCostUsd: 1, provider: "claude" } });
  const state = providerState(env);
  const executionId = mint("dear");
  await state.reserve({ executionId, attempt: 1, provider: "codex", orderId, costUsd: 0.9, units: 0, maxOrderUsd: 1 });
  expect(await assignProvider(context(), { taskId }, outside)).toMatchObject({
    ok: false,
    error: { code: "BUDGET_EXCEEDED", message: expect.stringContaining("order") },
  });
  await state.settle({
    executionId,
    attempt: 1,
    provider: "codex",
    class: "cancelled",
    retryAfterMs: null,
    usage: null,
    costUsd: 0,
  });
  expect(await assignProvider(context(), { taskId }, outside)).toMatchObject({ ok: true });
});

test("a corrected key closes what the refused one had opened; until then the chain passes its provider over", async () => {
  const { taskId } = await aTask();
  const given = await assignProvider(context(), { taskId, preferredProvider: "codex" }, outside);
  if (!given.ok) throw new Error(given.error.message);
  const { decision } = given;
  const state = providerState(env);
  const executionId = mint("auth");
  await state.reserve({
    executionId,
    attempt: 1,
    provider: "claude",
    orderId: null,
    costUsd: 0,
    units: 0,
    maxOrderUsd: null,
  });
  await state.settle({
    executionId,
    attempt: 1,
    provider: "claude",
    class: "auth",
    retryAfterMs: null,
    usage: null,
    costUsd: 0,
  });

  expect(await assignProvider(context(), { taskId, preferredProvider: "claude" }, outside)).toMatchObject({
    ok: false,
    error: { code: "PROVIDER_UNAVAILABLE", message: /until its key changes/ },
  });
  const reserves = (provider: ProviderName) =>
    state.reserve({
      executionId: mint("walk"),
      attempt: 1,
      provider,
      orderId: null,
      costUsd: 0,
      units: 0,
      maxOrderUsd: null,
    });
  expect(decision.chain.map(({ provider }) => provider)).toContain("claude");
  for (const { provider } of decision.chain)
    expect((await reserves(provider)).ok, provider).toBe(provider !== "claude");

  const corrected = context(keyed(KEYS, "another-key"));
  expect(await assignProvider(corrected, { taskId, preferredProvider: "claude" }, outside)).toMatchObject({ ok: true });
  expect(await reserves("claude")).toEqual({ ok: true });
});

test("a probe's answer is the provider's health; without a key or a driver that is what it says", async () => {
  const asked: string[] = [];
  const drivers = {
    cli: {
      probe: (_: ServiceContext, { name }: { name: string }, apiKey: string) => {
        asked.push(`${name} with ${apiKey}`);
        return Promise.resolve({ state: "ok" as const, class: null, message: "2.1.329" });
      },
    },
    jules: { probe: () => Promise.reject(new Error("no route to host")) },
  };
  const probe = (provider: ProviderName, own = keyed()) => probeProvider(context(own), { provider }, drivers);
  expect(await probe("cursor")).toMatchObject({ status: { health: { state: "ok", message: "2.1.329" } } });
  expect(asked).toEqual(["cursor with a-key"]);
  expect(await probe("cursor", env)).toMatchObject({
    status: { health: { state: "failing", message: "CURSOR_API_KEY is not set" } },
  });
  expect(await probe("jules")).toMatchObject({
    status: { health: { state: "failing", message: "it could not be reached" } },
  });
  expect(await probe("workers-ai")).toMatchObject({ status: { health: { state: "unknown" } } });
});

test("those who may have a task are listed best first, by measured outcomes", async () => {
  const { taskId } = await aTask();
  const at = new Date().toISOString();
  await env.DB_OPS.batch(
    (["claude", "codex", "gemini", "cursor"] as const).flatMap((provider) =>
      Array.from({ length: 30 }, (_, attempt) =>
        env.DB_OPS.prepare(
          `INSERT INTO ai_router_outcomes (execution_id, attempt, task_type, language, provider_name, model, class, batch_id, reward, weight, at, stale)
           VALUES (?, ?, 'fix', 'typescript', ?, ?, 'applied', '', ?, 1, ?, 0)`,
        ).bind(
          `seen-${provider}`,
          attempt + 1,
          provider,
          provider === "cursor" ? "auto" : "another",
          provider === "cursor" ? 1 : 0,
          at,
        ),
      ),
    ),
  );
  const listed = await listAvailableProviders(context(), { taskId }, outside);
  if (!listed.ok) throw new Error(listed.error.message);
  expect(listed.providers.map(({ provider }) => provider.name)[0]).toBe("cursor");
  const [best] = listed.providers;
  expect(best?.success.fix).toMatchObject({ outcomes: expect.closeTo(30, 0) });
  expect(best?.success.fix?.low).toBeGreaterThan(0.8);
  const all = await listProviders(context());
  expect(all.ok && all.providers.length).toBe(8);
});

test("the doors answer as documented", async () => {
  const listed = z
    .object({ providers: z.array(ProviderStatusSchema) })
    .parse(await (await call("/api/ai/providers")).json());
  expect(listed.providers).toHaveLength(8);
  const withKey = listed.providers.filter(({ keyPresent }) => keyPresent).map(({ provider }) => provider.name);
  expect(withKey.toSorted()).toEqual(["claude", "codex", "gemini"]);
  expect(listed.providers.every(({ keyPresent, available }) => keyPresent || !available)).toBe(true);
  const one = await call("/api/ai/providers/claude");
  expect(z.object({ status: ProviderStatusSchema }).parse(await one.json()).status.provider.name).toBe("claude");
  expect((await problemOf(await call("/api/ai/providers/nobody"))).code).toBe("NOT_FOUND");
  const configured = await call("/api/ai/providers/claude/config", { method: "PUT", body: { enabled: false } });
  expect(configured.status).toBe(200);
  for (const api_endpoint of ["http://evil.test/", "http://localhost.evil.test/", "file:///etc/passwd"]) {
    const refused = await call("/api/ai/providers/claude/config", { method: "PUT", body: { api_endpoint } });
    expect((await problemOf(refused)).code).toBe("VALIDATION_FAILED");
  }
  expect((await call("/api/ai/providers/claude/probe", { method: "POST" })).status).toBe(200);
  const { taskId } = await aTask();
  expect((await problemOf(await call(`/api/ai/assign/explain?task_id=${taskId}`))).code).toBe("NOT_FOUND");
  const given = await assignProvider(context(), { taskId }, outside);
  if (!given.ok) throw new Error(given.error.message);
  const explained = z
    .object({ assignment: AssignmentSchema, decision: DecisionSchema })
    .parse(await (await call(`/api/ai/assign/explain?task_id=${taskId}`)).json());
  expect(explained.decision).toEqual(given.decision);
});
