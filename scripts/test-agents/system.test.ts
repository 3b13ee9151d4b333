import { readdirSync, readFileSync } from "node:fs";
import { HubClient } from "@shared/client";
import { type AttemptClass, DeliveryReportSchema } from "@shared/contracts";
import {
  ANSWER_USAGE,
  type GithubServer,
  type JulesScript,
  type JulesServer,
  type ModelServer,
  type ScriptStep,
  startGithubServer,
  startJulesServer,
  startModelServer,
} from "@shared/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askEverything, filesWithKeys, keysIn } from "./canary.ts";
import { type Behaviour, Scripts } from "./Scripts.ts";
import { KEYS, type Stack, startStack } from "./stack.ts";
import { AFTER, BEFORE, good, outOfScope, PROVIDERS, type Tested } from "./tasks.ts";
import {
  available,
  type Detail,
  detailOf,
  ended,
  eventsOf,
  execute,
  expectFallback,
  fileOf,
  orderOf,
  placeOrder,
  taskOf,
  until,
  value,
} from "./work.ts";

/** The whole path, as `npm start` starts it: task, queue, Workflow, host, the real CLI, diff, gates, patch events. */

/** Long enough to be seen, short enough to be waited for. */
const RETRY_AFTER_SECONDS = 8;
/** These keep to themselves what the service said of it: they are left alone for as long as one that says nothing. */
const KEEPS_RETRY_AFTER: ReadonlySet<Tested> = new Set(["codex", "copilot"]);
const UNTOLD_SECONDS = 30;
/** What a program makes of an answer with nothing in it: some end well, some say that it is an error. */
const EMPTY: Record<Tested, { class: AttemptClass; message: RegExp }> = {
  codex: { class: "empty-diff", message: /changed nothing/ },
  claude: { class: "empty-diff", message: /changed nothing/ },
  gemini: { class: "agent-error", message: /empty response/ },
  copilot: { class: "agent-error", message: /No response was returned/ },
  "ai-gateway": { class: "empty-diff", message: /answered nothing/ },
};
let stack: Stack;
let model: ModelServer;
let jules: JulesServer;
let github: GithubServer;
let scripts: Scripts;
let hub: HubClient;
const told: string[] = [];

beforeAll(async () => {
  [model, jules, github] = await Promise.all([startModelServer(), startJulesServer(), startGithubServer()]);
  await github.run({ action: "addRepository", repository: "acme/shop", files: { "src/a.ts": `${BEFORE}\n` } });
  const { token = "" } = await github.run({ action: "addToken", repositories: ["acme/shop"] });
  stack = await startStack({
    GITHUB_TOKEN: token,
    GITHUB_API_URL: github.url,
    GITHUB_GIT_URL: github.url,
    GITHUB_REPOSITORIES: "acme/shop",
  });
  scripts = new Scripts(model);
  for (const { provider } of PROVIDERS) {
    const api_endpoint = provider === "ai-gateway" ? `${model.url}/v1` : model.url;
    value(await stack.client.ai.providers.configure(provider, { api_endpoint }));
  }
  value(await stack.client.ai.providers.configure("jules", { api_endpoint: jules.url }));
  hub = new HubClient({
    url: stack.url,
    token: stack.token,
    onMessage: (message) => void told.push(JSON.stringify(message)),
    onReset: () => undefined,
  });
});

afterAll(async () => {
  hub?.close();
  await stack?.end();
  stack?.remove();
  await Promise.all([model, jules, github].map((server) => server?.stop()));
});

/** An order whose task `provider` does as told, and every other provider well. */
async function ordered(name: string, provider: Tested, behaviour: Behaviour): Promise<void> {
  await placeOrder(stack, name);
  for (const one of PROVIDERS) scripts.set(taskOf(name), one.provider, good(one.provider));
  scripts.set(taskOf(name), provider, behaviour);
}

/** An order whose task one provider fails at; how it went on. */
async function failsAt(name: string, provider: Tested, step: ScriptStep): Promise<Detail> {
  await ordered(name, provider, { always: step });
  return execute(stack, name, provider);
}

