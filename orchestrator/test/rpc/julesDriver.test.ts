import type { JulesScript } from "@shared/testing/julesControl";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { createContext, systemActor } from "../../worker/context.ts";
import type { Polled, ProviderResult, ProviderRun } from "../../worker/services/ai-providers/driver.ts";
import { importChange } from "../../worker/services/ai-providers/importChange.ts";
import { julesDriver } from "../../worker/services/ai-providers/jules/julesHandler.ts";
import { applyImported, aProvider, aRun, jules } from "./providerHarness.ts";
import { aWorkspace, linesOf } from "./workspaceHarness.ts";

const ctx = createContext(env, { actor: systemActor("test") });
const COMMIT = "a".repeat(40);
const DIFF = `diff --git a/src/index.ts b/src/index.ts
--- a/src/index.ts
+++ b/src/index.ts
@@ -3,3 +3,3 @@
 export const v2 = 2;
-export const v3 = 3;
+export const goodbye = 3;
 export const v4 = 4;
`;
const patch = (diff: string) => ({
  changeSet: { source: "s", gitPatch: { unidiffPatch: diff, baseCommitId: COMMIT } },
});
const DELIVERED = { state: "COMPLETED", outputs: [patch(DIFF)] };

async function begin(script: JulesScript, fields: Partial<ProviderRun> = {}) {
  const key = await jules.account(script);
  const run = aRun({ provider: aProvider("jules"), apiKey: key, ...fields });
  return { key, run, begun: await julesDriver.begin(ctx, run, false) };
}

/** Polls until it is over or a question is asked; the waits are not waited for. */
async function follow(run: ProviderRun, begun: { externalId: string | null; cursor: string }, most = 40) {
  let { cursor } = begun;
  const waits: number[] = [];
  for (let n = 0; n < most; n += 1) {
    const polled: Polled = await julesDriver.poll(ctx, run, { externalId: begun.externalId, cursor });
    if (polled.done) return { result: polled.result, waits, cursor };
    ({ cursor } = polled);
    waits.push(polled.waitMs);
    if (polled.question) return { question: polled.question, waits, cursor };
  }
  throw new Error(`not over after ${most} polls`);
}

async function resultOf(script: JulesScript, fields: Partial<ProviderRun> = {}): Promise<ProviderResult> {
  const { run, begun } = await begin(script, fields);
  if (begun.result) return begun.result;
  const { result } = await follow(run, begun);
  if (!result) throw new Error("it asks something");
  return result;
}

test("a task on a branch is given to the source that is listed for its repository, and its patch comes back", async () => {
  const { key, run, begun } = await begin({
    // The listing has more than one page, and writes the name its own way.
    sources: [
      { owner: "acme", repo: "other" },
      { owner: "acme", repo: "third" },
      { owner: "Acme", repo: "Shop", branches: ["main", "factory/ORD-1"] },
    ],
    steps: [{ state: "QUEUED" }, { state: "PLANNING" }, { state: "IN_PROGRESS" }, DELIVERED],
  });
  expect(begun).toMatchObject({ externalId: expect.stringMatching(/^sessions\/\d+$/), result: null });
  const { result } = await follow(run, begun);
  expect(result).toMatchObject({
    class: "change",
    change: { format: "udiff", text: DIFF, baseCommit: COMMIT },
    baseCommit: COMMIT,
  });
  const created = (await jules.requests(key)).filter(({ call }) => call === "createSession");
  expect(created).toMatchObject([
    {
      body: {
        sourceContext: { source: "sources/github/Acme/Shop", githubRepoContext: { startingBranch: "main" } },
        requirePlanApproval: false,
      },
    },
  ]);
  const [session] = await jules.sessions(key);
  expect(session).toMatchObject({ prompt: run.prompt });
  expect(session?.title).toContain(run.runId);
});

test("the patch is imported and applied in the workspace", async () => {
  const workspaceId = await aWorkspace();
  const { run, begun } = await begin({ steps: [DELIVERED] }, { workspaceId });
  const { result } = await follow(run, begun);
  const imported = await importChange(ctx, { workspaceId, change: result!.change! });
  if (!imported.ok) throw new Error(imported.error.message);
  expect(await applyImported(workspaceId, "jules", imported.patches)).toMatchObject({ ok: true });
  expect((await linesOf(workspaceId))[3]).toBe("export const goodbye = 3;");
});

