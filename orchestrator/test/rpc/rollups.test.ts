import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { rebuildRollups } from "../../worker/services/analytics/rebuildRollups.ts";
import { logPatchEvent } from "../../worker/services/patch/d1Logger.ts";
import { templateOf } from "../../worker/services/patch/errorTemplate.ts";
import { removeProjection } from "../../worker/services/patch/projection.ts";
import { bucketOf } from "../../worker/services/patch/rollups.ts";
import {
  aStep,
  chainOfSaid,
  clearRollups,
  computedRollups,
  deliver,
  keptRollups,
  type Said,
  stepsOf,
} from "./rollupHarness.ts";
import { context, mint, rows } from "./workspaceHarness.ts";

const saidOf: fc.Arbitrary<Said> = fc.record({
  patch: fc.nat({ max: 5 }),
  word: fc.constantFrom("patch_requested", "patch_applied", "patch_validated", "patch_failed", "patch_reverted"),
  check: fc.constantFrom(true, false, null),
  hour: fc.integer({ min: 0, max: 24 * 40 }),
  project: fc.constantFrom("web", "api", "", null),
  order: fc.constantFrom("ORD-1", "ORD-2", null),
  requester: fc.constantFrom("ui-factory", "a'b\"c", "", null),
  provider: fc.constantFrom("jules", null),
  error: fc.constantFrom("line 7 of src/a.ts", "line 8 of src/b.ts", "other", null),
  lines: fc.nat({ max: 9 }),
});

afterEach(clearRollups);

describe("rollups kept event by event", () => {
  it("are what the events alone come to, in whatever order patches go on, delivered in pieces, twice and at once", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(saidOf, { minLength: 1, maxLength: 40 }),
        fc.array(saidOf, { minLength: 1, maxLength: 10 }),
        fc.array(fc.nat({ max: 39 }), { maxLength: 4 }),
        fc.array(fc.nat({ max: 9 }), { maxLength: 3 }),
        async (one, other, cuts, again) => {
          await clearRollups();
          const [first, second] = [chainOfSaid(mint("w"), one), chainOfSaid(mint("w"), other)];
          await Promise.all([deliver(first, cuts, again), deliver(second, [], again)]);
          expect(await rows("SELECT count(*) AS n FROM patch_events")).toEqual([{ n: one.length + other.length }]);
          const kept = await keptRollups();
          expect(kept).toEqual(await computedRollups());

          // A rebuild of all leaves them so, and taking a workspace out leaves what the other one counts.
          expect(await rebuildRollups(context())).toMatchObject({ ok: true, events: one.length + other.length });
          expect(await keptRollups()).toEqual(kept);
          await removeProjection(env.DB_OPS, first[0]?.workspace_id ?? "");
          expect(withoutTimes(await keptRollups())).toEqual(withoutTimes(await computedRollups()));
        },
      ),
      { numRuns: 40 },
    );
  }, 120_000);

  it("are mended by a rebuild, whatever was wrong in them", async () => {
    const records = chainOfSaid(mint("w"), [
      aStep({ word: "patch_requested" }),
      aStep({ word: "patch_applied", hour: 30 }),
    ]);
    await deliver(records, [], []);
    const kept = await keptRollups();
    await env.DB_OPS.batch([
      env.DB_OPS.prepare("UPDATE patch_days SET patches = 7"),
      env.DB_OPS.prepare("DELETE FROM patch_op_days"),
      env.DB_OPS.prepare("UPDATE patch_duration_days SET day = '1999-01-01'"),
    ]);
    expect(await keptRollups()).not.toEqual(kept);
    expect(await rebuildRollups(context())).toMatchObject({ ok: true });
    expect(await keptRollups()).toEqual(kept);
  });

  it("count a patch that is reverted weeks later on the day it was asked for, and no longer as applied", async () => {
    const said = [
      aStep({ word: "patch_requested" }),
      aStep({ word: "patch_applied", check: true, hour: 1 }),
      aStep({ word: "patch_reverted", hour: 24 * 20 }),
    ];
    const records = chainOfSaid(mint("w"), said);
    await deliver(records.slice(0, 2), [], []);
    const applied = { day: "2026-01-30", patches: 1, applied: 1, ok: 1, stands: 1, reverted: 0, lines_added: 3 };
    expect((await keptRollups()).patch_days).toMatchObject([applied, { ...applied, project_id: "web" }]);
    await logPatchEvent(
      env.DB_OPS,
      { workspaceId: records[0]!.workspace_id, from: 2, records: records.slice(2), steps: stepsOf(records).slice(2) },
      new Date(0),
    );
    const reverted = { day: "2026-01-30", patches: 1, applied: 0, ok: 0, failed: 0, stands: 0, reverted: 1 };
    const kept = await keptRollups();
    expect(kept.patch_days).toMatchObject([
      { ...reverted, lines_added: 0, timed: 1, duration_ms: 3_600_000 },
      { ...reverted, project_id: "web" },
    ]);
    // What it took to apply it remains measured.
    expect(kept.patch_duration_days).toMatchObject([{ patches: 1, duration_ms: 3_600_000 }, { project_id: "web" }]);
  });

  it("count a patch without a type check as neither ok nor failed, and a refused one as failed", async () => {
    const said = [
      aStep({ patch: 1, word: "patch_applied", check: null }),
      aStep({ patch: 2, word: "patch_validated", check: true }),
      aStep({ patch: 3, word: "patch_applied", check: false }),
      aStep({ patch: 4, word: "patch_failed", check: null, error: "no" }),
    ];
    await deliver(chainOfSaid(mint("w"), said), [], []);
    expect((await keptRollups()).patch_days[0]).toMatchObject({ patches: 4, ok: 1, failed: 2, stands: 3 });
  });
});

/** Times of a cell only grow while events are taken out; what counts is compared. */
const withoutTimes = (rollups: Awaited<ReturnType<typeof keptRollups>>) =>
  Object.fromEntries(
    Object.entries(rollups).map(([table, cells]) => [
      table,
      cells.map(({ first_at: _first, last_at: _last, ...cell }) => cell),
    ]),
  );

describe("a duration's bucket", () => {
  it("holds it, and is at most an eighth as wide", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 40 }), (duration) => {
        const bucket = bucketOf(duration);
        expect(bucket).toBeLessThanOrEqual(duration);
        expect(duration - bucket).toBeLessThanOrEqual(duration / 8);
        expect(bucketOf(bucket)).toBe(bucket);
      }),
    );
  });
});

describe("an error's template", () => {
  it.each([
    ["line 12 of src/app/a.ts is not there", "line <n> of <path> is not there"],
    ['requester "ui-factory" may not', "requester … may not"],
    ["batch 1f0e9a77-1111-4222-8333-944455566677 is known", "batch <id> is known"],
    ["the head is 3f9ac2d41b07", "the head is <hash>"],
    ["can't find `x` in button.tsx", "can't find … in <path>"],
    ["task T-7 allows 30 lines,\n  not 31", "task <n> allows <n> lines, not <n>"],
  ])("of %j is %j", (message, template) => {
    expect(templateOf(message)).toBe(template);
  });
});
