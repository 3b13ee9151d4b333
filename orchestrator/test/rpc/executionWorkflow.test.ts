import { introspectWorkflowInstance, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, inject, it, vi } from "vitest";
import { z } from "zod";
import type { ServiceContext } from "../../worker/context.ts";
import { queue } from "../../worker/queues.ts";
import { cancelExecution } from "../../worker/services/ai-providers/cancelExecution.ts";
import { cliAgentService } from "../../worker/services/ai-providers/cli/cliAgentService.ts";
import type { ProviderDriver } from "../../worker/services/ai-providers/driver.ts";
import { PARTS } from "../../worker/services/ai-providers/execution/parts.ts";
import { sweepExecutions } from "../../worker/services/ai-providers/sweepExecutions.ts";
import { startExecutions } from "../../worker/services/ai-providers/startExecutions.ts";
import {
  aCase,
  attemptsOf,
  type Case,
  changedLines,
  context,
  diffOf,
  executionOf,
  KEYS,
  partsWith,
  runsOf,
  State,
} from "./executionHarness.ts";
import { rows, value } from "./workspaceHarness.ts";

const agents = inject("agents");
const good = { class: "change" as const, diff: diffOf(3, "export const v2 = 22;") };
const broken = { class: "change" as const, diff: diffOf(3, "export const v2 = (;") };

/** The CLI's driver, as the Workflow finds it, with the scripted host for its engine. */
const at = (ctx: ServiceContext): ServiceContext => ({ ...ctx, env: { ...ctx.env, ENGINE_URL: agents.url } });
const driver: ProviderDriver = {
  begin: (ctx, run, isAgain) => cliAgentService.begin(at(ctx), run, isAgain),
  poll: (ctx, run, begun) => cliAgentService.poll(at(ctx), run, begun),
  cancel: (ctx, run, externalId) => cliAgentService.cancel(at(ctx), run, externalId),
  probeIsFree: true,
  probe: (ctx, provider, apiKey) => cliAgentService.probe(at(ctx), provider, apiKey),
};

let state: State;
const lines: string[] = [];
beforeEach(() => {
  state = new State();
  Object.assign(PARTS, { ...partsWith(state, ["codex"]), driverOf: () => driver });
  for (const level of ["debug", "info", "warn", "error", "log"] as const) {
    const write = console[level].bind(console);
    vi.spyOn(console, level).mockImplementation((...said: unknown[]) => {
      lines.push(said.join(" "));
      write(...said);
    });
  }
});
afterEach(() => vi.restoreAllMocks());

const message = ({ executionId, taskId }: Case) => ({
  task_id: taskId,
  provider: "codex",
  factory: "agent-factory",
  execution_id: executionId,
});
const ended = async ({ executionId }: Case): Promise<string> => {
  const over = ["complete", "errored", "terminated"];
  const instance = await env.AGENT_EXECUTION.get(executionId);
  await expect.poll(async () => over.includes((await instance.status()).status), { timeout: 60_000 }).toBe(true);
  return (await instance.status()).status;
};

describe("the queue of executions", () => {
  it("starts each execution's Workflow once, however often its message comes", async () => {
    const made = await aCase({ codex: [good] });
    await env.AI_TASKS_QUEUE.send(message(made));
    await env.AI_TASKS_QUEUE.send(message(made));
    await expect.poll(async () => (await executionOf(made)).status, { timeout: 60_000 }).toBe("completed");
    const said: string[] = [];
    const again = { body: message(made), ack: () => void said.push("ack"), retry: () => void said.push("retry") };
    await startExecutions(context(), [again, again]);
    expect(said).toEqual(["ack", "ack"]);
    expect(await ended(made)).toBe("complete");
    expect(await changedLines(made)).toHaveLength(1);
    expect(await runsOf(made)).toMatchObject([{ starts: 1 }]);
  });

  it("leaves to the dead letters what names no execution", async () => {
    const said: string[] = [];
    const bad = { body: { key: "value" }, ack: () => void said.push("ack"), retry: () => void said.push("retry") };
    await queue({ queue: "ai-provider-tasks", messages: [bad] } as never, env);
    expect(said).toEqual(["retry"]);
  });
});

