import type { AttemptClass } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { createContext, systemActor } from "../../worker/context.ts";
import { readOutcomes } from "../../worker/services/ai-providers/outcomes.ts";
import { recordOutcome } from "../../worker/services/ai-providers/recordOutcome.ts";
import { rebuildProjection } from "../../worker/services/patch/rebuildProjection.ts";
import { revertPatches } from "../../worker/services/patch/revertPatches.ts";
import { aLine, apply, aWorkspace, mint, object } from "./workspaceHarness.ts";

const ctx = createContext(env, { actor: systemActor("test") });

beforeEach(async () => {
  await env.DB_OPS.prepare("DELETE FROM ai_router_outcomes").run();
});

const tell = (executionId: string, ended: AttemptClass, more: { at?: string; costUsd?: number } = {}) =>
  recordOutcome(ctx, {
    executionId,
    attempt: 1,
    type: "fix",
    language: "typescript",
    provider: "codex",
    model: "m",
    class: ended,
    at: new Date().toISOString(),
    ...more,
  });
/** The reward of all that was told, on average, and how many attempts count. */
async function learnt() {
  const cells = await readOutcomes(ctx);
  const sum = (of: "weight" | "reward" | "costs" | "costUsd") => cells.reduce((total, cell) => total + cell[of], 0);
  return { weight: sum("weight"), reward: sum("reward"), costs: sum("costs"), costUsd: sum("costUsd") };
}
/** Until D1 holds so many events of these batches; they are delivered a moment after the answer. */
async function delivered(patchId: string, type: string): Promise<void> {
  for (;;) {
    const found = await env.DB_OPS.prepare("SELECT 1 FROM patch_events WHERE patch_id = ? AND event_type = ?")
      .bind(patchId, type)
      .first();
    if (found) return;
    await scheduler.wait(20);
  }
}

/** A batch of two patches under an execution's id, as an attempt makes it. */
async function aChange(executionId: string) {
  const workspaceId = await aWorkspace();
  const batchId = `${executionId}.1`;
  const applied = await apply({
    ...aLine(workspaceId, 3, "one", { batchId }),
    patches: [3, 5].map((line) => ({
      op: "replace-block" as const,
      file: "src/index.ts",
      start: line,
      end: line,
      block: `// ${executionId} ${line}\n`,
    })),
  });
  if (!applied.ok) throw new Error(applied.error.message);
  await delivered(`${batchId}.p2`, "patch_applied");
  return { workspaceId, batchId };
}

test("an outcome told twice, or again with another ending, is the first one", async () => {
  await tell("twice", "empty-diff");
  await tell("twice", "empty-diff");
  await tell("twice", "applied");
  expect(await learnt()).toMatchObject({ weight: 1, reward: 0 });
});

test("what says nothing of a provider does not count", async () => {
  await tell("limited", "rate-limited");
  await tell("lost", "lost-race");
  expect((await learnt()).weight).toBe(0);
});

test("an applied change is worth more once it is validated, and nothing once it is reverted, whenever that is heard", async () => {
  const executionId = mint("exec");
  const { workspaceId, batchId } = await aChange(executionId);
  await tell(executionId, "applied", { costUsd: 0.25 });
  expect(await learnt()).toMatchObject({ weight: 1, reward: 0.7, costs: 1, costUsd: 0.25 });
  // Read again, nothing moves.
  expect(await learnt()).toMatchObject({ weight: 1, reward: 0.7 });

  const checks = [{ name: "check", level: "fail" as const, ok: true, findings: [] }];
  expect(
    await object(workspaceId).recordVerdict(workspaceId, { batchId, actor: "test", headSeq: 1, checks }),
  ).toMatchObject({ ok: true });
  await delivered(`${batchId}.p2`, "patch_validated");
  expect((await learnt()).reward).toBe(1);

  const back = await revertPatches(ctx, {
    workspaceId,
    target: { by: "patch", id: `${batchId}.p1` },
    requester: "somebody",
  });
  if (!back.ok) throw new Error(back.error.message);
  await delivered(`${batchId}.p1`, "patch_reverted");
  expect((await learnt()).reward).toBeCloseTo(0.5, 9);

  const rest = await revertPatches(ctx, { workspaceId, target: { by: "batch", id: batchId }, requester: "somebody" });
  if (!rest.ok) throw new Error(rest.error.message);
  await delivered(`${batchId}.p2`, "patch_reverted");
  expect((await learnt()).reward).toBe(0);

  // Delivered anew from the chain, the events say the same.
  expect(await rebuildProjection(ctx, { workspaceId })).toMatchObject({ ok: true });
  await delivered(`${batchId}.p2`, "patch_reverted");
  expect((await learnt()).reward).toBe(0);
});

test("a revert that D1 heard of before the outcome was told counts just the same", async () => {
  const executionId = mint("exec");
  const { workspaceId, batchId } = await aChange(executionId);
  const back = await revertPatches(ctx, { workspaceId, target: { by: "batch", id: batchId }, requester: "somebody" });
  if (!back.ok) throw new Error(back.error.message);
  await delivered(`${batchId}.p2`, "patch_reverted");
  await tell(executionId, "applied");
  expect((await learnt()).reward).toBe(0);
});

test("an outcome that was told before its events arrive is worked out anew when they do", async () => {
  const executionId = mint("exec");
  await tell(executionId, "applied");
  expect((await learnt()).reward).toBe(0.7);
  const { workspaceId, batchId } = await aChange(executionId);
  await revertPatches(ctx, { workspaceId, target: { by: "batch", id: batchId }, requester: "somebody" });
  await delivered(`${batchId}.p2`, "patch_reverted");
  expect((await learnt()).reward).toBe(0);
});

test("what is months old is not read any more", async () => {
  await tell("old", "applied", { at: new Date(Date.now() - 121 * 86_400_000).toISOString() });
  await tell("new", "applied");
  expect((await learnt()).weight).toBe(1);
});
