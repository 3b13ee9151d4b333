import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { PatchOpsRpc, Scope } from "@shared/contracts";
import { getPatch } from "../../worker/services/patch/getPatch.ts";
import { getPatchDiff } from "../../worker/services/patch/getPatchDiff.ts";
import { recordEvents } from "../../worker/services/patch/recordEvents.ts";
import { revertPatches } from "../../worker/services/patch/revertPatches.ts";
import { simulatePatches } from "../../worker/services/patch/simulatePatches.ts";
import { validateBatch } from "../../worker/services/patch/validateBatch.ts";
import { verifyChain } from "../../worker/services/patch/verifyChain.ts";
import { publish } from "../../worker/services/phase/publish.ts";
import { setOrderAlias } from "../../worker/services/workspace/setOrderAlias.ts";
import { applyPatches } from "../../worker/services/patch/applyPatches.ts";
import { resolveMarkers } from "../../worker/services/workspace/resolveMarkers.ts";
import { readFile } from "../../worker/services/workspace/readFile.ts";
import {
  aLine,
  apply,
  aWorkspace,
  chainOf,
  context,
  delivered,
  hubSeqsOf,
  linesOf,
  mint,
  object,
  rows,
  typesOf,
  value,
} from "./workspaceHarness.ts";

describe("a patch's life", () => {
  it("is read with its diff, and ends when it is reverted", async () => {
    const workspaceId = await aWorkspace();
    const before = await linesOf(workspaceId);
    const patchId = mint("patch");
    const batch = aLine(workspaceId, 3, "mine");
    value(await apply({ ...batch, patches: [{ ...batch.patches[0]!, id: patchId }] }));
    await delivered(workspaceId);
    expect(value(await getPatchDiff(context(), { patchId })).diff).toContain("+// mine");

    const reverted = value(await revertPatches(context(), { target: { by: "patch", id: patchId }, reason: "wrong" }));
    expect(reverted.results).toMatchObject([
      { patch_id: patchId, event_type: "patch_reverted", meta: { reason: "wrong" } },
    ]);
    expect(await linesOf(workspaceId)).toEqual(before);
    const { patch, events, diff } = value(await getPatch(context(), { patchId }));
    expect(patch.event_type).toBe("patch_reverted");
    expect(typesOf(events)).toEqual(["patch_requested", "patch_applied", "patch_reverted"]);
    expect(diff).toContain("+// mine");
    expect(await revertPatches(context(), { target: { by: "patch", id: patchId } })).toMatchObject({
      ok: false,
      error: { code: "ALREADY_REVERTED" },
    });
  });

  it("has a refused patch corrected under the same id: its last word counts", async () => {
    const workspaceId = await aWorkspace();
    const id = mint("patch");
    const patch = { op: "replace-block" as const, file: "src/index.ts", start: 3, end: 3, block: "// new\n", id };
    const stale = { workspaceId, patches: [{ ...patch, expect: { text: "not there" } }], requester: mint("agent") };
    expect(await apply(stale)).toMatchObject({ ok: false, error: { code: "STALE_CONTENT" } });
    value(await apply({ ...stale, patches: [patch] }));
    await delivered(workspaceId);
    expect(
      await rows(
        "SELECT patches, applied, failed FROM patch_factory_days WHERE project_id = '' AND factory = ?",
        stale.requester,
      ),
    ).toEqual([{ patches: 1, applied: 1, failed: 0 }]);
  });

  it("asks for a check of an applied batch, and of none that is not", async () => {
    const workspaceId = await aWorkspace();
    const batch = aLine(workspaceId, 3, "checked");
    value(await apply(batch));
    const recorded = await object(workspaceId).recordVerdict(workspaceId, {
      batchId: batch.batchId,
      actor: "test",
      headSeq: 1,
      checks: [{ name: "check", level: "fail", ok: false, findings: [] }],
    });
    expect(value(recorded).results).toMatchObject([{ event_type: "patch_applied", ts_check_ok: false }]);
    const passed = await object(workspaceId).recordVerdict(workspaceId, {
      batchId: batch.batchId,
      actor: "test",
      headSeq: 1,
      checks: [{ name: "check", level: "fail", ok: true, findings: [] }],
    });
    expect(value(passed).results).toMatchObject([{ event_type: "patch_validated", ts_check_ok: true }]);
    expect(await validateBatch(context(), { workspaceId, batchId: "unknown" })).toMatchObject({
      ok: false,
      error: { code: "BATCH_NOT_FOUND" },
    });
    // This workspace's policy names no check: there is no verdict to write down.
    const { records } = await object(workspaceId).events(0, 1000);
    expect(value(await validateBatch(context(), { workspaceId, batchId: batch.batchId })).results).toEqual([]);
    expect(await chainOf(workspaceId)).toEqual(records);
  });
});

