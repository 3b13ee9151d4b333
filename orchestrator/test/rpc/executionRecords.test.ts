import { beforeAll, describe, expect, it } from "vitest";
import { factoryActor } from "../../worker/context.ts";
import { getExecution } from "../../worker/services/ai-providers/getExecution.ts";
import { getExecutionOutput } from "../../worker/services/ai-providers/getExecutionOutput.ts";
import { listExecutions } from "../../worker/services/ai-providers/listExecutions.ts";
import { createOrder } from "../../worker/services/order/createOrder.ts";
import { getAgentTelemetry } from "../../worker/services/telemetry/getAgentTelemetry.ts";
import { anExecution, codeOf, contextWith, insert } from "./deskHarness.ts";
import { value } from "./workspaceHarness.ts";

const scopes = new Set(["ai:read"] as const);

beforeAll(async () => {
  value(await createOrder(contextWith(), { id: "ORD-runs", factory: "agent-factory", title: "runs" }));
});

describe("a list of executions", () => {
  it("comes page by page, each once, also where many began at the same moment", async () => {
    const ids: string[] = [];
    for (let n = 0; n < 25; n += 1) {
      const created_at = `2026-06-01T10:00:0${Math.floor(n / 9)}.000Z`;
      ids.push(
        await anExecution({ workspace_id: "w-pages", created_at, status: n % 2 === 0 ? "failed" : "completed" }),
      );
    }
    const ctx = contextWith({ actor: { scopes, workspaceId: "w-pages" } });
    const read = async (filter: object): Promise<string[]> => {
      const seen: string[] = [];
      for (let cursor: string | null = ""; cursor !== null;) {
        const page: { executions: { execution_id: string }[]; cursor: string | null } = value(
          await listExecutions(ctx, { limit: 4, ...filter, ...(cursor === "" ? {} : { cursor }) }),
        );
        seen.push(...page.executions.map(({ execution_id }) => execution_id));
        ({ cursor } = page);
      }
      return seen;
    };
    const all = await read({});
    expect(all).toHaveLength(25);
    expect(new Set(all)).toEqual(new Set(ids));
    expect((await read({ status: "failed" })).toSorted()).toEqual(ids.filter((_, n) => n % 2 === 0).toSorted());
    expect(await read({ provider: "claude" })).toEqual([]);
    expect(codeOf(await listExecutions(ctx, { status: "nonsense" }))).toBe("VALIDATION_FAILED");
  });

  it("shows a factory its own orders' alone, and it names the order", async () => {
    const mine = await anExecution({ order_id: "ORD-runs" });
    const theirs = await anExecution();
    const ctx = contextWith({ actor: factoryActor("agent-factory") });
    expect(codeOf(await listExecutions(ctx, {}))).toBe("FORBIDDEN");
    expect(value(await listExecutions(ctx, { order_id: "ORD-runs" })).executions).toMatchObject([
      { execution_id: mine },
    ]);
    expect(codeOf(await getExecution(ctx, { executionId: mine }))).toBe("ok");
    expect(codeOf(await getExecution(ctx, { executionId: theirs }))).toBe("FORBIDDEN");
    expect(codeOf(await getExecutionOutput(ctx, { executionId: theirs }))).toBe("FORBIDDEN");
    expect(codeOf(await getExecution(ctx, { executionId: "E-none" }))).toBe("EXECUTION_NOT_FOUND");
  });
});

it("an execution is answered with its attempts in order, its input, its change and its errors", async () => {
  const executionId = await anExecution({
    status: "completed",
    class: "applied",
    attempts: 2,
    input: { prompt: "do it", limits: { timeoutMs: 1_000 } },
    error: { code: "GUARDED_REGION", message: "no", retryable: false, nothingWritten: true },
    race: ["codex", "claude"],
  });
  for (const attempt of [2, 1])
    await insert("ai_provider_attempts", {
      execution_id: executionId,
      attempt,
      provider_name: attempt === 1 ? "codex" : "claude",
      status: "ended",
      class: attempt === 1 ? "empty-diff" : "applied",
      input_tokens: attempt,
      started_at: `2026-05-01T10:00:0${attempt}.000Z`,
    });
  const { execution } = value(await getExecution(contextWith(), { executionId }));
  expect(execution).toMatchObject({
    input: { prompt: "do it" },
    race: ["codex", "claude"],
    error: { code: "GUARDED_REGION" },
    decision: null,
  });
  expect(execution.attempt_list.map(({ attempt, class: ended, usage }) => [attempt, ended, usage.inputTokens])).toEqual(
    [
      [1, "empty-diff", 1],
      [2, "applied", 2],
    ],
  );
});

describe("an attempt's output", () => {
  it("is read on from any place, each event once, apart from the other attempt that speaks at the same time", async () => {
    const executionId = await anExecution({ status: "running", attempts: 2 });
    for (const attempt of [1, 2]) {
      await insert("ai_provider_attempts", {
        execution_id: executionId,
        attempt,
        provider_name: "codex",
        status: attempt === 1 ? "ended" : "running",
        started_at: "2026-05-01T10:00:00.000Z",
      });
    }
    for (let seq = 1; seq <= 30; seq += 1) {
      for (const attempt of [1, 2]) {
        await insert("ai_execution_output", {
          execution_id: executionId,
          attempt,
          seq,
          ts: "2026-05-01T10:00:00.000Z",
          type: "terminal_output",
          body: { stream: "stdout", text: `${attempt}:${seq}` },
        });
      }
    }
    const texts: string[] = [];
    let after = 0;
    for (let more = true; more;) {
      const page = value(await getExecutionOutput(contextWith(), { executionId, attempt: 1, after, limit: 7 }));
      for (const event of page.events) if (event.type === "terminal_output") texts.push(event.text);
      ({ next: after, more } = page);
      expect(page.ended).toBe(true);
    }
    expect(texts).toEqual(Array.from({ length: 30 }, (_, n) => `1:${n + 1}`));
    const last = value(await getExecutionOutput(contextWith(), { executionId, after: 28 }));
    expect(last).toMatchObject({ attempt: 2, next: 30, more: false, ended: false });
    expect(last.events.map(({ seq }) => seq)).toEqual([29, 30]);
    expect(codeOf(await getExecutionOutput(contextWith(), { executionId, attempt: 3 }))).toBe("RUN_NOT_FOUND");
    expect(codeOf(await getExecutionOutput(contextWith(), { executionId, after: -1 }))).toBe("VALIDATION_FAILED");
  });

  it("of an execution that has not begun is nothing yet", async () => {
    const executionId = await anExecution({ status: "queued" });
    expect(value(await getExecutionOutput(contextWith(), { executionId }))).toMatchObject({ events: [], ended: false });
  });
});

it("telemetry says what runs and waits with which provider, and names none that is idle", async () => {
  await anExecution({ provider_name: "jules", status: "waiting" });
  await anExecution({ provider_name: "copilot", status: "completed" });
  const { providers } = value(await getAgentTelemetry(contextWith()));
  if (!providers.available) throw new Error("there are executions");
  expect(providers.running).toContainEqual({ provider: "jules", running: 0, waiting: 1 });
  expect(providers.running.map(({ provider }) => provider)).not.toContain("copilot");
});