describe("a task that a provider does", () => {
  test.concurrent.each(PROVIDERS)("$provider: applied, validated, and all of it on record", async (tested) => {
    const { provider, version } = tested;
    const name = `${provider}-good`;
    await ordered(name, provider, good(provider));
    const detail = await execute(stack, name, provider);
    const said = JSON.stringify(detail.attempt_list);
    expect(detail, said).toMatchObject({
      status: "completed",
      class: "applied",
      provider_name: provider,
      batch_id: `E-${name}.1`,
      attempts: 1,
    });
    const [attempt] = detail.attempt_list;
    expect(attempt).toMatchObject({ provider_name: provider, class: "applied", status: "ended", error: null });
    expect(attempt?.usage.inputTokens).toBeGreaterThanOrEqual(ANSWER_USAGE.input);
    expect(attempt?.usage.outputTokens).toBeGreaterThanOrEqual(ANSWER_USAGE.output);
    expect(attempt?.duration_ms).toBeGreaterThan(0);
    if (version === null) expect(attempt?.cli_version).toBeNull();
    else {
      expect(attempt?.cli_version).toContain(version);
      expect(attempt?.base_commit).toMatch(/^[0-9a-f]{40}$/);
      const { events } = value(await stack.client.ai.executions.output(detail.execution_id));
      expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(["command_executing", "command_executed"]));
    }
    expect(detail.patch_data).toContain(AFTER);
    expect(detail.input).toMatchObject({
      timeoutMs: 120_000,
      chain: expect.arrayContaining([{ provider, model: detail.model }]),
    });

    expect(await fileOf(stack, name, "src/a.ts")).toBe(`${AFTER}\n`);
    const events = await until(async () => {
      const found = await eventsOf(stack, name);
      return found.some(({ event_type }) => event_type === "patch_validated") ? found : null;
    });
    expect(events.map(({ event_type }) => event_type)).toEqual(["patch_requested", "patch_applied", "patch_validated"]);
    for (const event of events) {
      expect(event).toMatchObject({ provider, model: detail.model, requester: provider, task_id: taskOf(name) });
    }
    const { decision } = value(await stack.client.ai.explain(taskOf(name)));
    expect(decision).toMatchObject({ provider, by: "override" });

    value(await stack.client.delivery.generate({ orderId: orderOf(name) }));
    const report = await until(async () => {
      const answered = await stack.client.delivery.report(orderOf(name));
      return answered.ok ? answered.report : null;
    });
    const { costs, delivered } = DeliveryReportSchema.parse(JSON.parse(report.report_json));
    expect(delivered.providers.items).toMatchObject([{ provider, model: detail.model, patches: 1, succeeded: 1 }]);
    expect(costs.items).toMatchObject([{ provider, executions: 1, input_tokens: attempt?.usage.inputTokens }]);
    // What has no price is counted in units of its quota.
    if (provider === "copilot") expect(detail.cost_usd).toBeNull();
    else expect(detail.cost_usd).toBeGreaterThan(0);
    expect(costs.items[0]?.cost_usd).toBe(detail.cost_usd ?? 0);
  });
});

describe("a task that a provider fails", () => {
  test.concurrent.each(PROVIDERS.map(({ provider }) => ({ provider, expected: EMPTY[provider].class })))(
    "$provider is answered nothing: $expected, and the next one does it",
    async ({ provider, expected }) => {
      const detail = await failsAt(`${provider}-empty`, provider, { kind: "empty" });
      await expectFallback(stack, detail, provider, [expected]);
      expect(detail.attempt_list[0]?.message).toMatch(EMPTY[provider].message);
    },
  );

  test.concurrent.each(PROVIDERS)(
    "$provider leaves the task's scope: gate-refused, told why, twice more, then the next one does it",
    async ({ provider }) => {
      const name = `${provider}-scope`;
      await ordered(name, provider, outOfScope(provider));
      const detail = await execute(stack, name, provider);
      await expectFallback(stack, detail, provider, ["gate-refused", "gate-refused", "gate-refused"]);
      for (const { error, batch_id } of detail.attempt_list.slice(0, 3)) {
        expect({ code: error?.code, batch_id }).toEqual({ code: "TASK_SCOPE_VIOLATION", batch_id: null });
      }
      expect(await fileOf(stack, name, "src/b.ts")).toBe("export const two = 2;\n");
      const asked = model.requests.filter(({ body }) => JSON.stringify(body).includes(`Task ${taskOf(name)} (`));
      expect(JSON.stringify(asked.map(({ body }) => body))).toContain("TASK_SCOPE_VIOLATION");
    },
  );

  // One after the other: a breaker that opens is closed to all.
  test.each(PROVIDERS)(
    "$provider is answered 429: rate-limited, left alone for as long as it says, and the next one does it",
    async ({ provider }) => {
      const step: ScriptStep = { kind: "rate-limit", retryAfterSeconds: RETRY_AFTER_SECONDS };
      const detail = await failsAt(`${provider}-429`, provider, step);
      await expectFallback(stack, detail, provider, ["rate-limited"]);
      const { breaker } = value(await stack.client.ai.providers.get(provider)).status;
      expect(breaker.reason).toBe("rate-limited");
      const [attempt] = detail.attempt_list;
      const waits = Date.parse(breaker.until ?? "") - Date.parse(attempt?.finished_at ?? "");
      const asked = (KEEPS_RETRY_AFTER.has(provider) ? UNTOLD_SECONDS : RETRY_AFTER_SECONDS) * 1_000;
      // It may have waited for a part of it by itself.
      expect(waits).toBeGreaterThan(asked / 2);
      expect(waits).toBeLessThan(asked + 10_000);
    },
  );
});