describe("what an engine reports of itself", () => {
  it("is recorded once, with its entries; a gap between them is refused", async () => {
    const from = await aWorkspace();
    value(await apply(aLine(from, 1, "one")));
    value(await apply(aLine(from, 2, "two")));
    const [first, second] = await Promise.all([object(from).entry(1), object(from).entry(2)]);
    const workspaceId = mint("alone");
    const event = (entry: typeof first) => ({
      patch_id: entry!.patches[0]!.patch_id,
      file: "src/index.ts",
      op: "replace-block",
      log: { seq: entry!.seq, hash: entry!.hash, treeAfter: entry!.treeAfter },
    });
    const gap = { workspaceId, events: [event(second)], entries: [second] };
    expect(await recordEvents(context(), gap)).toMatchObject({ ok: false, error: { code: "HEAD_MISMATCH" } });
    const report = { workspaceId, events: [event(first), event(second)], entries: [first, second] };
    expect(await recordEvents(context(), report)).toEqual({ ok: true, recorded: 2, known: 0 });
    expect(await recordEvents(context(), report)).toMatchObject({ ok: true, recorded: 0 });
    expect(typesOf(await chainOf(workspaceId))).toEqual(["patch_applied", "patch_applied"]);
  });

  it("is recorded once where it has no entry, with the error that makes it a failure", async () => {
    const workspaceId = mint("alone");
    const report = {
      workspaceId,
      events: [
        { patch_id: "p", file: "a.ts", op: "append", meta: { error: "no such file" }, ts: "2026-01-01T00:00:00.000Z" },
      ],
    };
    expect(await recordEvents(context(), report)).toEqual({ ok: true, recorded: 1, known: 0 });
    expect(await recordEvents(context(), report)).toEqual({ ok: true, recorded: 0, known: 1 });
    await delivered(workspaceId);
    expect(await chainOf(workspaceId)).toMatchObject([{ event_type: "patch_failed", meta: { error: "no such file" } }]);
    expect(await verifyChain(context(), { workspaceId })).toMatchObject({ ok: true, delivered: 1 });
  });
});

describe("a phase message", () => {
  it("is a link of the chain, a custody row and a message in its order's room", async () => {
    const orderId = mint("ORD");
    value(
      await publish(context(), { type: "phase_generated", orderId, phase: "one", message: "done", data: { files: 2 } }),
    );
    const workspaceId = `order:${orderId}`;
    await delivered(workspaceId);
    expect(
      await rows("SELECT kind, event_type, message, phase FROM patch_custody WHERE workspace_id = ?", workspaceId),
    ).toEqual([{ kind: "phase", event_type: "phase_generated", message: "done", phase: "one" }]);
    expect(await hubSeqsOf(workspaceId, `order:${orderId}`)).toEqual([1]);
    expect(await verifyChain(context(), { orderId })).toMatchObject({ ok: true, head: { seq: 1 } });
  });
});

