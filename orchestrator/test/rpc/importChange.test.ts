import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { createContext, systemActor } from "../../worker/context.ts";
import type { ProviderChange } from "../../worker/services/ai-providers/driver.ts";
import { importChange } from "../../worker/services/ai-providers/importChange.ts";
import { applyImported, block } from "./providerHarness.ts";
import { aWorkspace, faults, linesOf, patchctl } from "./workspaceHarness.ts";

const ctx = createContext(env, { actor: systemActor("test") });
let workspaceId: string;
let whole: string;
beforeAll(async () => {
  workspaceId = await aWorkspace();
  whole = (await linesOf(workspaceId)).join("\n");
});

const WANTED = "export const goodbye = 3;";
const importing = (change: ProviderChange, id = workspaceId) => importChange(ctx, { workspaceId: id, change });

async function applied(change: ProviderChange) {
  const id = await aWorkspace();
  const imported = await importing(change, id);
  if (!imported.ok) throw new Error(`${imported.error.code}: ${imported.error.message}`);
  expect(await applyImported(id, "codex", imported.patches)).toMatchObject({ ok: true });
  return { id, patches: imported.patches };
}

describe("every form a provider answers in becomes the same edit", () => {
  const FORMS: [string, () => ProviderChange][] = [
    [
      "SEARCH/REPLACE",
      () => ({ format: "search-replace", text: block("src/index.ts", "export const v3 = 3;\n", `${WANTED}\n`) }),
    ],
    [
      "a unified diff",
      () => ({
        format: "udiff",
        text: `--- a/src/index.ts\n+++ b/src/index.ts\n@@ -3,3 +3,3 @@\n export const v2 = 2;\n-export const v3 = 3;\n+${WANTED}\n export const v4 = 4;\n`,
      }),
    ],
    [
      "apply_patch",
      () => ({
        format: "apply-patch",
        text: `*** Begin Patch\n*** Update File: src/index.ts\n@@\n-export const v3 = 3;\n+${WANTED}\n*** End Patch\n`,
      }),
    ],
    [
      "the whole file",
      () => ({
        format: "files",
        text: JSON.stringify({
          files: [{ path: "src/index.ts", content: whole.replace("export const v3 = 3;", WANTED) }],
        }),
      }),
    ],
  ];
  test.each(FORMS)("%s", async (_name, change) => {
    const { id, patches } = await applied(change());
    expect((await linesOf(id))[3]).toBe(WANTED);
    expect(patches).toHaveLength(1);
    // Of two hundred lines one was touched, in whatever form it came.
    const log = await patchctl(id, "log");
    expect(log.stdout).toContain(WANTED);
    expect(log.stdout).not.toContain("v150");
  });
});

test("a diff against an older state is placed where its lines stand now", async () => {
  const text = `--- a/src/index.ts\n+++ b/src/index.ts\n@@ -1,3 +1,3 @@\n export const v99 = 99;\n-export const v100 = 100;\n+${WANTED}\n export const v101 = 101;\n`;
  const { id } = await applied({ format: "udiff", text, baseCommit: "a".repeat(40) });
  expect((await linesOf(id))[100]).toBe(WANTED);
});

test("a change of several files is read with all of them; one that has no place refuses all", async () => {
  const both = `${block("src/index.ts", "export const v3 = 3;\n", `${WANTED}\n`)}\n${block("README.md", "# Sample\n", "# Example\n")}`;
  expect(await importing({ format: "search-replace", text: both })).toMatchObject({
    ok: true,
    patches: [{ file: "src/index.ts" }, { file: "README.md" }],
  });
  const lost = `${both}\n${block("src/gone.ts", "here\n", "there\n")}`;
  expect(await importing({ format: "search-replace", text: lost })).toMatchObject({ ok: false });
});

test("a change that is there already changes nothing, and says so", async () => {
  const same = block("src/index.ts", "export const v3 = 3;\n", "export const v3 = 3;\n");
  expect(await importing({ format: "search-replace", text: same })).toMatchObject({
    ok: false,
    error: { code: "IMPORT_INVALID" },
  });
});

test("a text that is of no form, ill-formed or past the bound is refused with its code", async () => {
  const refused: [string, ProviderChange][] = [
    ["IMPORT_INVALID", { format: "udiff", text: "I have changed it." }],
    ["ILL_FORMED_UNICODE", { format: "files", text: JSON.stringify({ "a.ts": "x" }).replace("x", "\ud800") }],
    ["BODY_TOO_LARGE", { format: "files", text: "x".repeat(1_000_000) }],
  ];
  for (const [code, change] of refused) expect(await importing(change)).toMatchObject({ ok: false, error: { code } });
});

test("an engine that is away is no fault of the change", async () => {
  const id = await aWorkspace();
  const gone = await faults.set("refuse", { method: "GET", path: `${id}/files` });
  const change: ProviderChange = { format: "search-replace", text: block("README.md", "# Sample\n", "# Example\n") };
  expect(await importing(change, id)).toMatchObject({
    ok: false,
    error: { code: "ENGINE_UNAVAILABLE", retryable: true },
  });
  await gone.done();
  expect(await importing(change, id)).toMatchObject({ ok: true });
});
