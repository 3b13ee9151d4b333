import type { AttemptClass, Decision, ProviderName } from "@shared/contracts";
import { DIFF, type Line, PROMPT, RUN } from "./runTexts.ts";
import type { OpsStore } from "./store.ts";

const NOW = Date.now();
const minutesAgo = (minutes: number): string => new Date(NOW - minutes * 60_000).toISOString();

const MODELS: Record<ProviderName, string> = {
  jules: "jules",
  codex: "gpt-5.2-codex",
  gemini: "gemini-3-pro",
  claude: "claude-sonnet-4-6",
  cursor: "composer-2",
  copilot: "gpt-5.2",
  "workers-ai": "@cf/qwen/qwen3-coder-480b",
  "ai-gateway": "anthropic/claude-haiku-4-6",
};

export const DECISION: Decision = {
  task_uuid: "ORD-QUEUE.2" as Decision["task_uuid"],
  provider: "codex",
  model: MODELS.codex,
  chain: [
    { provider: "claude", model: MODELS.claude },
    { provider: "gemini", model: MODELS.gemini },
  ],
  by: "score",
  seed: "ORD-QUEUE.2:7f3a91c04d",
  inputs: {
    type: "fix",
    language: "typescript",
    priority: "high",
    cost_profile: "balanced",
    preferredModel: null,
    preferred: null,
    repository: "acme/queue-service",
    branch: "factory/ORD-QUEUE",
    branchOnGithub: false,
  },
  candidates: [
    candidate("codex", 0.841, [
      ["success", 0.78, "of 41 fixes in TypeScript 33 stood; the mean of its posterior"],
      ["exploration", 0.061, "what the draw says beyond the mean"],
      ["cost", -0.042, "$0.21 a run at a balanced profile"],
      ["priority", 0.02, "fast: the median run takes 3 min"],
    ]),
    candidate("claude", 0.802, [
      ["success", 0.81, "of 18 fixes in TypeScript 15 stood; the mean of its posterior"],
      ["exploration", -0.008, "what the draw says beyond the mean"],
      ["cost", -0.071, "$0.36 a run at a balanced profile"],
      ["priority", 0, "the median run takes 5 min"],
    ]),
    candidate("gemini", 0.664, [
      ["success", 0.69, "of 12 fixes in TypeScript 8 stood; the mean of its posterior"],
      ["exploration", -0.026, "what the draw says beyond the mean"],
      ["cost", -0.018, "$0.09 a run at a balanced profile"],
      ["priority", 0, "the median run takes 4 min"],
    ]),
    refused("jules", "branch-on-github", "factory/ORD-QUEUE is not a branch of acme/queue-service on GitHub"),
    refused("cursor", "key", "CURSOR_API_KEY is not set"),
    refused("copilot", "breaker", "open since 09:12: quota used up, for 3 more hours"),
    refused("workers-ai", "budget", "$5.00 of $5.00 are spent today"),
  ],
  decided_at: minutesAgo(42),
};

function candidate(
  provider: ProviderName,
  sample: number,
  parts: [name: string, value: number, why: string][],
): Decision["candidates"][number] {
  return {
    provider,
    model: MODELS[provider],
    refused: [],
    sample,
    parts: parts.map(([name, value, why]) => ({ name, value, why })),
    score: parts.reduce((sum, [, value]) => sum + value, 0),
  };
}
function refused(provider: ProviderName, rule: string, why: string): Decision["candidates"][number] {
  return { provider, model: MODELS[provider], refused: [{ rule, why }], sample: null, parts: [], score: null };
}

interface Made {
  id: string;
  provider: ProviderName;
  status: string;
  ended?: AttemptClass;
  task?: string;
  ago?: number;
  ms?: number;
  cost?: number | null;
  more?: Record<string, unknown>;
  attempts?: { provider: ProviderName; ended: AttemptClass | null; message?: string; more?: Record<string, unknown> }[];
}