describe("the Workflow of an execution", () => {
  const start = async (made: Case): Promise<void> => {
    await env.AGENT_EXECUTION.create({ id: made.executionId, params: { executionId: made.executionId } });
  };

  it("waits for a person and goes on with the answer", async () => {
    const made = await aCase({ codex: [broken, broken, broken, good] }, { chain: ["codex"] });
    await start(made);
    await expect.poll(async () => (await executionOf(made)).status, { timeout: 60_000 }).toBe("waiting");
    await env.DB_OPS.prepare(
      "UPDATE hil_requests SET status = 'answered', answer = 'mind the brace' WHERE execution_id = ?",
    )
      .bind(made.executionId)
      .run();
    await (await env.AGENT_EXECUTION.get(made.executionId)).sendEvent({ type: "hil-answer", payload: {} });
    expect(await ended(made)).toBe("complete");
    expect(await executionOf(made)).toMatchObject({ status: "completed", attempts: 4 });
  });

  it("that nobody wakes looks for itself", async () => {
    const made = await aCase({ codex: [broken, broken, broken, good] }, { chain: ["codex"] });
    const id = `${made.executionId}.failure`;
    await using instance = await introspectWorkflowInstance(env.AGENT_EXECUTION, made.executionId);
    await instance.modify(async (modifier) => {
      await modifier.forceEventTimeout({ name: `wait 1 for ${id}` });
      await modifier.forceEventTimeout({ name: `wait 2 for ${id}` });
    });
    // Answered at once, and nobody told of it.
    PARTS.createHilRequest = async (ctx, input) => {
      const asked = await made.parts.createHilRequest(ctx, input);
      await env.DB_OPS.prepare("UPDATE hil_requests SET status = 'answered', answer = 'mind it' WHERE id = ?")
        .bind(id)
        .run();
      return asked;
    };
    await start(made);
    expect(await ended(made)).toBe("complete");
    expect(await executionOf(made)).toMatchObject({ status: "completed", attempts: 4 });
  });

  it("is cancelled while it waits", async () => {
    const made = await aCase({ codex: [broken] }, { chain: ["codex"] });
    await start(made);
    await expect.poll(async () => (await executionOf(made)).status, { timeout: 60_000 }).toBe("waiting");
    value(await cancelExecution(context(), made, made.parts));
    expect(await ended(made)).toBe("complete");
    expect(await executionOf(made)).toMatchObject({ status: "cancelled" });
  });

  it("is cancelled while its agent runs, which ends", async () => {
    const made = await aCase({ codex: [{ ...good, hold: true }] });
    await start(made);
    await expect.poll(async () => (await runsOf(made)).length, { timeout: 60_000 }).toBe(1);
    value(await cancelExecution(context(), made, made.parts));
    expect(await ended(made)).toBe("complete");
    expect(await executionOf(made)).toMatchObject({ status: "cancelled", batch_id: null });
    expect(await runsOf(made)).toMatchObject([{ state: "ended", class: "cancelled" }]);
    expect(await attemptsOf(made)).toMatchObject([{ status: "ended", class: "cancelled" }]);
  });

  it("restarted when it is over changes nothing", async () => {
    const made = await aCase({ codex: [good] });
    await start(made);
    expect(await ended(made)).toBe("complete");
    const before = [await executionOf(made), await attemptsOf(made)];
    const instance = await env.AGENT_EXECUTION.get(made.executionId);
    await instance.restart();
    await expect.poll(async () => (await instance.status()).status, { timeout: 60_000 }).toBe("complete");
    expect([await executionOf(made), await attemptsOf(made)]).toEqual(before);
    expect(await runsOf(made)).toMatchObject([{ starts: 1 }]);
    expect(await changedLines(made)).toHaveLength(1);
  });

  it("that was ended from outside, or never started, is found: one is put on record, the other carried out", async () => {
    const broken = await aCase({ codex: [{ ...good, hold: true }] });
    await start(broken);
    await expect.poll(async () => (await runsOf(broken)).length, { timeout: 60_000 }).toBe(1);
    await (await env.AGENT_EXECUTION.get(broken.executionId)).terminate();
    const unsent = await aCase({ codex: [good] });
    const later = context(() => new Date(Date.now() + 600_000));
    const swept = await sweepExecutions(later, { ...broken.parts, driverOf: () => driver });
    expect(swept).toMatchObject({ failed: 1 });
    expect(await executionOf(broken)).toMatchObject({ status: "failed", class: "host-lost" });
    expect(await attemptsOf(broken)).toMatchObject([{ status: "ended", class: "host-lost" }]);
    expect(await runsOf(broken)).toMatchObject([{ state: "ended" }]);
    expect(await ended(unsent)).toBe("complete");
    expect(await executionOf(unsent)).toMatchObject({ status: "completed" });
  });

  it("one that cannot be put on record yet keeps nobody else from it, and is left for the next time", async () => {
    const stuck = await aCase({ codex: [{ ...good, hold: true }] });
    const lost = await aCase({ codex: [{ ...good, hold: true }] });
    for (const one of [stuck, lost]) {
      await start(one);
      await expect.poll(async () => (await runsOf(one)).length, { timeout: 60_000 }).toBe(1);
      await (await env.AGENT_EXECUTION.get(one.executionId)).terminate();
    }
    // It was at its batch, which cannot be taken back as long as its workspace is out of reach.
    await env.DB_OPS.prepare("UPDATE ai_provider_executions SET batch_id = ?1 WHERE execution_id = ?2")
      .bind(`${stuck.executionId}.1`, stuck.executionId)
      .run();
    const later = context(() => new Date(Date.now() + 600_000));
    const parts = { ...lost.parts, driverOf: () => driver };
    const { WORKSPACE } = later.env;
    const getByName = (name: string) => {
      if (name.includes(stuck.workspaceId)) throw new Error("its object is out of reach");
      return WORKSPACE.getByName(name);
    };
    await sweepExecutions({ ...later, env: { ...later.env, WORKSPACE: { getByName } as typeof WORKSPACE } }, parts);
    expect((await executionOf(stuck)).status).toBe("running");
    expect(await executionOf(lost)).toMatchObject({ status: "failed", class: "host-lost" });
    await sweepExecutions(later, parts);
    expect(await executionOf(stuck)).toMatchObject({ status: "failed", class: "host-lost" });
  });

  it("races, and one batch stands", async () => {
    const made = await aCase(
      { codex: [{ ...good, hold: true }], claude: [{ class: "agent-error" }], gemini: [good] },
      { race: ["codex", "claude", "gemini"] },
    );
    await start(made);
    expect(await ended(made)).toBe("complete");
    expect((await attemptsOf(made)).map(({ class: how }) => how)).toEqual(["lost-race", "agent-error", "applied"]);
    expect(await changedLines(made)).toHaveLength(1);
  });
});

