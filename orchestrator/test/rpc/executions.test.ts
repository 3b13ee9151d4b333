import { type AttemptClass, NO_USAGE, type RunClass } from "@shared/contracts";
import { describe, expect, inject, it } from "vitest";
import { cancelExecution } from "../../worker/services/ai-providers/cancelExecution.ts";
import type { ProviderDriver, ProviderResult } from "../../worker/services/ai-providers/driver.ts";
import { importChange } from "../../worker/services/ai-providers/importChange.ts";
import { executeTask } from "../../worker/services/ai-providers/executeTask.ts";
import { retryExecution } from "../../worker/services/ai-providers/retryExecution.ts";
import {
  aCase,
  agentEnv,
  attemptsOf,
  changedLines,
  context,
  diffOf,
  empty,
  executionOf,
  fill,
  Journal,
  KEYS,
  lose,
  release,
  runsOf,
  silence,
} from "./executionHarness.ts";
import { chainOf, rows, value } from "./workspaceHarness.ts";

const good = (text = "export const v2 = 22;", line = 3) => ({ class: "change" as const, diff: diffOf(line, text) });
const nothing: ProviderResult = {
  class: "empty-diff",
  message: "",
  retryAfterMs: null,
  change: null,
  usage: NO_USAGE,
  summary: null,
  cliVersion: null,
  baseCommit: null,
};
const classesOf = async (made: Parameters<typeof attemptsOf>[0]) =>
  (await attemptsOf(made)).map(({ provider_name, class: how }) => [provider_name, how]);

