import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { BatchOutcomeSchema, type PatchOpsRpc, SafetySchema } from "@shared/contracts";
import { z } from "zod";
import { call, problemOf } from "../api/caller.ts";
import { aLine, apply, aWorkspace, linesOf, mint, value } from "./workspaceHarness.ts";

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
