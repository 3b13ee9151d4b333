import type { Json, JsonObject, RequestMessageType, VibeError } from "@shared/contracts";
import { batchesOf, messagesOf, orderFor, phaseOf, taskOf } from "@shared/worker-kit/testing";
import { WorkerEntrypoint } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { Factory } from "../worker/index.ts";
import { factory, orchestrator, unnamedFactory } from "./harness.ts";

const MARKED = "const tools = [\n  // ###FINAL_MILE_PROMPT__TOOLS###\n  // ###END_TOOLS###\n];\n";
const tools = { "src/tools.ts": "  clock,\n" };

const refusal = (error: Partial<VibeError> & Pick<VibeError, "code">): Json => ({
  ok: false,
  error: { message: "refused", retryable: false, nothingWritten: true, ...JSON.parse(JSON.stringify(error)) },
});

const begin = (more: Omit<Parameters<typeof orchestrator.begin>[0], "order"> & { order?: JsonObject } = {}) =>
  orchestrator.begin({ files: { "src/tools.ts": MARKED }, ...more, order: orderFor("agent-factory", more.order) });

describe("a phase that is applied", () => {
  test("is reported step by step, in order, and answered with the outcome", async () => {
    await begin();
    const result = await factory.fulfilPhase(phaseOf(tools));

    expect(result).toMatchObject({ ok: true, outcome: { status: "applied", batchId: "B-1" } });
    expect(messagesOf(await orchestrator.calls())).toEqual([
      "generation_started",
      "phase_generating",
      "phase_generated",
      "phase_implementing",
      "file_generated",
      "phase_implemented",
      "phase_validating",
      "phase_validated",
    ]);
  });

  test("reaches the orchestrator under the name its binding gives", async () => {
    await begin();
    await factory.fulfilPhase(phaseOf(tools));
    expect(new Set((await orchestrator.calls()).map(({ caller }) => caller))).toEqual(new Set(["agent-factory"]));
  });

  test("leaves a line in the operation log, under its binding's name; so does one that is refused, and no answer waits for it", async () => {
    await begin();
    await factory.fulfilPhase(phaseOf(tools));
    await expect
      .poll(() => orchestrator.lines())
      .toMatchObject([
        { caller: "agent-factory", operation: "phase.fulfil", level: "info", outcome: "applied", orderId: "ORD-1" },
      ]);
    await begin({ answers: { applyPatches: [refusal({ code: "SECRET_FOUND" })] } });
    expect(await factory.fulfilPhase(phaseOf(tools))).toMatchObject({ ok: false });
    await expect.poll(() => orchestrator.lines()).toMatchObject([{ level: "warn", outcome: "refused" }]);
    await begin({ answers: { write: [refusal({ code: "DATABASE_UNAVAILABLE" })] } });
    expect(await factory.fulfilPhase(phaseOf(tools))).toMatchObject({ ok: true });
  });

  test("carries order, workspace, phase, task and patch ids that follow from the batch's", async () => {
    await begin({ tasks: [taskOf("T-1")] });
    await factory.fulfilPhase(phaseOf(tools, { taskId: "T-1" }));
    expect(batchesOf(await orchestrator.calls())).toMatchObject([
      {
        batchId: "B-1",
        orderId: "ORD-1",
        workspaceId: "order:ORD-1",
        phase: "tools",
        requester: "agent-factory",
        patches: [{ id: "B-1.p1", op: "replace-marker", marker: "TOOLS", taskId: "T-1", openSpace: true }],
      },
    ]);
  });

  test("starts the order once, and delivers it with the last phase", async () => {
    await begin();
    await factory.fulfilPhase(phaseOf(tools));
    await factory.fulfilPhase(phaseOf({ "src/new.ts": "export {};\n" }, { batchId: "B-2", lastPhase: true }));
    const calls = await orchestrator.calls();
    expect(calls.filter(({ method }) => method === "setOrderStatus").map(({ input }) => input.status)).toEqual([
      "in_progress",
      "delivered",
    ]);
    expect(messagesOf(calls).filter((type) => type === "generation_started")).toHaveLength(1);
    expect(messagesOf(calls).at(-1)).toBe("generation_complete");
  });

  test("is not valid when the workspace's own check fails: the answer says what was written and found", async () => {
    const checks = [{ name: "check", level: "fail", ok: false, findings: [{ message: "two tools share a name" }] }];
    await begin({ answers: { validateBatch: [{ ok: true, checks, results: [] }] } });
    const result = await factory.fulfilPhase(phaseOf(tools));

    expect(result).toMatchObject({
      ok: false,
      error: { code: "CHECK_FAILED", nothingWritten: false, findings: [{ message: "two tools share a name" }] },
      outcome: { status: "applied" },
    });
    const calls = await orchestrator.calls();
    expect(messagesOf(calls).slice(-2)).toEqual(["static_analysis_results", "error"]);
    expect(calls.at(-1)).toMatchObject({ method: "setOrderStatus", input: { status: "failed" } });
  });
});

