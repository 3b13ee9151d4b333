import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { applyChange, type PatchSubject, processPatches } from "../../worker/services/patch-manager/patchProcessor.ts";
import { allSecrets, lacksSecret, secretOf } from "../../worker/services/secrets/secretService.ts";
import { aWorkspace, chainOf, context, linesOf, mint, value } from "./workspaceHarness.ts";

const subject = async (): Promise<PatchSubject> => ({
  batchId: mint("b"),
  workspaceId: await aWorkspace(),
  orderId: null,
  projectId: null,
  taskId: mint("TSK"),
  provider: "codex",
  model: "m",
  reason: "a task",
});
const aPatch = (fields: object = {}) => ({
  task_id: "whatever it says",
  file: "src/index.ts",
  operation: "replace-block",
  start: 3,
  end: 3,
  block: "export const v2 = 22;\n",
  metadata: { provider: "codex", model: "m", confidence: 0.9 },
  ...fields,
});
const logged = async (taskId: string) =>
  (await env.DB_LOGS.prepare("SELECT operation, meta FROM operation_logs WHERE task_id = ?").bind(taskId).all())
    .results;

describe("patches of an AI", () => {
  it("become one batch under the provider's name, logged once however often it is processed", async () => {
    // Without a task on record there is no scope to keep; here it is about the batch.
    const about = await subject();
    const patches = { kind: "udiff" as const, diff: "--- a/x\n" };
    expect(await applyChange(context(), about, patches)).toMatchObject({ class: "import-refused" });
    expect(await applyChange(context(), about, patches)).toMatchObject({ class: "import-refused" });
    expect(await logged(about.taskId)).toMatchObject([{ operation: "ai_patch.import-refused" }]);
  });

  it("of a task that is not on record are refused by its gate, with what their author is told", async () => {
    const about = await subject();
    const { processed } = value(await processPatches(context(), about, [aPatch()]));
    expect(processed).toMatchObject({ error: { nothingWritten: true } });
    expect(processed).toHaveProperty("remediation", expect.stringContaining("Do the task again"));
    expect((await linesOf(about.workspaceId))[2]).toBe("export const v2 = 2;");
    const [requested] = await chainOf(about.workspaceId);
    expect(requested).toMatchObject({ batch_id: about.batchId, task_id: about.taskId });
  });

  it("that are none are refused before anything is asked", async () => {
    const about = await subject();
    expect(await processPatches(context(), about, [aPatch({ operation: "explode" })])).toMatchObject({
      ok: false,
      error: { code: "VALIDATION_FAILED" },
    });
    const { processed } = value(await processPatches(context(), about, [aPatch({ start: undefined })]));
    expect(processed).toMatchObject({ class: "import-refused" });
  });
});

describe("secrets", () => {
  it("are a provider's by its name, and missing ones are none", () => {
    const secrets = { ENGINE_TOKEN: "e", BOOTSTRAP_TOKEN: "b", SESSION_SECRET: "s" };
    expect(secretOf({ ...secrets, GITHUB_TOKEN: "g" }, "copilot")).toBe("g");
    expect(secretOf({ ...secrets, JULES_API_KEY: "" }, "jules")).toBeNull();
    expect(lacksSecret(secrets, "jules")).toBe(true);
    expect(lacksSecret(secrets, "workers-ai")).toBe(false);
    expect(allSecrets({ ...secrets, JULES_WEBHOOK_SECRET: "w", CODEX_API_KEY: "" })).toEqual(["e", "b", "s", "w"]);
  });
});
