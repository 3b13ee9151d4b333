import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { logPatchEvent } from "../../worker/services/patch/d1Logger.ts";
import { removeProjection } from "../../worker/services/patch/projection.ts";
import { rebuildProjection } from "../../worker/services/patch/rebuildProjection.ts";
import { revertPatches } from "../../worker/services/patch/revertPatches.ts";
import { aLine, apply, aWorkspace, chainOf, context, delivered, rows } from "./workspaceHarness.ts";
import { computedRollups, keptRollups, stepsOf } from "./rollupHarness.ts";

const eventsOf = (workspaceId: string) =>
  rows("SELECT seq, event_type, hash FROM patch_events WHERE workspace_id = ? ORDER BY seq", workspaceId);

describe("while D1 fails", () => {
  it("callers get their outcomes, and afterwards rows and rollups are what a rebuild makes", async () => {
    const workspaceId = await aWorkspace();
    const stub = env.WORKSPACE.getByName(`ws:${workspaceId}`);
    await env.DB_OPS.exec("ALTER TABLE workspace_cursors RENAME TO workspace_cursors_away");
    const first = await apply(aLine(workspaceId, 1, "first", { requester: "one", orderId: "ORD-1" }));
    expect(first).toMatchObject({ ok: true });
    // The platform gives up on a handler that threw six times; this one goes on.
    for (let alarm = 0; alarm < 9; alarm += 1) expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect(await apply(aLine(workspaceId, 900, "refused", { requester: "two" }))).toMatchObject({ ok: false });
    const undone = await apply(aLine(workspaceId, 2, "undone", { requester: "one" }));
    expect(undone).toMatchObject({ ok: true });
    const target = { by: "batch" as const, id: undone.outcome?.batchId ?? "" };
    expect(await revertPatches(context(), { workspaceId, target })).toMatchObject({ ok: true });
    expect(await eventsOf(workspaceId)).toEqual([]);

    await env.DB_OPS.exec("ALTER TABLE workspace_cursors_away RENAME TO workspace_cursors");
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    const chain = await chainOf(workspaceId);
    expect(await eventsOf(workspaceId)).toEqual(chain.map(({ seq, event_type, hash }) => ({ seq, event_type, hash })));
    const kept = await keptRollups();
    expect(kept).toEqual(await computedRollups());
    expect(kept.patch_days).toMatchObject([
      { patches: 3, applied: 1, refused: 1, reverted: 1, requested: 0, stands: 1, failed: 1, timed: 2 },
    ]);
    expect(kept.patch_error_days).toMatchObject([{ code: "RANGE_OUT_OF_BOUNDS", patches: 1 }]);

    expect(await rebuildProjection(context(), { workspaceId })).toMatchObject({ ok: true, delivered: chain.length });
    expect(await keptRollups()).toEqual(kept);
    expect(await eventsOf(workspaceId)).toHaveLength(chain.length);
  });
});

describe("a delivery", () => {
  it("made twice, or twice at once, changes nothing the second time", async () => {
    const workspaceId = await aWorkspace();
    await apply(aLine(workspaceId, 1, "delivered"));
    await delivered(workspaceId);
    const before = { rollups: await keptRollups(), events: await eventsOf(workspaceId) };
    const records = await chainOf(workspaceId);
    const delivery = { workspaceId, from: 0, records, steps: stepsOf(records) };
    await removeProjection(env.DB_OPS, workspaceId);
    expect(await eventsOf(workspaceId)).toEqual([]);

    const now = new Date();
    const cursors = await Promise.all([1, 2, 3].map(() => logPatchEvent(env.DB_OPS, delivery, now)));
    cursors.push(await logPatchEvent(env.DB_OPS, delivery, now));
    const last = records.at(-1);
    expect(cursors).toEqual(cursors.map(() => ({ seq: last?.seq, hash: last?.hash })));
    expect({ rollups: await keptRollups(), events: await eventsOf(workspaceId) }).toEqual(before);
  });

  it("that does not go on from where the rows stand writes nothing", async () => {
    const workspaceId = await aWorkspace();
    await apply(aLine(workspaceId, 1, "gap"));
    const records = await chainOf(workspaceId);
    await removeProjection(env.DB_OPS, workspaceId);
    const cursor = await logPatchEvent(
      env.DB_OPS,
      { workspaceId, from: 1, records: records.slice(1), steps: [] },
      new Date(),
    );
    expect(cursor.seq).toBe(0);
    expect(await eventsOf(workspaceId)).toEqual([]);
  });
});