describe("an order that works in another workspace", () => {
  it("leads batches and messages that name only the order there", async () => {
    const workspaceId = await aWorkspace();
    const orderId = mint("ORD");
    value(await setOrderAlias(context(), { orderId, workspaceId }));
    const { workspaceId: _, ...batch } = aLine(workspaceId, 4, "by order");
    expect(value(await apply({ ...batch, orderId })).outcome.workspaceId).toBe(workspaceId);
    value(await publish(context(), { type: "phase_implemented", orderId }));
    expect(typesOf(await chainOf(workspaceId))).toEqual(["patch_requested", "patch_applied", "phase_implemented"]);
    expect(await setOrderAlias(context(), { orderId, workspaceId: "elsewhere" })).toMatchObject({
      ok: false,
      error: { code: "CONFLICT" },
    });
  });
});

describe("a branch's workspace", () => {
  it("is found by its project and branch, whatever the branch is called", async () => {
    const projectId = mint("proj");
    const branch = "feature/größe #1";
    const workspaceId = `branch:${projectId}:${encodeURIComponent(branch)}`;
    await aWorkspace(workspaceId);
    const { workspaceId: _, ...batch } = aLine(workspaceId, 1, "on a branch");
    expect(value(await apply({ ...batch, projectId, branch })).outcome).toMatchObject({
      workspaceId,
      status: "applied",
    });
    expect(value(await readFile(context(), { workspaceId, file: "src/index.ts" })).file.content).toContain(
      "// on a branch",
    );
    await delivered(workspaceId);
    expect(await hubSeqsOf(workspaceId, `project:${projectId}`)).toEqual([1, 2]);
  });
});

describe("verification", () => {
  it("names the first link where D1 was changed", async () => {
    const workspaceId = await aWorkspace();
    value(await apply(aLine(workspaceId, 3, "tampered")));
    await delivered(workspaceId);
    await rows(
      "UPDATE patch_events SET requester = requester, file_path = 'other.ts' WHERE workspace_id = ? AND seq = 2",
      workspaceId,
    );
    expect(await verifyChain(context(), { workspaceId })).toMatchObject({
      ok: false,
      error: { code: "CHAIN_BROKEN", message: expect.stringContaining("seq 2") },
    });
  });
});