describe("a batch that is refused", () => {
  const stale = {
    op: "replace-block" as const,
    file: "src/tools.ts",
    start: 3,
    end: 3,
    block: "new\n",
    expect: { text: "old" },
  };
  const phase = { orderId: "ORD-1", phase: "fix", batchId: "B-1", patches: [stale] };

  test("is corrected once, from nothing but its error, and both attempts stay on record", async () => {
    const error = {
      code: "AMBIGUOUS_LOCATION",
      patchId: "B-1.p1",
      candidates: [
        { start: 5, end: 5 },
        { start: 40, end: 40 },
      ],
    } as const;
    await begin({ answers: { applyPatches: [refusal({ ...error, candidates: [...error.candidates] })] } });
    const result = await factory.fulfilPhase(phase);

    expect(result).toMatchObject({ ok: true, outcome: { batchId: "B-1.corrected" } });
    const calls = await orchestrator.calls();
    expect(batchesOf(calls)).toMatchObject([
      { batchId: "B-1", patches: [{ id: "B-1.p1", start: 3, end: 3 }] },
      { batchId: "B-1.corrected", patches: [{ id: "B-1.p1.corrected", start: 5, end: 5 }] },
    ]);
    expect(messagesOf(calls)).toEqual(
      expect.arrayContaining(["error", "deterministic_code_fix_started", "deterministic_code_fix_completed"]),
    );
    expect(calls.find(({ input }) => input.type === "error")?.input.data).toMatchObject({
      batchId: "B-1",
      error: { code: "AMBIGUOUS_LOCATION", candidates: [{ start: 5 }, { start: 40 }] },
    });
  });

  test("is not sent again when its error does not determine the fix", async () => {
    await begin({ answers: { applyPatches: [refusal({ code: "TASK_SCOPE_VIOLATION", patchId: "B-1.p1" })] } });
    expect(await factory.fulfilPhase(phase)).toMatchObject({ ok: false, error: { code: "TASK_SCOPE_VIOLATION" } });
    const calls = await orchestrator.calls();
    expect(batchesOf(calls)).toHaveLength(1);
    expect(calls.at(-1)).toMatchObject({ method: "setOrderStatus", input: { status: "failed" } });
  });

  test("is answered with the second refusal when the correction is refused as well", async () => {
    const moved = refusal({ code: "STALE_CONTENT", patchId: "B-1.p1", candidates: [{ start: 5, end: 5 }] });
    await begin({
      answers: { applyPatches: [moved, refusal({ code: "GUARDED_REGION", patchId: "B-1.p1.corrected" })] },
    });
    expect(await factory.fulfilPhase(phase)).toMatchObject({ ok: false, error: { code: "GUARDED_REGION" } });
    expect(batchesOf(await orchestrator.calls())).toHaveLength(2);
  });

  test("is asked for again under the same id when its outcome is in doubt", async () => {
    await begin({ answers: { applyPatches: [refusal({ code: "ENGINE_TIMEOUT", nothingWritten: null })] } });
    expect(await factory.fulfilPhase(phase)).toMatchObject({ ok: true });
    expect(batchesOf(await orchestrator.calls()).map(({ batchId }) => batchId)).toEqual(["B-1", "B-1"]);
  });
});