describe("a provider's key", () => {
  const secrets = Object.values(KEYS);
  const expectNone = (where: string, text: string): void => {
    for (const secret of secrets) expect(text.includes(secret), `${where} holds a key`).toBe(false);
  };
  const tablesOf = async (all: (query: string) => Promise<Record<string, unknown>[]>): Promise<[string, string][]> => {
    const tables = z
      .array(z.object({ name: z.string() }))
      .parse(
        (await all("SELECT name FROM sqlite_master WHERE type = 'table'")).filter(
          ({ name }) => typeof name === "string" && !/^(_cf|sqlite)_/.test(name),
        ),
      );
    const found: [string, string][] = [];
    for (const { name } of tables) {
      // Shadow tables of a search index cannot all be read as rows; the table that they stand for can.
      if (/_(data|idx|content|docsize|config)$/.test(name)) continue;
      found.push([name, JSON.stringify(await all(`SELECT * FROM "${name}"`))]);
    }
    return found;
  };

  it("stands in no table, object, message, parameter or line, whatever its agent prints", async () => {
    const printed = { output: ["my key is %KEY%, another's %OTHER%\n"], summary: "done with %KEY%", message: "%KEY%" };
    const made = await Promise.all([
      aCase({ codex: [{ ...good, ...printed }] }, { chain: ["codex"] }),
      aCase({ claude: [{ ...good, ...printed }] }, { chain: ["claude"] }),
      aCase({ gemini: [{ class: "agent-error", ...printed }] }, { chain: ["gemini"] }),
      aCase({ codex: [{ ...printed, class: "change", diff: diffOf(3, "// %KEY%") }] }, { chain: ["codex"] }),
    ]);
    for (const one of made) await env.AI_TASKS_QUEUE.send(message(one));
    for (const one of made) {
      await expect.poll(async () => (await executionOf(one)).finished_at, { timeout: 60_000 }).not.toBeNull();
      expect(await ended(one)).toBe("complete");
      expect((await runsOf(one)).every(({ apiKey }) => secrets.some((secret) => secret === apiKey))).toBe(true);
    }
    expect(await Promise.all(made.map(async (one) => (await executionOf(one)).class))).toEqual([
      "applied",
      "applied",
      "agent-error",
      "key-printed",
    ]);
    for (const name of ["DB_OPS", "DB_LOGS", "DB_PROJECTS", "DB_CHATS"] as const) {
      const database = env[name];
      const all = async (query: string) => (await database.prepare(query).all()).results;
      for (const [table, text] of await tablesOf(all)) expectNone(`${name}.${table}`, text);
    }
    const objects = [
      ...made.map(({ workspaceId }) => env.WORKSPACE.getByName(`ws:${workspaceId}`)),
      ...made.map(({ orderId }) => env.EVENT_HUB.getByName(`order:${orderId}`)),
      env.EVENT_HUB.getByName("all"),
    ];
    for (const stub of objects) {
      await runInDurableObject(stub as never, async (_: unknown, { storage }) => {
        const all = async (query: string) => storage.sql.exec(query).toArray();
        for (const [table, text] of await tablesOf(all)) expectNone(`an object's ${table}`, text);
      });
    }
    for (const one of made) {
      expectNone("a message", JSON.stringify(message(one)));
      const instance = await env.AGENT_EXECUTION.get(one.executionId);
      expectNone("a Workflow", JSON.stringify(await instance.status()));
    }
    const output = await rows<{ body: string }>("SELECT body FROM ai_execution_output");
    expect(output.some(({ body }) => body.includes("my key is"))).toBe(true);
    expectNone("a line of the log", lines.join("\n"));
  });
});

describe("the binding of AI providers", () => {
  it("executes and cancels for the factory whose order it is, and for no other", async () => {
    const made = await aCase({ codex: [{ ...good, hold: true }] });
    const ops = exports.AIProviderOps({ props: { caller: "agent-factory" } });
    const foreign = exports.AIProviderOps({ props: { caller: "ui-factory" } });
    expect(await foreign.getExecution(made.executionId)).toMatchObject({ ok: false, error: { code: "FORBIDDEN" } });
    expect(await foreign.executeTask(made.taskId)).toMatchObject({ ok: false, error: { code: "FORBIDDEN" } });
    expect(await foreign.cancelExecution(made.executionId)).toMatchObject({ ok: false, error: { code: "FORBIDDEN" } });
    expect(await ops.getExecution(made.executionId)).toMatchObject({ ok: true, execution: { status: "queued" } });
    const cancelled = await ops.cancelExecution(made.executionId, "enough");
    expect(cancelled).toMatchObject({ ok: true, execution: { status: "cancelled" } });
  });
});