describe("an execution", () => {
  it("applies its agent's change, settles once, and says what it cost", async () => {
    const usage = { inputTokens: 1_000_000, outputTokens: 500_000, cachedTokens: null, costUsd: null };
    const made = await aCase({ codex: [{ ...good(), usage, output: ["working\n"] }] });
    expect(await new Journal().run(made)).toBe("completed");
    expect(await changedLines(made)).toEqual(["export const v2 = 22;"]);
    expect(await executionOf(made)).toMatchObject({
      status: "completed",
      class: "applied",
      attempts: 1,
      batch_id: `${made.executionId}.1`,
      provider_name: "codex",
      input_tokens: 1_000_000,
      cost_usd: 2,
    });
    expect(await attemptsOf(made)).toMatchObject([{ attempt: 1, status: "ended", class: "applied", cost_usd: 2 }]);
    expect(await runsOf(made)).toMatchObject([{ starts: 1 }]);
    expect(made.state.settled.get(`${made.executionId}.1`)).toMatchObject([{ class: "applied", costUsd: 2 }]);
    const output = await rows("SELECT * FROM ai_execution_output WHERE execution_id = ?", made.executionId);
    expect(output.map(({ type }) => type)).toEqual(["terminal_output", "state"]);
  });

  const failing: RunClass[] = [
    "empty-diff",
    "diff-refused",
    "rate-limited",
    "quota",
    "auth",
    "provider-error",
    "agent-error",
    "output-limit",
    "disk-limit",
    "memory-limit",
    "cpu-limit",
    "process-limit",
    "key-printed",
    "not-installed",
  ];
  it.each(failing)("whose agent ends as %s ends in that class, with nothing applied", async (how) => {
    const made = await aCase({ codex: [{ class: how, retryAfterMs: 5_000 }] }, { chain: ["codex"] });
    expect(await new Journal().run(made)).toBe("failed");
    expect(await executionOf(made)).toMatchObject({ status: "failed", class: how, batch_id: null });
    expect(await classesOf(made)).toEqual([["codex", how]]);
    expect(made.state.settled.get(`${made.executionId}.1`)).toMatchObject([{ class: how, retryAfterMs: 5_000 }]);
    expect(await changedLines(made)).toEqual([]);
  });

  it("whose agent takes too long has timed out", async () => {
    const made = await aCase({ codex: [{ class: "timeout" }] }, { chain: ["codex"] });
    expect(await new Journal().run(made)).toBe("timed_out");
    expect(await executionOf(made)).toMatchObject({ status: "timed_out", class: "timeout" });
  });

  it("whose agent claims a change and has none ends as an empty diff", async () => {
    const made = await aCase({ codex: [{ class: "change", diff: "" }] }, { chain: ["codex"] });
    await new Journal().run(made);
    expect(await classesOf(made)).toEqual([["codex", "empty-diff"]]);
  });

  it("whose change holds a secret of this deployment ends as key-printed, and keeps none of it", async () => {
    const made = await aCase({ codex: [good('export const v2 = "%OTHER%";')] }, { chain: ["codex"] });
    await new Journal().run(made);
    expect(await classesOf(made)).toEqual([["codex", "key-printed"]]);
    expect(await changedLines(made)).toEqual([]);
    expect(JSON.stringify(await attemptsOf(made))).not.toContain(KEYS.CLAUDE_API_KEY);
  });

  it("hands its host agents' keys alone: what the host never needs no agent can find there", async () => {
    const made = await aCase({ codex: [good()] }, { chain: ["codex"] });
    await new Journal().run(made);
    expect(await runsOf(made)).toMatchObject([
      { apiKey: KEYS.CODEX_API_KEY, redact: [KEYS.GEMINI_API_KEY, KEYS.CLAUDE_API_KEY] },
    ]);
  });

  it("does not keep a secret that stands in its instructions", async () => {
    const made = await aCase({ codex: [good()] }, { instructions: `use ${KEYS.GEMINI_API_KEY}` });
    await new Journal().run(made);
    expect(JSON.stringify([await executionOf(made), await attemptsOf(made)])).not.toContain(KEYS.GEMINI_API_KEY);
  });

  const refused: [string, AttemptClass, string][] = [
    [
      "touches what the task does not allow",
      "gate-refused",
      diffOf(1, "# Other", "README.md").replace("export const v0 = 0;", "# Sample"),
    ],
    ["breaks the syntax", "gate-refused", diffOf(3, "export const v2 = (;")],
    ["stands on text that is not there", "patch-refused", diffOf(3, "x").replace("v2 = 2", "v2 = 1234")],
    ["is no diff", "import-refused", "Here is what I would do."],
  ];
  it.each(refused)("whose change %s is told why, at most twice, and ends as %s", async (_, how, diff) => {
    const made = await aCase({ codex: [{ class: "change", diff }] }, { chain: ["codex"] });
    const journal = new Journal();
    journal.onWait = async () => {
      await rowsRun("UPDATE hil_requests SET status = 'expired' WHERE execution_id = ?", made.executionId);
    };
    expect(await journal.run(made)).toBe("failed");
    expect(await classesOf(made)).toEqual([1, 2, 3].map(() => ["codex", how]));
    expect(await changedLines(made)).toEqual([]);
    const prompts = await rows<{ prompt: string }>(
      "SELECT input ->> '$.prompt' AS prompt FROM ai_provider_attempts WHERE execution_id = ? ORDER BY attempt",
      made.executionId,
    );
    const error = JSON.parse((await attemptsOf(made))[0]!.error!);
    expect(prompts[0]!.prompt).not.toContain(error.code);
    expect(prompts[1]!.prompt).toContain(error.code);
    expect(made.state.settled.size).toBe(3);
  });

  it("whose change was refused is corrected by what its agent is told", async () => {
    const made = await aCase({ codex: [good("export const v2 = (;"), good()] });
    expect(await new Journal().run(made)).toBe("completed");
    expect(await classesOf(made)).toEqual([
      ["codex", "gate-refused"],
      ["codex", "applied"],
    ]);
  });

  it("walks the chain and passes over who is closed", async () => {
    const made = await aCase({ codex: [{ class: "rate-limited", retryAfterMs: 60_000 }], gemini: [good()] });
    made.state.closed.set("claude", {
      ok: false,
      code: "PROVIDER_UNAVAILABLE",
      why: "its breaker is open",
      until: null,
    });
    expect(await new Journal().run(made)).toBe("completed");
    expect(await classesOf(made)).toEqual([
      ["codex", "rate-limited"],
      ["claude", "unavailable"],
      ["gemini", "applied"],
    ]);
    expect((await runsOf(made)).map(({ provider }) => provider)).toEqual(["codex", "gemini"]);
    expect(await executionOf(made)).toMatchObject({ provider_name: "gemini", attempts: 3 });
  });

  it("waits for a provider that is taken, and does not for one that is closed for long", async () => {
    const made = await aCase({ codex: [good()] }, { chain: ["codex"] });
    const taken = { ok: false as const, code: "PROVIDER_UNAVAILABLE" as const, why: "all its places are taken" };
    made.state.closed.set("codex", { ...taken, until: null });
    const journal = new Journal();
    journal.onTry = (step) => {
      if (step === "attempt 3: reserve") made.state.closed.clear();
    };
    expect(await journal.run(made)).toBe("completed");
    expect(journal.begun.filter((step) => step.startsWith("until"))).toHaveLength(2);

    const shut = await aCase({ codex: [good()] }, { chain: ["codex"] });
    shut.state.closed.set("codex", { ...taken, until: new Date(Date.now() + 7_200_000).toISOString() });
    expect(await new Journal().run(shut)).toBe("failed");
    expect(await executionOf(shut)).toMatchObject({ class: "unavailable" });
  });

  it("without budget left starts nothing", async () => {
    const made = await aCase({ codex: [good()] }, { chain: ["codex"], maxCostUsd: 0.01 });
    made.state.closed.set("codex", {
      ok: false,
      code: "BUDGET_EXCEEDED",
      why: "the order's budget is spent",
      until: null,
    });
    expect(await new Journal().run(made)).toBe("failed");
    expect(await executionOf(made)).toMatchObject({ class: "budget" });
    expect(await runsOf(made)).toEqual([]);
  });

  it("reserves within what its order may cost, which is not what it may cost itself", async () => {
    const bounded = await aCase({ codex: [good()] }, { maxCostUsd: 0.1, maxOrderUsd: 7 });
    await new Journal().run(bounded);
    expect([...bounded.state.reserved.values()]).toMatchObject([{ costUsd: 0.1, maxOrderUsd: 7 }]);
    const free = await aCase({ codex: [good()] }, { maxCostUsd: 0.1 });
    await new Journal().run(free);
    expect([...free.state.reserved.values()]).toMatchObject([{ costUsd: 0.1, maxOrderUsd: null }]);
  });

  it("asks a person when no change would do, and tries what the answer says", async () => {
    const bad = good("export const v2 = (;");
    const made = await aCase({ codex: [bad, bad, bad, good()] }, { chain: ["codex"] });
    const journal = new Journal();
    const statuses: unknown[] = [];
    journal.onWait = async () => {
      statuses.push((await executionOf(made)).status);
      await rowsRun(
        "UPDATE hil_requests SET status = 'answered', answer = 'mind the brace' WHERE execution_id = ?",
        made.executionId,
      );
    };
    expect(await journal.run(made)).toBe("completed");
    expect(statuses).toEqual(["waiting"]);
    expect(await classesOf(made)).toHaveLength(4);
    const [last] = await rows<{ input: string }>(
      "SELECT input FROM ai_provider_attempts WHERE execution_id = ? AND attempt = 4",
      made.executionId,
    );
    expect(last!.input).toContain("mind the brace");
  });

  it("whose host loses the run is tried once more under another id, and then given up", async () => {
    const made = await aCase({ codex: [{ ...good(), hold: true }, good()] }, { chain: ["codex"] });
    const journal = new Journal();
    journal.onTry = async (step) => {
      if (step === "attempt 1: look 1") await lose(`${made.executionId}.1`);
    };
    expect(await journal.run(made)).toBe("completed");
    expect(await classesOf(made)).toEqual([
      ["codex", "host-lost"],
      ["codex", "applied"],
    ]);
    expect((await runsOf(made)).map(({ starts }) => starts)).toEqual([1, 1]);
  });

  it("whose host does not answer is told so within bounds", async () => {
    const made = await aCase({ codex: [good()] }, { chain: ["codex"] });
    await silence(`${made.executionId}.`);
    expect(await new Journal().run(made)).toBe("failed");
    expect(await executionOf(made)).toMatchObject({ class: "host-lost" });
    expect(await runsOf(made)).toEqual([]);
  });

  it("whose host is full waits for a place there, and blames nobody", async () => {
    const made = await aCase({ codex: [good()] }, { chain: ["codex"] });
    await fill(`${made.executionId}.`);
    const journal = new Journal();
    journal.onTry = async (step) => {
      if (step === "attempt 3: begin 1") await empty(`${made.executionId}.`);
    };
    expect(await journal.run(made)).toBe("completed");
    expect(await classesOf(made)).toEqual([
      ["codex", "unavailable"],
      ["codex", "unavailable"],
      ["codex", "applied"],
    ]);
    expect((await runsOf(made)).map(({ runId }) => runId)).toEqual([`${made.executionId}.3`]);
    expect([...made.state.settled.values()].flat().map((settled) => settled.class)).toEqual([
      "unavailable",
      "unavailable",
      "applied",
    ]);
  });

  it("whose start was not answered finds its run and starts no other", async () => {
    const made = await aCase({ codex: [{ ...good(), lostAnswer: true }] }, { chain: ["codex"] });
    expect(await new Journal().run(made)).toBe("completed");
    expect(await runsOf(made)).toMatchObject([{ starts: 1 }]);
    expect(await attemptsOf(made)).toHaveLength(1);
  });
});

