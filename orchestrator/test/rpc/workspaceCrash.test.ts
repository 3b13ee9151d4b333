import { describe, expect, it } from "vitest";
import { verifyChain } from "../../worker/services/patch/verifyChain.ts";
import { keptRollups } from "./rollupHarness.ts";
import {
  abort,
  aLine,
  apply,
  aWorkspace,
  batchesOf,
  chainOf,
  context,
  faults,
  hubSeqsOf,
  inside,
  linesOf,
  loseSpareDisk,
  mint,
  object,
  patchctl,
  ring,
  rows,
  typesOf,
  useSpareHost,
} from "./workspaceHarness.ts";

/** The edit is in the file once, its events are in the chain and in D1 once, and everything verifies. */
async function expectOnce(workspaceId: string, text: string): Promise<void> {
  await ring(workspaceId);
  expect((await linesOf(workspaceId)).filter((line) => line === `// ${text}`)).toHaveLength(1);
  const chain = await chainOf(workspaceId);
  const named = chain.map((record) => `${record.patch_id} ${record.event_type}`);
  expect(new Set(named).size).toBe(named.length);
  const stored = await rows("SELECT seq, hash FROM patch_custody WHERE workspace_id = ? ORDER BY seq", workspaceId);
  expect(stored).toEqual(chain.map(({ seq, hash }) => ({ seq, hash })));
  expect(await hubSeqsOf(workspaceId)).toEqual(chain.map(({ seq }) => seq));
  expect(await verifyChain(context(), { workspaceId })).toMatchObject({ ok: true, delivered: chain.length });
}

describe("a workspace's object that dies", () => {
  it("before the engine has the batch: the edit lands once, though the first call comes late", async () => {
    const workspaceId = await aWorkspace();
    const held = await faults.set("hold", batchesOf(workspaceId));
    const answer = apply(aLine(workspaceId, 3, "late"));
    await held.arrived();
    await abort(workspaceId);
    expect(await answer).toMatchObject({ ok: true, outcome: { status: "applied" } });
    await held.release();
    await held.done();
    await expectOnce(workspaceId, "late");
  });

  it("before the engine has the batch, and nobody asks again: the alarm takes it up", async () => {
    const workspaceId = await aWorkspace();
    const held = await faults.set("hold", batchesOf(workspaceId));
    const batch = aLine(workspaceId, 3, "alarm");
    const abandoned = inside(workspaceId, async (instance) => {
      const { payload, payloadHash } = await intentOf(batch);
      await instance.submit(workspaceId, {
        batchId: batch.batchId,
        kind: "batch",
        payloadHash,
        actor: "test",
        payload,
      });
    }).catch(() => "lost");
    await held.arrived();
    await abort(workspaceId);
    expect(await abandoned).toBe("lost");
    await ring(workspaceId);
    await held.release();
    await held.done();
    await expectOnce(workspaceId, "alarm");
  });

  it("after the engine applied and before the answer came: the edit lands once", async () => {
    const workspaceId = await aWorkspace();
    const delayed = await faults.set("delayUntil", batchesOf(workspaceId));
    const answer = apply(aLine(workspaceId, 3, "answered late"));
    await delayed.applied();
    await abort(workspaceId);
    expect(await answer).toMatchObject({ ok: true, outcome: { status: "applied" } });
    await delayed.release();
    await expectOnce(workspaceId, "answered late");
  });

  it("after its answer and before delivery: every sink has each event once", async () => {
    const workspaceId = await aWorkspace();
    expect(await apply(aLine(workspaceId, 3, "answered"))).toMatchObject({ ok: true });
    await abort(workspaceId);
    await expectOnce(workspaceId, "answered");
  });

  it("after delivery and before its cursor moved: delivering again changes nothing", async () => {
    const workspaceId = await aWorkspace();
    expect(await apply(aLine(workspaceId, 3, "delivered"))).toMatchObject({ ok: true });
    await ring(workspaceId);
    const rollups = await keptRollups();
    await inside(workspaceId, (_, state) => {
      state.storage.sql.exec("UPDATE cursors SET seq = 0");
    });
    await abort(workspaceId);
    await expectOnce(workspaceId, "delivered");
    expect(await keptRollups()).toEqual(rollups);
  });
});

describe("an object killed after any number of turns", () => {
  /** Lets the event loop come round so often: further into the batch, its answer and its delivery each time. */
  const turns = async (count: number) => {
    for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setTimeout(resolve, 0));
  };

  it("has every edit in the file, the chain, D1 and the hub once", async () => {
    const workspaceId = await aWorkspace();
    for (let kill = 0; kill < 24; kill += 1) {
      const answer = apply(aLine(workspaceId, kill + 1, `kill ${kill}`));
      await turns(kill);
      await abort(workspaceId);
      expect(await answer).toMatchObject({ ok: true, outcome: { status: "applied" } });
    }
    for (let kill = 0; kill < 24; kill += 1) {
      const ringing = ring(workspaceId).catch(() => "killed");
      await turns(kill);
      await abort(workspaceId);
      await ringing;
      await apply(aLine(workspaceId, 100 + kill, `ring ${kill}`));
    }
    await expectOnce(workspaceId, "kill 7");
    const lines = await linesOf(workspaceId);
    for (let kill = 0; kill < 24; kill += 1) {
      expect(lines[kill]).toBe(`// kill ${kill}`);
      expect(lines[99 + kill]).toBe(`// ring ${kill}`);
    }
    expect(typesOf(await chainOf(workspaceId))).toEqual(
      Array.from({ length: 48 }, () => ["patch_requested", "patch_applied"]).flat(),
    );
  });
});