describe("the door of a batch", () => {
  const confined = (fields: { requesters?: string[]; workspaceId?: string }) =>
    context({
      id: "token:t",
      kind: "token",
      scopes: new Set<Scope>(["patches:write", "patches:read"]),
      requesters: fields.requesters ?? null,
      workspaceId: fields.workspaceId ?? null,
    });

  it.each([
    ["no object", null, "VALIDATION_FAILED"],
    ["half a surrogate pair", { patches: [{ op: "append", file: "a", block: "\ud800" }] }, "ILL_FORMED_UNICODE"],
    ["no patches", { patches: [] }, "VALIDATION_FAILED"],
    ["line 0", { patches: [{ op: "insert-before", file: "a", line: 0, block: "x" }] }, "VALIDATION_FAILED"],
    [
      "end before start",
      { patches: [{ op: "replace-block", file: "a", start: 2, end: 1, block: "x" }] },
      "VALIDATION_FAILED",
    ],
    ["a blockFile", { patches: [{ op: "append", file: "a", blockFile: "/etc/passwd" }] }, "BLOCK_FILE_REFUSED"],
    [
      "a branch without a project",
      { branch: "main", patches: [{ op: "append", file: "a", block: "x" }] },
      "WORKSPACE_UNRESOLVED",
    ],
    [
      "a workspace nobody opened",
      { workspaceId: "nowhere", patches: [{ op: "append", file: "a", block: "x" }] },
      "WORKSPACE_NOT_FOUND",
    ],
    [
      "8 MiB and more",
      { patches: [{ op: "append", file: "a", block: "x".repeat(8 * 1024 * 1024) }] },
      "BODY_TOO_LARGE",
    ],
  ])("refuses %s", async (_, batch, code) => {
    expect(await applyPatches(context(), batch)).toMatchObject({ ok: false, error: { code, nothingWritten: true } });
  });

  it("refuses paths out of the workspace and unknown tasks, and writes nothing", async () => {
    const workspaceId = await aWorkspace();
    const patch = { op: "append" as const, file: "README.md", block: "x" };
    for (const [fields, codes] of [
      [{ file: "../out.md" }, ["PATH_INVALID", "PATH_FORBIDDEN"]],
      [{ file: "/etc/passwd" }, ["PATH_INVALID", "PATH_FORBIDDEN"]],
      [{ file: "a\u0000b" }, ["PATH_INVALID"]],
      [{ taskId: "nobody" }, ["UNKNOWN_TASK", "TASK_SCOPE_VIOLATION"]],
    ] as const) {
      const answer = await apply({ workspaceId, patches: [{ ...patch, ...fields }] });
      expect(answer.ok).toBe(false);
      if (!answer.ok) expect(codes).toContain(answer.error.code);
    }
    expect(await linesOf(workspaceId, "README.md")).toEqual(["# Sample", ""]);
  });

  it("refuses a requester that is not the token's, and another workspace than the token's", async () => {
    const workspaceId = await aWorkspace();
    const batch = aLine(workspaceId, 3, "token");
    expect(await applyPatches(confined({ requesters: ["me"] }), batch)).toMatchObject({ error: { code: "FORBIDDEN" } });
    expect(await applyPatches(confined({ workspaceId: "other" }), batch)).toMatchObject({
      error: { code: "FORBIDDEN" },
    });
    expect(await applyPatches(confined({ workspaceId }), batch)).toMatchObject({ ok: true });
  });

  it("simulates without writing or recording", async () => {
    const workspaceId = await aWorkspace();
    const before = await linesOf(workspaceId);
    const batch = aLine(workspaceId, 3, "dry");
    expect(await simulatePatches(context(), batch)).toMatchObject({ ok: true, outcome: { status: "dry-run" } });
    expect(await apply({ ...batch, dryRun: true })).toMatchObject({ ok: true, outcome: { status: "dry-run" } });
    expect(await linesOf(workspaceId)).toEqual(before);
    expect(await chainOf(workspaceId)).toEqual([]);
  });
});

describe("PatchOps", () => {
  const patchOpsOf = (props: { caller?: string }) =>
    (exports.PatchOps as unknown as (options: { props: object }) => PatchOpsRpc)({ props });

  it("answers a binding as the verbs do, with the caller its props name", async () => {
    const workspaceId = await aWorkspace();
    const patchOps = patchOpsOf({ caller: "agent-factory" });
    const answer = await patchOps.applyPatches(aLine(workspaceId, 3, "by rpc"));
    expect(answer).toMatchObject({ ok: true, outcome: { status: "applied" } });
    expect((await chainOf(workspaceId)).map((record) => record.actor)).toEqual([
      "factory:agent-factory",
      "factory:agent-factory",
    ]);
    expect(await patchOpsOf({}).getPatch({ patchId: "p" })).toMatchObject({
      ok: false,
      error: { code: "UNAUTHENTICATED" },
    });
  });

  it("reads files and says where content belongs", async () => {
    const workspaceId = await aWorkspace();
    expect(value(await readFile(context(), { workspaceId, file: "README.md" })).file).toMatchObject({
      content: "# Sample\n",
    });
    expect(await readFile(context(), { workspaceId, file: "../secret" })).toMatchObject({
      error: { code: "PATH_INVALID" },
    });
    expect(value(await resolveMarkers(context(), { workspaceId, files: ["README.md", "new.ts"] })).files).toMatchObject(
      [
        { file: "README.md", coordinates: { mode: "existing", insertBeforeLine: 2 } },
        { file: "new.ts", coordinates: { mode: "new" } },
      ],
    );
  });
});