test("a race of three: the good one is applied, the slow one stopped and billed, the failing one on record", async () => {
  const name = "race";
  const executionId = `E-${name}`;
  const race = ["codex", "gemini", "claude"] as const;
  for (const provider of race) await available(stack, provider);
  await placeOrder(stack, name);
  const attemptOf = async (provider: string) =>
    (await detailOf(stack, executionId)).attempt_list.find((attempt) => attempt.provider_name === provider);
  scripts.set(taskOf(name), "codex", { always: { kind: "slow", text: "Thinking …" } });
  scripts.set(taskOf(name), "gemini", { always: { kind: "status", status: 500 } });
  scripts.set(taskOf(name), "claude", {
    ...good("claude"),
    // Both others are under way, and one of them has failed, before the good one goes on.
    after: () =>
      Promise.all([
        model.begun(KEYS.codex.value),
        until(async () => ((await attemptOf("gemini"))?.status === "ended" ? true : null)),
      ]),
  });
  value(await stack.client.ai.execute({ taskId: taskOf(name), executionId, race: [...race], timeoutMs: 120_000 }));
  const detail = await ended(stack, executionId);
  const said = JSON.stringify(detail.attempt_list, null, 1);
  expect(detail, said).toMatchObject({ status: "completed", class: "applied", provider_name: "claude", race });
  expect(Object.fromEntries(detail.attempt_list.map((one) => [one.provider_name, one.class])), said).toEqual({
    codex: "lost-race",
    gemini: "provider-error",
    claude: "applied",
  });
  expect(detail.attempt_list.every(({ status }) => status === "ended")).toBe(true);
  // Its client has hung up on the slow answer.
  await model.left(KEYS.codex.value);
  expect(await fileOf(stack, name, "src/a.ts")).toBe(`${AFTER}\n`);
  const applied = (await eventsOf(stack, name)).filter(({ event_type }) => event_type === "patch_applied");
  expect(applied).toMatchObject([{ provider: "claude", batch_id: detail.batch_id }]);
  for (const provider of race) {
    const { running, budget } = value(await stack.client.ai.providers.get(provider)).status;
    expect({ provider, running, reserved: budget.reserved }).toEqual({ provider, running: 0, reserved: 0 });
  }
});