describe("a workspace with a check of its own", () => {
  const checked = { source: inject("engine").checkedSource, chain: ["codex" as const] };
  const unfit = good("export const v2 = 23;");

  it("takes back what fails it, tells the agent, and has the corrected change validated", async () => {
    const made = await aCase({ codex: [unfit, good()] }, checked);
    expect(await new Journal().run(made)).toBe("completed");
    expect(await classesOf(made)).toEqual([
      ["codex", "validation-failed"],
      ["codex", "applied"],
    ]);
    expect(await changedLines(made)).toEqual(["export const v2 = 22;"]);
    const [, second] = await rows<{ input: string }>(
      "SELECT input FROM ai_provider_attempts WHERE execution_id = ? ORDER BY attempt",
      made.executionId,
    );
    expect(second!.input).toContain("CHECK_FAILED");
    expect((await chainOf(made.workspaceId)).at(-1)).toMatchObject({ event_type: "patch_validated" });
  });

  it("that cannot be run takes the change back, and leaves its place to the next provider's", async () => {
    const made = await aCase(
      { codex: [good()], claude: [good("export const v5 = 22;", 6)] },
      { chain: ["codex", "claude"] },
    );
    const journal = new Journal();
    journal.onTry = (step) => {
      if (step === "attempt 1: validate") throw new Error("the engine did not answer, as often as it was asked");
    };
    expect(await journal.run(made)).toBe("completed");
    expect(await classesOf(made)).toEqual([
      ["codex", "patch-refused"],
      ["claude", "applied"],
    ]);
    expect(await changedLines(made)).toEqual(["export const v5 = 22;"]);
  });

  it("keeps nothing of it wherever the execution is cut", async () => {
    for (const step of ["apply", "validate", "revert", "release", "record", "settle"]) {
      const made = await aCase({ codex: [unfit, good()] }, checked);
      const journal = new Journal();
      await journal.run(made, { step: `attempt 1: ${step}`, when: "after" });
      expect(await journal.run(made), step).toBe("completed");
      expect(await changedLines(made), step).toEqual(["export const v2 = 22;"]);
    }
  });

  it("takes the next of a race where the first fails it", async () => {
    const made = await aCase({ codex: [unfit], claude: [good()] }, { ...checked, race: ["codex", "claude"] });
    expect(await new Journal().run(made)).toBe("completed");
    expect(await changedLines(made)).toEqual(["export const v2 = 22;"]);
  });
});

