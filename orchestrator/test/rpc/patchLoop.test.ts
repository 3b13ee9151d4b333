import { describe, expect, it } from "vitest";
import { verifyChain } from "../../worker/services/patch/verifyChain.ts";
import {
  aLine,
  apply,
  aWorkspace,
  chainOf,
  context,
  delivered,
  linesOf,
  mint,
  rows,
  typesOf,
} from "./workspaceHarness.ts";

describe("a batch through the loop", () => {
  it("is in the file, in the chain and in D1, each once", async () => {
    const workspaceId = await aWorkspace();
    const answer = await apply(aLine(workspaceId, 3, "edited"));
    expect(answer).toMatchObject({ ok: true, outcome: { status: "applied", head: { seq: 1 } } });
    expect((await linesOf(workspaceId))[2]).toBe("// edited");
    expect(typesOf(await chainOf(workspaceId))).toEqual(["patch_requested", "patch_applied"]);
    await delivered(workspaceId);
    const events = await rows(
      "SELECT event_type, seq FROM patch_events WHERE workspace_id = ? ORDER BY seq",
      workspaceId,
    );
    expect(events).toEqual([
      { event_type: "patch_requested", seq: 1 },
      { event_type: "patch_applied", seq: 2 },
    ]);
    expect(await verifyChain(context(), { workspaceId })).toMatchObject({ ok: true, delivered: 2, entries: 1 });
  });

  it("sent twice with one batchId has one effect and one answer; with another payload it is refused", async () => {
    const workspaceId = await aWorkspace();
    const batch = aLine(workspaceId, 3, "once");
    const first = await apply(batch);
    expect(first.ok).toBe(true);
    expect(await apply(batch)).toEqual(first);
    expect(await chainOf(workspaceId)).toHaveLength(2);
    expect(await apply({ ...batch, reason: "another" })).toMatchObject({
      ok: false,
      error: { code: "IDEMPOTENCY_CONFLICT", nothingWritten: true },
    });
  });

  it("with one bad patch of several writes nothing and names the patch and the reason", async () => {
    const workspaceId = await aWorkspace();
    const before = await linesOf(workspaceId);
    const answer = await apply({
      workspaceId,
      batchId: mint("bad"),
      patches: [
        { op: "replace-block", file: "src/index.ts", start: 1, end: 1, block: "good\n" },
        { op: "replace-block", file: "src/index.ts", start: 900, end: 901, block: "bad\n", id: "the-bad-one" },
        { op: "append", file: "README.md", block: "good\n" },
      ],
    });
    expect(answer).toMatchObject({ ok: false, error: { code: "RANGE_OUT_OF_BOUNDS", nothingWritten: true } });
    expect(answer.results?.map((event) => event.event_type)).toEqual(["patch_failed", "patch_failed", "patch_failed"]);
    expect(answer.outcome?.patches.find((patch) => patch.patch_id === "the-bad-one")?.error?.code).toBe(
      "RANGE_OUT_OF_BOUNDS",
    );
    expect(await linesOf(workspaceId)).toEqual(before);
  });
});