test("a batch still in doubt neither fails nor delivers its order", async () => {
  const hash = "0".repeat(64);
  const outcome = {
    ok: false,
    status: "pending",
    batchId: "B-1",
    workspaceId: "order:ORD-1",
    head: { seq: 0, hash },
    treeHash: null,
    checks: [],
    durationMs: 1,
    patches: [],
    files: [],
  };
  const pending = { ok: true, outcome, results: [] };
  await begin({ answers: { applyPatches: [pending, pending] } });
  const result = await factory.fulfilPhase(phaseOf(tools, { lastPhase: true }));
  expect(result).toMatchObject({ ok: true, outcome: { status: "pending" } });
  const calls = await orchestrator.calls();
  expect(calls.filter(({ method }) => method === "setOrderStatus")).toMatchObject([
    { input: { status: "in_progress" } },
  ]);
  expect(messagesOf(calls)).not.toContain("phase_implemented");
});

describe("what is refused before anything is sent", () => {
  const refused = async (input: Parameters<typeof factory.fulfilPhase>[0], code: string) => {
    expect(await factory.fulfilPhase(input)).toMatchObject({ ok: false, error: { code, nothingWritten: true } });
    expect(batchesOf(await orchestrator.calls())).toEqual([]);
  };

  test("another factory's order", async () => {
    await orchestrator.begin({ order: orderFor("ui-factory") });
    await refused(phaseOf(tools), "FORBIDDEN");
  });

  test("a cancelled order", async () => {
    await begin({ order: { status: "cancelled" } });
    await refused(phaseOf(tools), "INVALID_TRANSITION");
  });

  test("a task the order does not have", async () => {
    await begin();
    await refused(phaseOf(tools, { taskId: "T-9" }), "UNKNOWN_TASK");
  });

  test("a phase that asks for nothing", async () => {
    await begin();
    await refused({ orderId: "ORD-1", phase: "empty" }, "VALIDATION_FAILED");
  });

  test("a phase whose files all stand as generated", async () => {
    await begin({ files: { "src/tools.ts": "const tools = [];\n" } });
    await refused(phaseOf({ "src/tools.ts": "const tools = [];\n" }), "CONFLICT");
  });

  test("a phase of generated files whose batch is applied already, and its order stays as it is", async () => {
    const known = { ok: true, patch: {}, events: [{ event_type: "patch_applied" }], diff: null };
    await begin({ order: { status: "delivered" }, answers: { getPatch: [known] } });
    await refused(phaseOf(tools), "CONFLICT");
    const calls = await orchestrator.calls();
    expect(calls.map(({ method }) => method)).toEqual(["getOrder", "getPatch"]);
  });

  test("a malformed phase, with the path of what is wrong", async () => {
    await begin();
    const result = await factory.fulfilPhase({ orderId: "ORD-1", phase: "" });
    expect(result).toMatchObject({ ok: false, error: { code: "VALIDATION_FAILED", findings: [{ path: ["phase"] }] } });
  });

  test("a call over a binding that names no caller", async () => {
    await begin();
    const answer = await unnamedFactory.fulfilPhase(phaseOf(tools));
    expect(answer).toMatchObject({ ok: false, error: { code: "UNAUTHENTICATED" } });
  });
});