describe("Jules, on a branch of a local GitHub", () => {
  const DIFF = `diff --git a/src/a.ts b/src/a.ts\n--- a/src/a.ts\n+++ b/src/a.ts\n@@ -1 +1 @@\n-${BEFORE}\n+${AFTER}\n`;
  const baseCommitId = "a".repeat(40);
  const patched = (unidiffPatch: string) => ({
    changeSet: { source: "sources/github/acme/shop", gitPatch: { unidiffPatch, baseCommitId } },
  });

  beforeAll(async () => {
    value(await stack.client.projects.create({ id: "shop", name: "Shop", repository: "acme/shop", branch: "main" }));
  });

  test("jules: applied, and all of it on record", async () => {
    jules.account(KEYS.jules.value, {
      steps: [{ state: "QUEUED" }, { state: "COMPLETED", outputs: [patched(DIFF)] }],
    });
    await placeOrder(stack, "jules-good", "shop");
    const detail = await execute(stack, "jules-good", "jules");
    expect(detail, JSON.stringify(detail.attempt_list)).toMatchObject({
      status: "completed",
      class: "applied",
      provider_name: "jules",
      attempt_list: [{ external_id: expect.stringMatching(/^sessions\//), base_commit: baseCommitId }],
    });
    expect(await fileOf(stack, "jules-good", "src/a.ts")).toBe(`${AFTER}\n`);
    expect(github.seen.some(({ path }) => path.startsWith("/repos/acme/shop/branches/main"))).toBe(true);
  });

  test.each<[string, JulesScript, AttemptClass]>([
    [
      "a session that fails",
      { steps: [{ state: "FAILED", activities: [{ sessionFailed: { reason: "it does not build" } }] }] },
      "agent-error",
    ],
    ["a session without a patch", { steps: [{ state: "COMPLETED" }] }, "empty-diff"],
    ["429", { faults: [{ call: "createSession", kind: 429, retryAfterSeconds: 1 }] }, "rate-limited"],
    ["401", { faults: [{ call: "listSources", kind: 401 }] }, "auth"],
  ])("jules answers with %s, and the next one does the task", async (what, script, attemptClass) => {
    jules.account(KEYS.jules.value, script);
    const name = `jules-${what.split(" ").at(-1)}`;
    await available(stack, "jules");
    await placeOrder(stack, name, "shop");
    for (const one of PROVIDERS) scripts.set(taskOf(name), one.provider, good(one.provider));
    await expectFallback(stack, await execute(stack, name, "jules"), "jules", [attemptClass]);
  });

  test("a task without a repository is never given to it, whatever is asked for", async () => {
    await placeOrder(stack, "jules-none");
    const refused = await stack.client.ai.execute({ taskId: taskOf("jules-none"), provider: "jules" });
    expect(refused).toMatchObject({ ok: false, error: { code: "PROVIDER_NOT_SUITABLE" } });
  });
});

describe("a task whose provider's key is refused", () => {
  // The last of all: nothing but another key opens these again.
  const LAST = "codex";
  const others = PROVIDERS.filter(({ provider }) => provider !== LAST);

  test.each(others.toReversed())(
    "$provider is answered 401: auth, closed until its key changes, and the next one does it",
    async ({ provider }) => {
      const detail = await refusesKeyOf(provider);
      await expectFallback(stack, detail, provider, ["auth"]);
      // Whoever asks for it by name is told why not.
      const refused = await stack.client.ai.execute({ taskId: detail.task_uuid, provider });
      expect(refused).toMatchObject({ ok: false, error: { code: "PROVIDER_UNAVAILABLE" } });
    },
  );

  test(`${LAST} is answered 401 where all others are closed: the task fails, and says why`, async () => {
    const detail = await refusesKeyOf(LAST);
    expect(detail, JSON.stringify(detail.attempt_list)).toMatchObject({
      status: "failed",
      class: "auth",
      batch_id: null,
      error: { message: expect.stringMatching(/./) },
      attempt_list: [{ class: "auth" }],
    });
    expect(await eventsOf(stack, detail.execution_id.slice("E-".length))).toEqual([]);
  });

  async function refusesKeyOf(provider: Tested): Promise<Detail> {
    await available(stack, provider);
    const step: ScriptStep = { kind: "status", status: 401, message: "the key is not valid" };
    const detail = await failsAt(`${provider}-401`, provider, step);
    const { breaker } = value(await stack.client.ai.providers.get(provider)).status;
    expect(breaker).toMatchObject({ state: "open", reason: "auth", until: null });
    return detail;
  }
});

describe("after all of it", () => {
  test("no process and no worktree of a run is left, and nothing is held for one", async () => {
    const environments = readdirSync("/proc")
      .filter((pid) => /^\d+$/.test(pid))
      .map((pid) => read(`/proc/${pid}/environ`));
    // Every run's HOME is its own, below the host's data.
    expect(environments.filter((text) => text.includes(`HOME=${stack.data}`))).toEqual([]);
    // The host was started from an environment with all keys, and was given none.
    const hosts = environments.filter((text) => text.includes(`ENGINE_DATA=${stack.data}`));
    expect(hosts.map((text) => keysIn(text))).toEqual([[]]);
    const { files } = filesWithKeys(stack.data);
    expect(files.filter((file) => /agent-runs\/.*\/(?:tree|home)\//.test(file))).toEqual([]);
    const { providers } = value(await stack.client.ai.providers.list());
    for (const { provider, running, budget } of providers) {
      expect({ name: provider.name, running, reserved: budget.reserved }).toEqual({
        name: provider.name,
        running: 0,
        reserved: 0,
      });
    }
  });

  test("no key stands in a file of the store, a log, an answer or a message, and each was used", async () => {
    await askEverything(stack);
    expect(stack.answers.length).toBeGreaterThan(200);
    expect(stack.answers.flatMap((answer) => keysIn(answer))).toEqual([]);
    expect(told.length).toBeGreaterThan(20);
    expect(told.flatMap((message) => keysIn(message))).toEqual([]);
    // While it runs: also what stands in journals alone.
    const running = filesWithKeys(stack.data);
    expect(running.found).toEqual([]);
    for (const kind of [/\.sqlite$/, /-wal$/, /workers\.log$/, /engine\.log$/, /agent-runs\//, /log\.jsonl$/]) {
      expect(
        running.files.some((file) => kind.test(file)),
        String(kind),
      ).toBe(true);
    }
    await stack.end();
    expect(filesWithKeys(stack.data).found).toEqual([]);

    // They were at work, and this would have found them.
    expect(Object.values(KEYS).map(({ value: key }) => keysIn(`${key.slice(0, 30)} … `).length)).not.toContain(0);
    expect(jules.requests(KEYS.jules.value).length).toBeGreaterThan(0);
  });
});

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return ""; // it has ended meanwhile
  }
}
