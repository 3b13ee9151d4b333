import type { RunClass } from "@shared/contracts";
import { ANSWER_USAGE, type ScriptStep } from "@shared/testing";
import { describe, expect, test } from "vitest";
import { leftOfRuns, runToEnd, textOf } from "../../containers/factory-base/test/support/agents.ts";
import { AGENTS, agentsAndModel } from "./agents.ts";

const EDIT: ScriptStep = {
  kind: "replace",
  file: "src/a.ts",
  find: "export const one = 1;",
  replace: "export const one = 11;",
};
const DONE: ScriptStep = { kind: "text", text: "All done." };

/** What the model answers, and how the run ends. */
const FAILURES: [string, ScriptStep, RunClass][] = [
  ["429 and when to come back", { kind: "rate-limit", retryAfterSeconds: 2 }, "rate-limited"],
  ["429", { kind: "rate-limit" }, "rate-limited"],
  ["that the account has nothing left", { kind: "quota" }, "quota"],
  ["401", { kind: "status", status: 401, message: "the key is not valid" }, "auth"],
  ["500", { kind: "status", status: 500 }, "provider-error"],
  ["words alone", DONE, "empty-diff"],
];

describe.each(AGENTS)("$provider", ({ provider, model: name, version }) => {
  test("edits a file by its model's tool call: a diff, its usage, its version, and its key nowhere", async () => {
    const { host, model } = await agentsAndModel({ script: [EDIT, DONE] });
    const request = { provider, model: name, apiKey: model.apiKey, endpoint: model.url, prompt: "Make it eleven" };
    const { info, result, events } = await runToEnd(host, request);
    expect(result, textOf(events)).toMatchObject({
      class: "change",
      summary: "All done.",
      files: [{ path: "src/a.ts", linesAdded: 1, linesRemoved: 1 }],
    });
    expect(result.diff).toContain("+export const one = 11;");
    expect(info.cliVersion).toContain(version);
    expect(result.usage.inputTokens).toBeGreaterThanOrEqual(ANSWER_USAGE.input);
    expect(result.usage.outputTokens).toBeGreaterThanOrEqual(ANSWER_USAGE.output);
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(["command_executing", "command_executed", "conversation_response"]),
    );
    // What a CLI says in its protocol is understood, and shown to nobody as it is.
    expect(events.filter((event) => "text" in event && event.text.startsWith('{"'))).toEqual([]);
    const asked = model.requests.find(({ tools }) => tools.length > 0);
    expect(asked?.model).toBe(name);
    expect(JSON.stringify(asked?.body)).toContain("Make it eleven");
    for (const text of [...Object.values(await leftOfRuns(host)), textOf(events), host.stderr()]) {
      expect(text).not.toContain(model.apiKey);
    }
  });

  test("is offered the workspace's engine", async () => {
    const { host, model } = await agentsAndModel({
      script: [{ kind: "shell", command: "patchctl append --file src/a.ts --block 'export const two = 2;'" }, DONE],
    });
    const { result } = await runToEnd(host, { provider, model: name, apiKey: model.apiKey, endpoint: model.url });
    expect(result).toMatchObject({ class: "change", engineBatches: 1, files: [{ path: "src/a.ts" }] });
    expect(JSON.stringify(model.requests.map(({ body }) => body))).toMatch(/vibehq|apply_patches/);
  });

  test("gives no shell of its model the key", async () => {
    const { host, model } = await agentsAndModel({ script: [{ kind: "shell", command: "env > env.txt" }, DONE] });
    const { result } = await runToEnd(host, { provider, model: name, apiKey: model.apiKey, endpoint: model.url });
    expect(result).toMatchObject({ class: "change", files: [{ path: "env.txt" }] });
    expect(result.diff).toContain("+PATH=");
    expect(result.diff).not.toContain(model.apiKey);
  });

  test.each(FAILURES)("that is answered %s", async (_what, step, expected) => {
    const { host, model } = await agentsAndModel({ script: [step] });
    const { result, events } = await runToEnd(host, {
      provider,
      model: name,
      apiKey: model.apiKey,
      endpoint: model.url,
    });
    expect({ class: result.class, diff: result.diff }, `${result.message}\n${textOf(events)}`).toEqual({
      class: expected,
      diff: null,
    });
    expect(result.message).not.toContain(model.apiKey);
  });

  test("with a key that the service does not know", async () => {
    const { host, model } = await agentsAndModel({ script: [DONE] });
    const { result } = await runToEnd(host, { provider, model: name, apiKey: "no-such-key-0123", endpoint: model.url });
    expect(result.class, result.message).toBe("auth");
  });
});