describe("cancelling", () => {
  it("a queued execution leaves nothing to carry out", async () => {
    const made = await aCase({ codex: [good()] });
    const { execution } = value(await cancelExecution(context(), { ...made, reason: "not wanted" }, made.parts));
    expect(execution.status).toBe("cancelled");
    expect(await new Journal().run(made)).toBeNull();
    expect(await runsOf(made)).toEqual([]);
    expect(await executionOf(made)).toMatchObject({ status: "cancelled", cancel_reason: "not wanted" });
  });

  const steps = [
    "load",
    "prepare",
    "attempt 1: reserve",
    "attempt 1: open",
    "attempt 1: begin 1",
    "attempt 1: begun",
    "attempt 1: look 1",
    "attempt 1: collect",
    "attempt 1: claim",
    "attempt 1: apply",
    "attempt 1: validate",
    "attempt 1: record",
    "attempt 1: settle",
    "complete",
  ];
  it.each(steps)("before the step %s applies nothing that stays", async (at) => {
    const made = await aCase({ codex: [good()] }, { chain: ["codex"] });
    const journal = new Journal();
    journal.onTry = async (step, attempt) => {
      if (step === at && attempt === 1) value(await cancelExecution(context(), made, made.parts));
    };
    await journal.run(made);
    expect(await executionOf(made)).toMatchObject({ status: "cancelled", batch_id: null });
    expect(await changedLines(made)).toEqual([]);
    expect((await attemptsOf(made)).every(({ status }) => status === "ended")).toBe(true);
    expect([...made.state.settled.keys()]).toEqual([...made.state.reserved.keys()]);
    expect((await runsOf(made)).every(({ state }) => state === "ended")).toBe(true);
    expect(await rows("SELECT status FROM ai_provider_assignments WHERE execution_id = ?", made.executionId)).toEqual([
      { status: "cancelled" },
    ]);
  });

  it("a run under way ends it, and one that waits for a person does not go on waiting", async () => {
    const made = await aCase({ codex: [{ ...good(), hold: true }] }, { chain: ["codex"] });
    const journal = new Journal();
    journal.onTry = async (step) => {
      if (step === "attempt 1: look 1") value(await cancelExecution(context(), made, made.parts));
    };
    await journal.run(made);
    expect(await runsOf(made)).toMatchObject([{ state: "ended", class: "cancelled" }]);

    const bad = good("export const v2 = (;");
    const waiting = await aCase({ codex: [bad] }, { chain: ["codex"] });
    const asking = new Journal();
    asking.onWait = async () => {
      value(await cancelExecution(context(), waiting, waiting.parts));
    };
    await asking.run(waiting);
    expect(await executionOf(waiting)).toMatchObject({ status: "cancelled" });
    expect(asking.begun.filter((step) => step.startsWith("wait"))).toHaveLength(1);
  });

  it("an execution that has ended is answered as it ended", async () => {
    const made = await aCase({ codex: [good()] });
    await new Journal().run(made);
    const { execution } = value(await cancelExecution(context(), made, made.parts));
    expect(execution).toMatchObject({ status: "completed", batch_id: `${made.executionId}.1` });
    expect(await changedLines(made)).toHaveLength(1);
  });
});