/** An execution and its attempts, as its Workflow would leave them. */
export function writeExecution(
  store: OpsStore,
  { id, provider, status, ended, task = "ORD-QUEUE.2", ago = 30, ms = 184_000, cost = 0.21, more = {}, attempts }: Made,
): void {
  const over = !["queued", "running", "waiting"].includes(status);
  const tries = attempts ?? (status === "queued" ? [] : [{ provider, ended: ended ?? null }]);
  store.insert("ai_provider_executions", {
    execution_id: id,
    provider_name: provider,
    model: MODELS[provider],
    task_uuid: task,
    order_id: task.split(".")[0],
    workspace_id: `order:${task.split(".")[0]}`,
    status,
    class: ended ?? null,
    attempts: tries.length,
    input: { prompt: PROMPT, limits: { timeoutMs: 1_800_000, processes: 256 }, base: "4f1d2c9" },
    input_tokens: status === "queued" ? null : 48_211,
    output_tokens: status === "queued" ? null : 3_904,
    cost_usd: status === "queued" ? null : cost,
    duration_ms: over ? ms : null,
    created_by: "token:7d0c",
    created_at: minutesAgo(ago),
    started_at: status === "queued" ? null : minutesAgo(ago - 0.05),
    finished_at: over ? new Date(NOW - ago * 60_000 + ms).toISOString() : null,
    ...more,
  });
  store.insert(
    "ai_provider_attempts",
    ...tries.map((each, index) => ({
      execution_id: id,
      attempt: index + 1,
      provider_name: each.provider,
      model: MODELS[each.provider],
      status: each.ended === null ? "running" : "ended",
      class: each.ended,
      message: each.message ?? null,
      base_commit: "4f1d2c9b7e",
      cli_version: "0.169.0",
      input_tokens: 24_100,
      output_tokens: 1_950,
      cached_tokens: 18_000,
      cost_usd: cost === null ? null : cost / tries.length,
      duration_ms: each.ended === null ? null : Math.round(ms / tries.length),
      started_at: minutesAgo(ago - index),
      finished_at: each.ended === null ? null : minutesAgo(ago - index - 0.9),
      ...each.more,
    })),
  );
}

/** What an attempt said, numbered from `from`. */
export function writeOutput(store: OpsStore, id: string, attempt: number, lines: readonly Line[], from = 1): void {
  store.insert(
    "ai_execution_output",
    ...lines.map(([type, body], index) => ({
      execution_id: id,
      attempt,
      seq: from + index,
      ts: minutesAgo(10),
      type,
      body: { seq: from + index, ts: minutesAgo(10), type, ...body },
    })),
  );
}

/** Runs of every kind of ending, one of them live, one with all that can be shown of it. */
export function writeExecutions(store: OpsStore): void {
  writeExecution(store, {
    id: "E-FELLBACK",
    provider: "claude",
    status: "completed",
    ended: "applied",
    ago: 42,
    cost: 0.57,
    attempts: [
      { provider: "codex", ended: "rate-limited", message: "The service asked to be left alone for 40 s." },
      {
        provider: "gemini",
        ended: "gate-refused",
        message: "The types gate refused its batch.",
        more: {
          error: {
            code: "TYPE_ERROR",
            message: "Expected 2 arguments, but got 1.",
            retryable: false,
            nothingWritten: true,
            file: "src/queue/worker.ts",
          },
        },
      },
      { provider: "claude", ended: "applied", message: "2 files changed, applied and validated." },
    ],
    more: {
      patch_data: DIFF,
      batch_id: "E-FELLBACK.3",
      output: "delayOf is bounded at a minute and random in its upper half; worker.ts hands it a source of randomness.",
    },
  });
  for (const attempt of [1, 2, 3]) writeOutput(store, "E-FELLBACK", attempt, RUN);
  store.insert("ai_provider_assignments", {
    id: 9_001,
    task_uuid: "ORD-QUEUE.2",
    provider_name: "codex",
    provider_type: "cli",
    status: "completed",
    execution_id: "E-FELLBACK",
    order_id: "ORD-QUEUE",
    decision: DECISION,
  });
  writeExecution(store, { id: "E-RUNNING", provider: "codex", status: "running", ago: 2, cost: null });
  writeOutput(store, "E-RUNNING", 1, RUN.slice(0, 8));
  writeExecution(store, { id: "E-QUEUED", provider: "gemini", status: "queued", task: "ORD-QUEUE.3", ago: 1 });
  writeExecution(store, {
    id: "E-RACE",
    provider: "claude",
    status: "completed",
    ended: "applied",
    task: "ORD-QUEUE.1",
    ago: 95,
    cost: 0.83,
    attempts: [
      { provider: "codex", ended: "lost-race", message: "Another was first." },
      { provider: "gemini", ended: "empty-diff", message: "It ended well and changed nothing." },
      { provider: "claude", ended: "applied" },
    ],
    more: { race: ["codex", "gemini", "claude"], patch_data: DIFF, batch_id: "E-RACE.3" },
  });
  const endings: [ProviderName, string, AttemptClass, number | null][] = [
    ["gemini", "failed", "gate-refused", 0.09],
    ["copilot", "failed", "quota", 0],
    ["codex", "completed", "applied", 0.18],
    ["claude", "timed_out", "timeout", 1.92],
    ["codex", "cancelled", "cancelled", 0.004],
    ["workers-ai", "failed", "import-refused", 0.0021],
    ["claude", "completed", "applied", 0.41],
    ["codex", "failed", "validation-failed", 0.33],
    ["ai-gateway", "completed", "applied", 0.03],
    ["gemini", "failed", "key-printed", 0.05],
  ];
  endings.forEach(([provider, status, ended, cost], index) =>
    writeExecution(store, {
      id: `E-ENDED-${String(index + 1).padStart(2, "0")}`,
      provider,
      status,
      ended,
      cost,
      task: `ORD-QUEUE.${(index % 5) + 1}`,
      ago: 120 + index * 47,
      ms: 40_000 + index * 71_000,
      ...(status === "failed"
        ? {
            more: {
              error: {
                code: ended === "gate-refused" ? "GUARDED_REGION" : "CHECK_FAILED",
                message: "The block between @guard START billing and @guard END billing may not be changed.",
                retryable: false,
                nothingWritten: true,
                file: "src/billing/invoice.ts",
              },
            },
          }
        : {}),
    }),
  );
}

