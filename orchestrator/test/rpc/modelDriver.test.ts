import type { ScriptStep } from "@shared/testing/modelControl";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { createContext, type ServiceContext, systemActor } from "../../worker/context.ts";
import type { ProviderResult, ProviderRun } from "../../worker/services/ai-providers/driver.ts";
import { importChange } from "../../worker/services/ai-providers/importChange.ts";
import { modelDriver } from "../../worker/services/ai-providers/models/modelDriver.ts";
import { applyImported, aProvider, aRun, aTask, block, model } from "./providerHarness.ts";
import { aWorkspace, chainOf, faults, linesOf } from "./workspaceHarness.ts";

/**
 * Workers AI's binding, as far as it is spoken to: `run` goes to the model server, and what that refuses is thrown as
 * the binding throws it, with its own codes in the text.
 */
const CODES: Record<number, string> = {
  401: "5018: This account is not allowed to access this model.",
  403: "5018: This account is not allowed to access this model.",
  500: "3043: Internal server error",
};
const binding = (key: string) => ({
  run: async (name: string, inputs: object, options: { signal?: AbortSignal } = {}): Promise<unknown> => {
    const response = await fetch(`${model.url}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: name, ...inputs }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const body: unknown = await response.json();
    if (response.ok) return body;
    const { error } = z.object({ error: z.looseObject({ code: z.string().nullable() }) }).parse(body);
    if (error.code === "insufficient_quota") {
      throw new Error("AiError: 3036: You have used up your daily free allocation of 10,000 neurons");
    }
    throw new Error(`AiError: ${CODES[response.status] ?? "3040: Capacity temporarily exceeded, please try again."}`);
  },
});

interface Way {
  context: (key: string) => ServiceContext;
  run: (key: string) => Pick<ProviderRun, "provider" | "apiKey">;
}
const WAYS: Record<string, Way> = {
  "AI Gateway": {
    context: () => createContext(env, { actor: systemActor("test") }),
    run: (apiKey) => ({ provider: aProvider("ai-gateway"), apiKey }),
  },
  "Workers AI": {
    context: (key) => createContext({ ...env, AI: binding(key) } as unknown as Env, { actor: systemActor("test") }),
    run: () => ({ provider: aProvider("workers-ai", { api_endpoint: null }), apiKey: "" }),
  },
};

let workspaceId: string;
beforeAll(async () => {
  workspaceId = await aWorkspace();
});

const goodbye = block("src/index.ts", "export const v3 = 3;\n", "export const goodbye = 3;\n");

async function ask(way: Way, steps: ScriptStep[], fields: Partial<ProviderRun> = {}) {
  const key = await model.script(steps);
  const ctx = way.context(key);
  const run = aRun({ workspaceId, ...way.run(key), ...fields });
  const begun = await modelDriver.begin(ctx, run, false);
  if (!begun.result) throw new Error("a model answers at once");
  return { key, ctx, run, result: begun.result };
}
const text = (answer: string): ScriptStep => ({ kind: "text", text: answer });

describe.each(Object.entries(WAYS))("%s", (_, way) => {
  test("a change comes back as it was written, with what it cost, and nothing is applied", async () => {
    const { key, result } = await ask(way, [text(goodbye)]);
    expect(result).toMatchObject({
      class: "change",
      change: { format: "search-replace", text: goodbye },
      usage: { inputTokens: 1200, outputTokens: 34 },
    });
    expect(result.usage.costUsd).toBeCloseTo(0.0012 + 0.00034, 10);
    expect((await linesOf(workspaceId))[3]).toBe("export const v3 = 3;");
    const [request] = await model.requests(key);
    expect(JSON.stringify(request?.body)).toContain("export const v199 = 199;");
  });

  test("the change is imported, applied and taken back by its batch", async () => {
    const mine = await aWorkspace();
    const { ctx, run, result } = await ask(way, [text(goodbye)], { workspaceId: mine });
    const imported = await importChange(ctx, { ...run, change: result.change! });
    if (!imported.ok) throw new Error(imported.error.message);
    expect(await applyImported(mine, run.provider.name, imported.patches)).toMatchObject({ ok: true });
    expect((await linesOf(mine))[3]).toBe("export const goodbye = 3;");
  });

  const CLASSES: [string, ScriptStep, Partial<ProviderResult>][] = [
    ["nothing", { kind: "empty" }, { class: "empty-diff" }],
    ["NO CHANGE", text("NO CHANGE"), { class: "empty-diff" }],
    ["words alone, twice", text("I would rather not."), { class: "empty-diff" }],
    ["401", { kind: "status", status: 401 }, { class: "auth" }],
    ["403", { kind: "status", status: 403 }, { class: "auth" }],
    ["429", { kind: "rate-limit" }, { class: "rate-limited", retryAfterMs: null }],
    ["an exhausted account", { kind: "quota" }, { class: "quota" }],
    ["500", { kind: "status", status: 500 }, { class: "provider-error" }],
    ["an answer cut short", { kind: "cut", text: goodbye }, { class: "provider-error" }],
  ];
  test.each(CLASSES)("%s has its class, and no change", async (_name, step, expected) => {
    const { result } = await ask(way, [step]);
    expect(result).toMatchObject({ ...expected, change: null });
  });

  test("a model that does not answer in its time is left", async () => {
    const { key, result } = await ask(way, [{ kind: "slow", text: goodbye }], { timeoutMs: 1 });
    expect(result).toMatchObject({ class: "timeout", change: null });
    await model.release(key);
  });

  test("an answer that cannot be placed is sent back once, with the reason; both turns are paid for", async () => {
    const wrong = block("src/index.ts", "export const nowhere = 1;\n", "x\n");
    const { key, result } = await ask(way, [text(wrong), text(goodbye)]);
    expect(result).toMatchObject({ class: "change", change: { text: goodbye }, usage: { inputTokens: 2400 } });
    const [, second] = await model.requests(key);
    expect(JSON.stringify(second?.body)).toContain("could not be carried out");
  });

  test("one that is wrong twice goes on as it is, and the import refuses it", async () => {
    const wrong = block("src/index.ts", "export const nowhere = 1;\n", "x\n");
    const { ctx, run, result } = await ask(way, [text(wrong)]);
    expect(result.class).toBe("change");
    const imported = await importChange(ctx, { ...run, change: result.change! });
    expect(imported).toMatchObject({ ok: false, error: { nothingWritten: true } });
  });

  test("the service is probed with a question of its own", async () => {
    const key = await model.script([text("ready")]);
    const { provider, apiKey } = way.run(key);
    expect(await modelDriver.probe(way.context(key), provider, apiKey)).toMatchObject({ state: "ok" });
    const bad = await model.script([{ kind: "status", status: 401 }]);
    const other = way.run(bad);
    expect(await modelDriver.probe(way.context(bad), other.provider, other.apiKey)).toMatchObject({
      state: "failing",
      class: "auth",
    });
  });
});

const gateway = WAYS["AI Gateway"]!;

test("429 with Retry-After says for how long", async () => {
  const { result } = await ask(gateway, [{ kind: "rate-limit", retryAfterSeconds: 7 }]);
  expect(result).toMatchObject({ class: "rate-limited", retryAfterMs: 7_000 });
});

test("a question whose answer is not known is not asked again", async () => {
  const key = await model.script([text(goodbye)]);
  const begun = await modelDriver.begin(gateway.context(key), aRun({ workspaceId, ...gateway.run(key) }), true);
  expect(begun.result).toMatchObject({ class: "host-lost", change: null });
  expect(await model.requests(key)).toEqual([]);
});

test("where the files cannot be read nothing is asked, and that is said", async () => {
  const key = await model.script([text(goodbye)]);
  const id = await aWorkspace();
  const away = await faults.set("refuse", { method: "POST", path: `${id}/snapshot` });
  const run = aRun({ workspaceId: id, ...gateway.run(key) });
  const begun = await modelDriver.begin(gateway.context(key), run, false);
  expect(begun.result).toMatchObject({ class: "host-lost", message: expect.stringContaining("could not be read") });
  expect(await model.requests(key)).toEqual([]);
  await away.done();
});

test("an engine that is away when the answer comes does not cost the answer", async () => {
  const id = await aWorkspace();
  const other = block("README.md", "# Sample\n", "# Example\n");
  const away = await faults.set("refuse", { method: "GET", path: `${id}/files/README.md` });
  const task = aTask([{ files: "src/**" }]);
  const { result } = await ask(gateway, [text(other)], { workspaceId: id, task });
  await away.done();
  expect(result).toMatchObject({ class: "change", change: { text: other } });
});

test("no question costs more than its run may", async () => {
  const { key, result } = await ask(gateway, [text(goodbye)], { maxCostUsd: 0.000_01 });
  expect(result).toMatchObject({ class: "agent-error", change: null });
  expect(await model.requests(key)).toEqual([]);
  const affordable = await ask(gateway, [text(goodbye)], { maxCostUsd: 0.05 });
  const [request] = await model.requests(affordable.key);
  const { max_tokens: most } = z.looseObject({ max_tokens: z.number() }).parse(request?.body);
  expect(most).toBeLessThan(5_000);
});

test("a deployment without the binding, or without an address, says so", async () => {
  const ctx = createContext(env, { actor: systemActor("test") });
  const runs = [aProvider("workers-ai", { api_endpoint: null }), aProvider("ai-gateway", { api_endpoint: null })];
  for (const provider of runs) {
    const begun = await modelDriver.begin(ctx, aRun({ workspaceId, provider, apiKey: "k" }), false);
    expect(begun.result).toMatchObject({ class: "not-installed", change: null });
  }
});

test("a model is given the files its task may edit, and no others", async () => {
  const { key } = await ask(gateway, [text("NO CHANGE")], { task: aTask([{ files: "*.md" }]) });
  const [request] = await model.requests(key);
  const body = JSON.stringify(request?.body);
  expect(body).toContain("# Sample");
  expect(body).not.toContain("export const v1 ");
});

describe("hostile answers are bounded or refused, and nothing is written", () => {
  const escape = block("../../etc/passwd", "", "root\n");
  const HOSTILE: [string, string, string][] = [
    ["a path that leaves the workspace", escape, "PATH_INVALID"],
    ["an absolute path", block("/etc/passwd", "", "root\n"), "PATH_INVALID"],
    ["the engine's own directory", block(".mission_control/tasks.json", "", "{}\n"), "PATH_FORBIDDEN"],
    ["git's own directory", block(".git/config", "", "x\n"), "PATH_FORBIDDEN"],
    ["a block without an end", "src/index.ts\n<<<<<<< SEARCH\nexport const v3 = 3;\n=======\nx\n", "IMPORT_INVALID"],
    ["JSON that is cut", '{"files": [{"path": "a.ts", "content": "x', "IMPORT_INVALID"],
  ];
  test.each(HOSTILE)("%s", async (_name, answer, code) => {
    const { ctx, run, result } = await ask(gateway, [text(answer)]);
    expect(result.class).toBe("change");
    const imported = await importChange(ctx, { ...run, change: result.change! });
    expect(imported).toMatchObject({ ok: false, error: { code } });
  });

  test("an answer past the bound is refused unread", async () => {
    const { result } = await ask(gateway, [text(block("src/index.ts", "", `${"x".repeat(1_000_000)}\n`))]);
    expect(result).toMatchObject({ class: "diff-refused", change: null });
  });

  test("an endless answer is not read to its end", async () => {
    const { result } = await ask(gateway, [text("y".repeat(8_000_000))]);
    expect(result).toMatchObject({ class: "provider-error", change: null });
  });

  test("a change of many hundred files is refused", async () => {
    const answer = Array.from({ length: 400 }, (_, n) => block(`src/f${n}.ts`, "a\n", "b\n")).join("\n");
    const { ctx, run } = await ask(gateway, [text("NO CHANGE")]);
    const change = { format: "search-replace" as const, text: answer };
    expect(await importChange(ctx, { ...run, change })).toMatchObject({ ok: false });
  });

  test("an answer that tells the key has a class of its own, and is not kept", async () => {
    const key = await model.script((mine) => [text(`${goodbye}\n${mine}`)]);
    const run = aRun({ workspaceId, ...gateway.run(key) });
    const begun = await modelDriver.begin(gateway.context(key), run, false);
    expect(begun.result).toMatchObject({ class: "key-printed", change: null });
    expect(JSON.stringify(begun.result)).not.toContain(key);
  });

  test("after all of it the workspace is as it was", async () => {
    expect((await linesOf(workspaceId))[3]).toBe("export const v3 = 3;");
    expect((await chainOf(workspaceId)).length).toBe(0);
  });
});