describe("a review", () => {
  test("becomes patches where an issue states its own fix", async () => {
    await begin();
    const review = {
      dependenciesNotMet: [],
      issuesFound: true,
      frontendIssues: [],
      backendIssues: [],
      filesToFix: [
        { filePath: "src/a.ts", issues: ["replace `var x` with `const x`", "too long"], require_code_changes: true },
        { filePath: "src/b.ts", issues: ["replace `1` with `2`"], require_code_changes: false },
      ],
      commands: [],
    };
    expect(await factory.fulfilPhase({ orderId: "ORD-1", phase: "review", review })).toMatchObject({ ok: true });
    expect(batchesOf(await orchestrator.calls())[0]?.patches).toMatchObject([
      { op: "search-replace", file: "src/a.ts", search: "var x", replace: "const x" },
    ]);
  });
});

describe("requests from a socket", () => {
  const ask = (type: RequestMessageType, payload: JsonObject = {}) =>
    factory.handleRequest({ type, orderId: "ORD-1", requestId: "R", actor: "token:t", payload });
  const phase = (batchId: string, file: string) =>
    JSON.parse(JSON.stringify(phaseOf({ [file]: "export {};\n" }, { batchId: batchId })));

  test("generate fulfils a phase", async () => {
    await begin();
    expect(await ask("generate", phase("B-1", "a.ts"))).toEqual({
      ok: true,
      data: { stopped: false, batches: ["B-1"] },
    });
  });

  test("generate_all stops between phases once the order has been stopped", async () => {
    const stopped = { ok: true, order: orderFor("agent-factory", { status: "failed" }), tasks: [] };
    const running = { ok: true, order: orderFor("agent-factory", { status: "in_progress" }), tasks: [] };
    await begin({ answers: { getOrder: [running, stopped].map((answer) => JSON.parse(JSON.stringify(answer))) } });
    expect(await ask("generate_all", { phases: [phase("B-1", "a.ts"), phase("B-2", "b.ts")] })).toEqual({
      ok: true,
      data: { stopped: true, status: "failed", batches: ["B-1"] },
    });
    expect(batchesOf(await orchestrator.calls())).toHaveLength(1);
  });

  test("stop and resume move the order and are published", async () => {
    await begin({ order: { status: "in_progress" } });
    expect(await ask("stop_generation")).toEqual({ ok: true, data: { orderId: "ORD-1", status: "failed" } });
    expect(await ask("resume_generation")).toEqual({ ok: true, data: { orderId: "ORD-1", status: "in_progress" } });
    expect(messagesOf(await orchestrator.calls())).toEqual(["generation_stopped", "generation_resumed"]);
  });

  test("get_conversation_state tells the order and its tasks", async () => {
    await begin({ tasks: [taskOf("T-1")] });
    expect(await ask("get_conversation_state")).toMatchObject({
      ok: true,
      data: { status: "received", tasks: [{ id: "T-1", status: "pending" }] },
    });
  });

  test("anything else is answered with UNKNOWN_REQUEST", async () => {
    await begin();
    expect(await ask("deploy")).toMatchObject({ ok: false, error: { code: "UNKNOWN_REQUEST" } });
  });
});

test("an error thrown inside is answered as INTERNAL and shows nothing of itself", async () => {
  await begin({ answers: { getOrder: [{ ok: true, order: null, tasks: [] }] } });
  const result = await factory.fulfilPhase(phaseOf(tools));
  expect(result).toMatchObject({ ok: false, error: { code: "INTERNAL", nothingWritten: null } });
  expect(JSON.stringify(result)).not.toMatch(/TypeError|null \(reading|\bat /);
});

test("a caller reaches a factory's two methods and nothing that they share", () => {
  // RPC reaches what stands on a class's prototypes, whatever TypeScript calls protected.
  const reachable: string[] = [];
  for (let proto = Factory.prototype; proto !== WorkerEntrypoint.prototype; proto = Object.getPrototypeOf(proto)) {
    reachable.push(...Object.getOwnPropertyNames(proto).filter((name) => name !== "constructor"));
  }
  expect(reachable.toSorted()).toEqual(["fulfilPhase", "handleRequest"]);
});