describe("an engine that misbehaves", () => {
  it("drops the connection after applying: the answer says in doubt, and resolves", async () => {
    const workspaceId = await aWorkspace();
    await faults.set("dropAfterApply", batchesOf(workspaceId));
    const batch = aLine(workspaceId, 3, "dropped");
    const answer = await apply(batch);
    expect(answer).toMatchObject({
      ok: false,
      error: { code: "ENGINE_UNAVAILABLE", nothingWritten: null },
      outcome: { status: "pending" },
    });
    await ring(workspaceId);
    expect(await apply(batch)).toMatchObject({ ok: true, outcome: { status: "applied" } });
    await expectOnce(workspaceId, "dropped");
  });

  it("is past its deadline: the answer says so, the edit lands once when the call comes through", async () => {
    const workspaceId = await aWorkspace();
    await inside(workspaceId, (instance) => {
      instance.limits.deadlines.call = 50;
    });
    const held = await faults.set("hold", batchesOf(workspaceId));
    const batch = aLine(workspaceId, 3, "slow");
    expect(await apply(batch)).toMatchObject({
      ok: false,
      error: { code: "ENGINE_TIMEOUT", nothingWritten: null, retryable: true },
    });
    await held.release();
    await held.done();
    await abort(workspaceId);
    await ring(workspaceId);
    expect(await apply(batch)).toMatchObject({ ok: true });
    await expectOnce(workspaceId, "slow");
  });

  it("gets the batch twice: one effect", async () => {
    const workspaceId = await aWorkspace();
    await faults.set("duplicate", batchesOf(workspaceId));
    expect(await apply(aLine(workspaceId, 3, "twice"))).toMatchObject({ ok: true });
    await expectOnce(workspaceId, "twice");
  });

  it("is out of reach: every waiting caller is told, and all batches land in order once it is back", async () => {
    const workspaceId = await aWorkspace();
    await faults.set("refuse", batchesOf(workspaceId), 1);
    const batches = [1, 2, 3].map((line) => aLine(workspaceId, line, `queued ${line}`));
    const answers = await Promise.all(batches.map(apply));
    expect(answers.map((answer) => answer.ok || answer.error.nothingWritten)).toEqual([null, null, null]);
    await ring(workspaceId);
    await expectOnce(workspaceId, "queued 2");
    expect((await linesOf(workspaceId)).slice(0, 3)).toEqual(["// queued 1", "// queued 2", "// queued 3"]);
  });

  it("has lost its disk: the workspace is rebuilt from source and log before the next batch", async () => {
    const workspaceId = mint("ws");
    await useSpareHost(workspaceId);
    await aWorkspace(workspaceId);
    expect(await apply(aLine(workspaceId, 3, "before the loss"))).toMatchObject({ ok: true });
    await loseSpareDisk();
    await expect(linesOf(workspaceId)).rejects.toThrow("no workspace");
    expect(await apply(aLine(workspaceId, 5, "after the loss"))).toMatchObject({
      ok: true,
      outcome: { head: { seq: 2 } },
    });
    await expectOnce(workspaceId, "before the loss");
    await expectOnce(workspaceId, "after the loss");
  });
});

describe("patchctl beside the orchestrator", () => {
  it("edits while a batch is on its way: both edits are in the file and in the chain, patchctl's first", async () => {
    const workspaceId = await aWorkspace();
    const held = await faults.set("hold", batchesOf(workspaceId));
    const answer = apply(aLine(workspaceId, 3, "ours"));
    await held.arrived();
    const beside = await patchctl(workspaceId, "append", "--file", "README.md", "--block", "beside");
    expect(beside).toMatchObject({ code: 0 });
    await abort(workspaceId);
    await held.release();
    expect(await answer).toMatchObject({ ok: true, outcome: { head: { seq: 2 } } });
    await expectOnce(workspaceId, "ours");
    expect(await linesOf(workspaceId, "README.md")).toContain("beside");
    const chain = await chainOf(workspaceId);
    expect(typesOf(chain)).toEqual(["patch_requested", "patch_applied", "patch_applied"]);
    expect(chain[1]).toMatchObject({ file: "README.md", actor: "patchctl", meta: { door: "patchctl" } });
    expect(await object(workspaceId).verify()).toMatchObject({ ok: true, entries: 2 });
  });
});

async function intentOf(batch: ReturnType<typeof aLine>) {
  const { payloadHashOf } = await import("patch-engine/core");
  return { payload: JSON.stringify(batch), payloadHash: payloadHashOf(batch) };
}