describe("one run, one session", () => {
  test("begun again, it is the session there is", async () => {
    const { key, run, begun } = await begin({});
    expect(await julesDriver.begin(ctx, run, true)).toMatchObject({ externalId: begun.externalId });
    expect(await jules.sessions(key)).toHaveLength(1);
  });

  test("where the answer to its creation is lost, it is found by its title", async () => {
    const { key, begun } = await begin({ faults: [{ call: "createSession", kind: "lost" }] });
    expect(begun).toMatchObject({ externalId: expect.stringMatching(/^sessions\//), result: null });
    expect(await jules.sessions(key)).toHaveLength(1);
  });

  test("where it cannot be asked for either, nothing is known, and beginning again finds it", async () => {
    const key = await jules.account({
      faults: [
        { call: "createSession", kind: "lost" },
        { call: "listSessions", kind: "lost", after: 1 },
      ],
    });
    const run = aRun({ provider: aProvider("jules"), apiKey: key });
    await expect(julesDriver.begin(ctx, run, false)).rejects.toThrow("Jules did not answer");
    const again = await julesDriver.begin(ctx, run, true);
    const sessions = await jules.sessions(key);
    expect(sessions.map(({ name }) => name)).toEqual([again.externalId]);
  });

  test("runs of other attempts and other tasks have sessions of their own", async () => {
    const { key, run } = await begin({});
    await julesDriver.begin(ctx, { ...run, attempt: 2, runId: `${run.executionId}.2` }, false);
    await julesDriver.begin(ctx, { ...run, attempt: 12, runId: `${run.executionId}.12` }, false);
    expect(await jules.sessions(key)).toHaveLength(3);
  });
});

describe("what people decide", () => {
  const PLAN = {
    state: "AWAITING_PLAN_APPROVAL",
    activities: [
      { planGenerated: { plan: { id: "p1", steps: [{ title: "Rename it", description: "in one place" }] } } },
    ],
  };

  test("a plan that is to be approved is a question, asked once; approved, Jules goes on", async () => {
    const script = { steps: [{ state: "PLANNING" }, PLAN, { state: "IN_PROGRESS" }, DELIVERED] };
    const { key, run, begun } = await begin(script, { approvePlan: true });
    expect((await jules.sessions(key))[0]).toMatchObject({ requirePlanApproval: true });
    const { question, cursor } = await follow(run, begun);
    expect(question).toEqual({ kind: "plan-approval", text: "1. Rename it: in one place" });
    const meanwhile = await julesDriver.poll(ctx, run, { externalId: begun.externalId, cursor });
    expect(meanwhile).toMatchObject({ done: false });
    expect(meanwhile).not.toHaveProperty("question");
    await julesDriver.answer!(ctx, run, begun.externalId, "plan-approval", "Approve");
    // Told again after a crash, it changes nothing.
    await julesDriver.answer!(ctx, run, begun.externalId, "plan-approval", "Approve");
    expect((await jules.requests(key)).filter(({ call }) => call === "approvePlan")).toHaveLength(1);
    expect((await follow(run, { ...begun, cursor })).result).toMatchObject({ class: "change" });
  });

  test("what is to be different in a plan goes to Jules as words", async () => {
    const { key, run, begun } = await begin({ steps: [PLAN, DELIVERED] }, { approvePlan: true });
    await follow(run, begun);
    await julesDriver.answer!(ctx, run, begun.externalId, "plan-approval", "No: keep the old name too.");
    expect((await jules.sessions(key))[0]?.messages).toEqual(["No: keep the old name too."]);
  });

  test("a plan nobody asked to see is approved", async () => {
    expect(await resultOf({ steps: [PLAN, DELIVERED] })).toMatchObject({ class: "change" });
  });

  test("what Jules asks is a question, and the answer reaches it once", async () => {
    const ASKS = { state: "AWAITING_USER_FEEDBACK", activities: [{ agentMessaged: { agentMessage: "Which file?" } }] };
    const { key, run, begun } = await begin({ steps: [ASKS, { state: "IN_PROGRESS" }, DELIVERED] });
    const { question, cursor } = await follow(run, begun);
    expect(question).toEqual({ kind: "clarification", text: "Which file?" });
    await julesDriver.answer!(ctx, run, begun.externalId, "clarification", "src/index.ts");
    await julesDriver.answer!(ctx, run, begun.externalId, "clarification", "src/index.ts");
    expect((await jules.sessions(key))[0]?.messages).toEqual(["src/index.ts"]);
    expect((await follow(run, { ...begun, cursor })).result).toMatchObject({ class: "change" });
  });
});

test("an answer that Jules has and has not acted on yet is not sent again, nor its question asked again", async () => {
  const ASKS = { state: "AWAITING_USER_FEEDBACK", activities: [{ agentMessaged: { agentMessage: "Which file?" } }] };
  const { key, run, begun } = await begin({ steps: [ASKS, { state: "AWAITING_USER_FEEDBACK" }, DELIVERED] });
  const { cursor } = await follow(run, begun);
  await julesDriver.answer!(ctx, run, begun.externalId, "clarification", "src/index.ts");
  await julesDriver.answer!(ctx, run, begun.externalId, "clarification", "src/index.ts");
  expect((await jules.sessions(key))[0]?.messages).toEqual(["src/index.ts"]);
  const polled = await julesDriver.poll(ctx, run, { externalId: begun.externalId, cursor });
  expect(polled).toMatchObject({ done: false });
  expect(polled).not.toHaveProperty("question");
});

describe("each ending has its class, and only a patch is a change", () => {
  const FAILED = (reason: string) => ({ state: "FAILED", activities: [{ sessionFailed: { reason } }] });
  const ENDINGS: [string, JulesScript, Partial<ProviderResult>][] = [
    ["completed without an output", { steps: [{ state: "COMPLETED" }] }, { class: "empty-diff" }],
    ["an empty patch", { steps: [{ state: "COMPLETED", outputs: [patch("\n")] }] }, { class: "empty-diff" }],
    [
      "a pull request without a patch",
      { steps: [{ state: "COMPLETED", outputs: [{ pullRequest: { url: "https://github.com/acme/shop/pull/7" } }] }] },
      { class: "empty-diff", summary: "Pull request: https://github.com/acme/shop/pull/7" },
    ],
    [
      "a pull request and its patch",
      {
        steps: [
          {
            state: "COMPLETED",
            outputs: [{ pullRequest: { url: "https://github.com/acme/shop/pull/7" } }, patch(DIFF)],
          },
        ],
      },
      { class: "change", summary: "Pull request: https://github.com/acme/shop/pull/7" },
    ],
    [
      "a patch that only an activity holds",
      {
        steps: [
          { state: "COMPLETED", activities: [{ sessionCompleted: {}, artifacts: [{ media: {} }, patch(DIFF)] }] },
        ],
      },
      { class: "change", change: { format: "udiff", text: DIFF, baseCommit: COMMIT } },
    ],
    [
      "a patch past the bound",
      { steps: [{ state: "COMPLETED", outputs: [patch(`+${"x".repeat(1_000_000)}`)] }] },
      { class: "diff-refused", change: null },
    ],
    [
      "failed, with its reason",
      { steps: [FAILED("tests do not run")] },
      { class: "agent-error", message: "Jules failed: tests do not run" },
    ],
    [
      "failed, its reason told late",
      { activitiesMissing: 1, steps: [FAILED("no disk")] },
      { class: "agent-error", message: "Jules failed: no disk" },
    ],
    ["failed without a reason", { steps: [{ state: "FAILED" }] }, { class: "agent-error" }],
    ["the day's tasks are used up", { steps: [FAILED("You have reached your daily task limit")] }, { class: "quota" }],
    [
      "a state and activities that are new to us",
      {
        steps: [
          { state: "DREAMING", activities: [{ dreamed: { of: ["sheep"] }, artifacts: [{ hologram: {} }] }] },
          DELIVERED,
        ],
      },
      { class: "change" },
    ],
    [
      "activities that are not there at first",
      { activitiesMissing: 3, steps: [{ state: "PAUSED" }, DELIVERED] },
      { class: "change" },
    ],
  ];
  test.each(ENDINGS)("%s", async (_name, script, expected) => {
    expect(await resultOf(script)).toMatchObject(expected);
  });

  const REFUSALS: [string, JulesScript["faults"], Partial<ProviderResult>][] = [
    ["401", [{ call: "listSessions", kind: 401 }], { class: "auth" }],
    ["403", [{ call: "createSession", kind: 403 }], { class: "auth" }],
    ["429", [{ call: "createSession", kind: 429 }], { class: "rate-limited", retryAfterMs: null }],
    [
      "429 with Retry-After",
      [{ call: "createSession", kind: 429, retryAfterSeconds: 90 }],
      { class: "rate-limited", retryAfterMs: 90_000 },
    ],
    [
      "429 for the day",
      [{ call: "createSession", kind: 429, message: "Daily task limit reached." }],
      { class: "quota" },
    ],
    ["500", [{ call: "createSession", kind: 500 }], { class: "provider-error" }],
    ["400", [{ call: "createSession", kind: 400 }], { class: "agent-error" }],
    ["an answer without end", [{ call: "listSources", kind: "huge" }], { class: "provider-error" }],
    ["an answer that is none", [{ call: "listSources", kind: "nonsense" }], { class: "provider-error" }],
    ["401 in the middle", [{ call: "getSession", kind: 401 }], { class: "auth" }],
    ["500 without end", [{ call: "getSession", kind: 500, times: 100 }], { class: "provider-error" }],
  ];
  test.each(REFUSALS)("%s", async (_name, faults, expected) => {
    const result = await resultOf({ ...(faults ? { faults } : {}), steps: [DELIVERED] });
    expect(result).toMatchObject({ ...expected, change: null });
  });

  test("no repository, no branch, or one that Jules is not connected to: said, and no session is made", async () => {
    for (const fields of [{ repository: null }, { branch: null }, { repository: "acme/unknown" }, { branch: "gone" }]) {
      const { key, begun } = await begin({}, fields);
      expect(begun.result).toMatchObject({ class: "agent-error", change: null });
      expect(await jules.sessions(key)).toEqual([]);
    }
  });

  test("a patch that holds the key is not handed on, and what Jules says of it is told without it", async () => {
    const telling = (diff: string) => (key: string) => ({
      steps: [
        {
          state: "COMPLETED",
          activities: [{ agentMessaged: { agentMessage: `the key is ${key}` } }],
          outputs: [patch(diff.replace("goodbye", key))],
        },
      ],
    });
    for (const [diff, expected] of [
      [DIFF, "key-printed"],
      ["", "empty-diff"],
    ] as const) {
      const key = await jules.account(telling(diff));
      const run = aRun({ provider: aProvider("jules"), apiKey: key });
      const { result } = await follow(run, await julesDriver.begin(ctx, run, false));
      expect(result).toMatchObject({ class: expected, change: null, summary: "the key is [key]" });
    }
  });
});

describe("polling", () => {
  test("waits longer while nothing is new, and not longer than a minute", async () => {
    const { run, begun } = await begin({
      steps: [...Array.from({ length: 8 }, () => ({ state: "IN_PROGRESS" })), DELIVERED],
    });
    const { waits } = await follow(run, begun);
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000, 60_000]);
  });

  test("what passes is polled through, keeping to Retry-After", async () => {
    const { run, begun } = await begin({
      steps: [DELIVERED],
      faults: [
        { call: "getSession", kind: 503 },
        { call: "getSession", kind: "lost" },
        { call: "getSession", kind: 429, retryAfterSeconds: 120 },
      ],
    });
    const { result, waits } = await follow(run, begun);
    expect(result).toMatchObject({ class: "change" });
    expect(waits).toEqual([10_000, 20_000, 120_000]);
  });
});

test("a cancelled session is told to stop, once; one that is over is left alone", async () => {
  const { key, run, begun } = await begin({ steps: [{ state: "IN_PROGRESS" }, { state: "IN_PROGRESS" }] });
  await julesDriver.cancel(ctx, run, begun.externalId);
  expect((await jules.sessions(key))[0]?.messages).toHaveLength(1);
  const over = await begin({ steps: [DELIVERED] });
  await julesDriver.cancel(ctx, over.run, over.begun.externalId);
  expect((await jules.sessions(over.key))[0]?.messages).toEqual([]);
  // Cancelled before its session was on record.
  const unknown = await begin({ steps: [{ state: "IN_PROGRESS" }] });
  await julesDriver.cancel(ctx, unknown.run, null);
  expect((await jules.sessions(unknown.key))[0]?.messages).toHaveLength(1);
});

test("a probe says what the account is connected to, or why it is of no use", async () => {
  const provider = aProvider("jules");
  expect(await julesDriver.probe(ctx, provider, await jules.account({}))).toEqual({
    state: "ok",
    class: null,
    message: "connected to 1 repository",
  });
  expect(await julesDriver.probe(ctx, provider, "no-key-of-any-account")).toMatchObject({
    state: "failing",
    class: "auth",
  });
});
