import { describe, expect, it } from "vitest";
import {
  aLine,
  apply,
  aWorkspace,
  batchesOf,
  chainOf,
  faults,
  inside,
  linesOf,
  mint,
  object,
  value,
} from "./workspaceHarness.ts";

describe("concurrent batches", () => {
  it("on one workspace are taken one at a time: all applied, no gap in the chain", async () => {
    const workspaceId = await aWorkspace();
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, n) => apply(aLine(workspaceId, n + 1, `edit ${n + 1}`))),
    );
    const heads = answers.map((answer) => value(answer).outcome.head.seq);
    expect(heads.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, n) => n + 1));
    const chain = await chainOf(workspaceId);
    expect(chain.map((record) => record.seq)).toEqual(Array.from({ length: 128 }, (_, n) => n + 1));
    expect((await linesOf(workspaceId)).slice(0, 64)).toEqual(Array.from({ length: 64 }, (_, n) => `// edit ${n + 1}`));
    expect(await object(workspaceId).verify()).toMatchObject({ ok: true, entries: 64 });
    // One call a batch: none met a log that had moved under it.
    const calls = (await faults.seen()).filter((request) => request.path.endsWith(`${workspaceId}/batches`));
    expect(calls).toHaveLength(64);
  });

  it("on sixteen workspaces are at the engine all at once", async () => {
    const workspaces = await Promise.all(Array.from({ length: 16 }, () => aWorkspace()));
    const held = await Promise.all(workspaces.map((workspaceId) => faults.set("hold", batchesOf(workspaceId))));
    const answers = workspaces.map((workspaceId) => apply(aLine(workspaceId, 1, "parallel")));
    // Passed only when all sixteen calls are held at the same time.
    await Promise.all(held.map((fault) => fault.arrived()));
    await Promise.all(held.map((fault) => fault.release()));
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ ok: true });
  });

  it("beyond the queue's limit are refused, and nothing of them is written down", async () => {
    const workspaceId = await aWorkspace();
    await inside(workspaceId, (instance) => {
      instance.limits.queue = 1;
    });
    const held = await faults.set("hold", batchesOf(workspaceId));
    const first = apply(aLine(workspaceId, 1, "first"));
    await held.arrived();
    expect(await apply(aLine(workspaceId, 2, mint("second")))).toMatchObject({
      ok: false,
      error: { code: "RATE_LIMITED", nothingWritten: true, retryable: true },
    });
    await held.release();
    expect(await first).toMatchObject({ ok: true });
    expect(await chainOf(workspaceId)).toHaveLength(2);
  });
});
