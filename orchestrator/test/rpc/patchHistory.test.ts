import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { BatchOutcomeSchema, type PatchOpsRpc, SafetySchema } from "@shared/contracts";
import { filesToPatches } from "@shared/worker-kit";
import { z } from "zod";
import { call, problemOf } from "../api/caller.ts";
import { aLine, apply, aWorkspace, delivered, linesOf, mint, value } from "./workspaceHarness.ts";

const patchOps = (): PatchOpsRpc =>
  (exports.PatchOps as unknown as (options: { props: object }) => PatchOpsRpc)({ props: { caller: "agent-factory" } });

/** A patch on line 3 and another after it on the same line; the first one's id. */
async function overwritten(workspaceId: string): Promise<string> {
  const id = mint("patch");
  const first = aLine(workspaceId, 3, "first");
  value(await apply({ ...first, patches: [{ ...first.patches[0]!, id }] }));
  value(await apply(aLine(workspaceId, 3, "second")));
  return id;
}

const conflict = (patchId: string) => ({
  code: "REVERT_CONFLICT",
  patchId,
  file: "src/index.ts",
  candidates: [{ start: 3, end: 3, lines: ["// second"] }],
});

describe("a revert whose lines moved on is refused with those lines", () => {
  it("by PatchOps", async () => {
    const workspaceId = await aWorkspace();
    const id = await overwritten(workspaceId);
    const refused = await patchOps().revert({ workspaceId, target: { by: "patch", id } });
    expect(refused).toMatchObject({ ok: false, error: conflict(id) });
    expect((await linesOf(workspaceId))[2]).toBe("// second");
  });

  it("by REST", async () => {
    const workspaceId = await aWorkspace();
    const id = await overwritten(workspaceId);
    const body = { workspaceId, target: { by: "patch", id } };
    const problem = await problemOf(await call("/api/patches/revert", { body }));
    expect(problem).toMatchObject({ status: 409, error: conflict(id) });
  });
});

describe("a simulated batch is answered with how safe it would be", () => {
  it("by PatchOps", async () => {
    const answer = value(await patchOps().simulatePatches(aLine(await aWorkspace(), 3, "dry")));
    expect(SafetySchema.parse(answer.outcome.safety).score).toBeGreaterThan(90);
  });

  it("by REST", async () => {
    const response = await call("/api/patches/simulate", { body: aLine(await aWorkspace(), 3, "dry") });
    expect(response.status).toBe(200);
    const { outcome } = z.object({ outcome: BatchOutcomeSchema }).parse(await response.json());
    expect(SafetySchema.parse(outcome.safety).score).toBeGreaterThan(90);
  });
});

describe("a diff of several files is a patch for each of them", () => {
  const diff = `--- a/src/index.ts
+++ b/src/index.ts
@@ -1,2 +1,2 @@
-// line 1
+// by a diff
 // line 2
--- /dev/null
+++ b/src/made.ts
@@ -0,0 +1 @@
+export {};
`;

  it("which is found, shown and reverted under the number of its file", async () => {
    const workspaceId = await aWorkspace();
    const before = await linesOf(workspaceId);
    const text = diff.replace("// line 1", before[0]!).replace("// line 2", before[1]!);
    const id = mint("diff");
    const applied = value(await apply({ workspaceId, patches: [{ op: "apply-diff", id, diff: text }] }));
    expect(applied.results.map(({ patch_id, file }) => [patch_id, file])).toEqual([
      [`${id}.1`, "src/index.ts"],
      [`${id}.2`, "src/made.ts"],
    ]);
    const ops = patchOps();
    await delivered(workspaceId);
    expect(value(await ops.getPatch({ patchId: `${id}.1` }))).toMatchObject({ patch: { file: "src/index.ts" } });
    expect(value(await ops.getPatch({ patchId: `${id}.2` })).diff).toContain("+export {};");
    expect(await ops.getPatch({ patchId: id })).toMatchObject({ ok: false, error: { code: "PATCH_NOT_FOUND" } });

    value(await ops.revert({ workspaceId, target: { by: "patch", id: `${id}.1` } }));
    expect(await linesOf(workspaceId)).toEqual(before);
    await delivered(workspaceId);
    expect(value(await ops.getPatch({ patchId: `${id}.1` })).patch.event_type).toBe("patch_reverted");
    expect(value(await ops.getPatch({ patchId: `${id}.2` })).patch.event_type).toBe("patch_applied");
    const body = { target: { by: "patch", id: `${id}.2` } };
    expect((await call("/api/patches/revert", { body })).status).toBe(200);
    expect(await linesOf(workspaceId, "src/made.ts").catch(() => "gone")).toBe("gone");
  });

  it("also where a factory's file output says it is a unified diff", async () => {
    const workspaceId = await aWorkspace();
    const before = await linesOf(workspaceId);
    const fileContents = `@@ -1 +1 @@\n-${before[0]}\n+// by a factory\n`;
    const file = { filePath: "src/index.ts", fileContents, format: "unified_diff" as const, filePurpose: "" };
    const unasked = () => Promise.reject(new Error("a diff says itself what it expects"));
    const { batch } = value(await filesToPatches({ files: [file] }, unasked, unasked));
    value(await apply({ ...batch, workspaceId }));
    expect(await linesOf(workspaceId)).toEqual(["// by a factory", ...before.slice(1)]);
  });
});