export function writeDeadLetters(store: OpsStore): void {
  const letter = (id: string, ago: number, message: unknown, more: Record<string, unknown> = {}) =>
    store.insert("ai_dead_letters", {
      id,
      queue: "ai-provider-tasks",
      message: JSON.stringify(message),
      attempts: 6,
      status: "dead",
      created_at: minutesAgo(ago),
      ...more,
    });
  const task = (execution: string, provider: ProviderName) => ({
    task_id: "ORD-QUEUE.4",
    provider,
    factory: "agent-factory",
    execution_id: execution,
  });
  letter("9d3b7c1e4f5a4c0c8f1e-letter-1", 14, task("E-LOST-1", "codex"), {
    execution_id: "E-LOST-1",
    reason: "no consumer could start it",
  });
  letter(
    "1b22f0aa3c9d4e7a9b0d-letter-2",
    190,
    { order: 17, what: "something else altogether" },
    {
      reason: "not a message of this queue",
    },
  );
  letter("77ab01c2d3e4f5061728-letter-3", 1_500, task("E-LOST-3", "gemini"), {
    execution_id: "E-LOST-3",
    reason: "no consumer could start it",
    status: "redriven",
    redriven_at: minutesAgo(1_400),
  });
}

export function writeRequests(store: OpsStore): void {
  const ask = (id: string, ago: number, row: Record<string, unknown>) =>
    store.insert("hil_requests", {
      id,
      kind: "clarification",
      order_id: "ORD-QUEUE",
      task_uuid: "ORD-QUEUE.5",
      workspace_id: "order:ORD-QUEUE",
      created_at: minutesAgo(ago),
      expires_at: minutesAgo(ago - 1_440),
      options: [],
      ...row,
    });
  ask("E-ASKS.1.q1", 6, {
    question:
      "The task says to keep the wire format, and the type of `retryAfter` has to change from seconds to milliseconds.\n\nWhich of the two holds?",
    execution_id: "E-ASKS",
    options: ["Keep the wire format, convert at the edge", "Change the format, and the version with it"],
  });
  ask("E-PLAN.1.plan", 55, {
    kind: "plan-approval",
    question:
      "1. Move the retry policy into src/queue/policy.ts.\n2. Give delayOf a bound and a source of randomness.\n3. Adapt the three callers.\n4. Cover the bound and the distribution with tests.",
    options: ["approve", "reject"],
    execution_id: "E-PLAN",
  });
  ask("E-STUCK.3.failed", 300, {
    kind: "failure",
    question:
      "Three providers tried and none got past the types gate: src/queue/worker.ts(88,17): Expected 2 arguments, but got 1. What should happen?",
    execution_id: "E-STUCK",
  });
  ask("E-OLD.1.q1", 2_900, {
    question: "May the test reach the network?",
    status: "answered",
    answer: "No. Use the fake server of @shared/testing.",
    answered_by: "user:mira@example.com",
    answered_at: minutesAgo(2_850),
    told_at: minutesAgo(2_850),
  });
  writeExecution(store, {
    id: "E-ASKS",
    provider: "claude",
    status: "waiting",
    task: "ORD-QUEUE.5",
    ago: 9,
    more: { hil_request_id: "E-ASKS.1.q1" },
  });
}