describe("a race", () => {
  it("applies the good one; the failing one has failed, the slow one is ended and billed as far as it went", async () => {
    const usage = { inputTokens: 1_000_000, outputTokens: 0, cachedTokens: null, costUsd: null };
    const made = await aCase(
      {
        codex: [{ ...good("export const v2 = 1;"), hold: true, usage }],
        claude: [{ class: "agent-error" }],
        gemini: [good()],
      },
      { race: ["codex", "claude", "gemini"] },
    );
    expect(await new Journal().run(made)).toBe("completed");
    expect(await changedLines(made)).toEqual(["export const v2 = 22;"]);
    expect(Object.fromEntries(await classesOf(made))).toEqual({
      codex: "lost-race",
      claude: "agent-error",
      gemini: "applied",
    });
    expect(await attemptsOf(made)).toMatchObject([{ cost_usd: 1 }, {}, {}]);
    expect(await executionOf(made)).toMatchObject({ provider_name: "gemini", batch_id: `${made.executionId}.3` });
    expect((await runsOf(made)).map(({ state }) => state)).toEqual(["ended", "ended", "ended"]);
    expect(made.state.settled.size).toBe(3);
  });

  it("of two that are good at once applies exactly one", async () => {
    const made = await aCase(
      { codex: [good("export const v2 = 1;")], claude: [good("export const v5 = 2;", 6)] },
      { race: ["codex", "claude"] },
    );
    expect(await new Journal().run(made)).toBe("completed");
    expect(await changedLines(made)).toHaveLength(1);
    expect(new Set((await classesOf(made)).map(([, how]) => how))).toEqual(new Set(["applied", "lost-race"]));
  });

  it("whose first change is refused takes the next", async () => {
    const made = await aCase(
      { codex: [good("export const v2 = (;")], claude: [{ ...good(), hold: true }] },
      { race: ["codex", "claude"] },
    );
    const journal = new Journal();
    journal.onTry = async (step) => {
      if (step === "attempt 1: record") await release(`${made.executionId}.2`);
    };
    expect(await journal.run(made)).toBe("completed");
    expect(Object.fromEntries(await classesOf(made))).toEqual({ codex: "gate-refused", claude: "applied" });
  });

  it("that nobody wins has failed", async () => {
    const made = await aCase(
      { codex: [{ class: "auth" }], claude: [{ class: "auth" }] },
      { race: ["codex", "claude"] },
    );
    expect(await new Journal().run(made)).toBe("failed");
    expect(await executionOf(made)).toMatchObject({ class: "auth" });
  });
});

describe("executing a task", () => {
  it("under one id is one execution, whatever is asked again; another task's id is refused", async () => {
    const made = await aCase({ codex: [good()] });
    const sent: unknown[] = [];
    const ctx = {
      ...context(),
      env: { ...agentEnv, AI_TASKS_QUEUE: { send: async (body: unknown) => void sent.push(body) } },
    };
    const ask = (taskId: string) => executeTask(ctx as never, { taskId, executionId: made.executionId }, made.parts);
    expect(value(await ask(made.taskId)).execution).toMatchObject({ status: "queued" });
    expect(sent).toEqual([
      { task_id: made.taskId, provider: "codex", factory: "agent-factory", execution_id: made.executionId },
    ]);
    const other = await aCase({});
    expect(await ask(other.taskId)).toMatchObject({ ok: false, error: { code: "IDEMPOTENCY_CONFLICT" } });
    await new Journal().run(made);
    expect(value(await ask(made.taskId)).execution).toMatchObject({ status: "completed" });
    expect(sent).toHaveLength(1);
  });

  it("twice at once is one execution and a CONFLICT: one assignment is one execution's", async () => {
    const made = await aCase({ codex: [{ class: "auth" }] }, { chain: ["codex"] });
    await new Journal().run(made);
    value(await made.parts.assignProvider(context(), { taskId: made.taskId }));
    // Both have found the assignment before either stores its execution.
    const met = Promise.withResolvers<void>();
    let arrived = 0;
    const { DB_OPS } = agentEnv;
    const meeting = {
      prepare: (query: string) => DB_OPS.prepare(query),
      batch: async (statements: D1PreparedStatement[]) => {
        if ((arrived += 1) === 2) met.resolve();
        await met.promise;
        return DB_OPS.batch(statements);
      },
    };
    const ctx = context();
    const env = { ...agentEnv, DB_OPS: meeting, AI_TASKS_QUEUE: { send: async () => undefined } };
    const ask = (executionId: string) =>
      executeTask({ ...ctx, env } as never, { taskId: made.taskId, executionId }, made.parts);
    const answers = await Promise.all([ask(`${made.executionId}-a`), ask(`${made.executionId}-b`)]);
    expect(answers.map((answer) => (answer.ok ? "ok" : answer.error.code)).toSorted()).toEqual(["CONFLICT", "ok"]);
    const stored = await rows<{ status: string }>(
      "SELECT status FROM ai_provider_executions WHERE task_uuid = ?",
      made.taskId,
    );
    expect(stored.map(({ status }) => status).toSorted()).toEqual(["failed", "queued"]);
  });

  it("again is a new execution from the record, also by another provider", async () => {
    const made = await aCase({ codex: [{ class: "auth" }], claude: [good()] }, { chain: ["codex"] });
    const early = await retryExecution(context(), { executionId: made.executionId }, made.parts);
    expect(early).toMatchObject({ ok: false, error: { code: "CONFLICT" } });
    await new Journal().run(made);
    const ctx = { ...context(), env: { ...agentEnv, AI_TASKS_QUEUE: { send: async () => undefined } } };
    const again = value(await retryExecution(ctx as never, { ...made, provider: "claude" }, made.parts)).execution;
    expect(again.execution_id).not.toBe(made.executionId);
    expect(await new Journal().run({ ...made, executionId: again.execution_id })).toBe("completed");
    expect(await changedLines(made)).toHaveLength(1);
  });
});

async function rowsRun(query: string, ...bindings: unknown[]): Promise<void> {
  await agentEnv.DB_OPS.prepare(query)
    .bind(...bindings)
    .run();
}

describe("a provider that asks", () => {
  /** A driver whose run asks for its plan to be approved, and then waits for what it is told. */
  const asking = (said: string[]): ProviderDriver => ({
    begin: async () => ({ externalId: "sessions/1", cursor: "0", result: null }),
    poll: async () =>
      said.includes("approve")
        ? { done: true, result: { ...nothing, class: "change", change: { format: "udiff", text: good().diff } } }
        : { done: false, cursor: "1", waitMs: 1_000, question: { kind: "plan-approval", text: "Shall I?" } },
    answer: async (_ctx, _run, externalId, kind, text) => void said.push(`${externalId} ${kind}`, text),
    cancel: async () => void said.push("cancelled"),
    probeIsFree: true,
    probe: async () => ({ state: "ok", class: null, message: "" }),
  });
  const answered = async (answer: string | null) => {
    const said: string[] = [];
    const made = await aCase({}, { chain: ["codex"] });
    made.parts = { ...made.parts, driverOf: () => asking(said) };
    const journal = new Journal();
    journal.onWait = () =>
      rowsRun(
        "UPDATE hil_requests SET status = ?1, answer = ?2 WHERE execution_id = ?3",
        answer === null ? "expired" : "answered",
        answer,
        made.executionId,
      );
    await journal.run(made);
    return { said, execution: await executionOf(made), made };
  };

  it("is told the answer and goes on", async () => {
    const { said, execution } = await answered("approve");
    expect(said).toEqual(["sessions/1 plan-approval", "approve"]);
    expect(execution).toMatchObject({ status: "completed", class: "applied" });
  });

  it("has its own time left however long the answer took", async () => {
    const said: string[] = [];
    const made = await aCase({}, { chain: ["codex"] });
    let looks = 0;
    const driver = asking(said);
    made.parts = {
      ...made.parts,
      driverOf: () => ({
        ...driver,
        // It works on for a while after the answer.
        poll: async (...input) =>
          said.includes("approve") && (looks += 1) < 3
            ? { done: false, cursor: "1", waitMs: 1_000 }
            : driver.poll(...input),
      }),
    };
    let now = Date.now();
    const journal = new Journal();
    journal.onWait = async () => {
      now += 10 * 3_600_000;
      await rowsRun(
        "UPDATE hil_requests SET status = 'answered', answer = 'approve' WHERE execution_id = ?",
        made.executionId,
      );
    };
    expect(
      await journal.run(
        made,
        null,
        context(() => new Date(now)),
      ),
    ).toBe("completed");
    expect(said).not.toContain("cancelled");
  });

  it("of a race, and was not first, waits for no answer: the execution ends, and its question is withdrawn", async () => {
    const said: string[] = [];
    const made = await aCase({ claude: [good()] }, { race: ["codex", "claude"] });
    const { parts } = made;
    const isAsked = Promise.withResolvers<void>();
    made.parts = {
      ...made.parts,
      driverOf: (provider) => (provider.name === "codex" ? asking(said) : parts.driverOf(provider)),
    };
    const isWon = Promise.withResolvers<void>();
    const journal = new Journal();
    journal.onTry = async (step) => {
      if (step === "attempt 2: claim") await isAsked.promise;
      if (step === "attempt 2: settle") isWon.resolve();
    };
    journal.onWait = async () => {
      isAsked.resolve();
      await isWon.promise;
    };
    expect(await journal.run(made)).toBe("completed");
    expect(Object.fromEntries(await classesOf(made))).toEqual({ codex: "lost-race", claude: "applied" });
    expect(journal.begun.filter((step) => step.startsWith("wait"))).toHaveLength(1);
    expect(said).toEqual(["cancelled"]);
    expect(await rows("SELECT status FROM hil_requests WHERE execution_id = ?", made.executionId)).toEqual([
      { status: "cancelled" },
    ]);
  });

  it("is ended where its plan is rejected, and where nobody answers", async () => {
    const rejected = await answered("reject");
    expect(rejected.said).toEqual(["cancelled"]);
    expect(rejected.execution).toMatchObject({ status: "cancelled" });
    const silent = await answered(null);
    expect(silent.said).toEqual(["cancelled"]);
    expect(silent.execution).toMatchObject({ status: "timed_out", class: "timeout" });
  });

  it("and never ends is ended when its time is over", async () => {
    const said: string[] = [];
    const made = await aCase({}, { chain: ["codex"] });
    const endless: ProviderDriver = {
      ...asking(said),
      poll: async () => ({ done: false, cursor: "1", waitMs: 60_000 }),
    };
    made.parts = { ...made.parts, driverOf: () => endless };
    let now = Date.now();
    const ctx = context(() => new Date((now += 120_000)));
    expect(await new Journal().run(made, null, ctx)).toBe("timed_out");
    expect(said).toEqual(["cancelled"]);
    expect(await changedLines(made)).toEqual([]);
  });

  it("a change in another form is imported once, and applied as it was read", async () => {
    const made = await aCase({}, { chain: ["codex"] });
    let imports = 0;
    made.parts = {
      ...made.parts,
      driverOf: () => ({
        ...asking([]),
        begin: async () => ({
          externalId: null,
          cursor: "0",
          result: { ...nothing, class: "change", change: { format: "search-replace", text: "as a model says it" } },
        }),
      }),
      importChange: async () => {
        imports += 1;
        const block = `export const v2 = 2${imports};\n`;
        return { ok: true, patches: [{ op: "replace-block", file: "src/index.ts", start: 3, end: 3, block }] };
      },
    };
    const journal = new Journal();
    for (const step of ["attempt 1: import", "attempt 1: apply"]) await journal.run(made, { step, when: "after" });
    expect(await journal.run(made)).toBe("completed");
    // Read again after the first cut, whose answer was lost; then what was read is what was applied.
    expect(await changedLines(made)).toEqual(["export const v2 = 22;"]);
    expect(imports).toBe(2);
    expect(await executionOf(made)).toMatchObject({ class: "applied" });
  });

  it("a diff of a branch elsewhere is placed where its lines stand now", async () => {
    const made = await aCase({}, { chain: ["workers-ai"] });
    // As of a commit in which the file had five lines more before this one.
    const diff = good().diff.replace(
      /@@ -(\d+)(,\d+)? \+(\d+)/,
      (_, from, count = "", to) => `@@ -${+from + 5}${count} +${+to + 5}`,
    );
    expect(diff).not.toBe(good().diff);
    const result: ProviderResult = { ...nothing, class: "change", change: { format: "udiff", text: diff } };
    const { parts } = made;
    made.parts = {
      ...parts,
      importChange,
      definitionOf: async (ctx) => {
        const definition = await parts.definitionOf(ctx, "codex");
        return definition && { ...definition, name: "workers-ai" };
      },
      driverOf: () => ({ ...asking([]), begin: async () => ({ externalId: null, cursor: "0", result }) }),
    };
    expect(await new Journal().run(made)).toBe("completed");
    expect(await changedLines(made)).toEqual(["export const v2 = 22;"]);
  });
});
