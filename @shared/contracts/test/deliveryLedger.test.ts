import { describe, expect, test } from "vitest";
import { type CustodyRecord, DeliveryLedger, DeliverySummarySchema, LIST_BUDGET } from "../index.ts";

const hash = "a".repeat(64);
let seq = 0;
const at = (n: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, n)).toISOString();

type Fields = Partial<CustodyRecord>;
function event(type: CustodyRecord["event_type"], patchId: string, fields: Fields = {}): CustodyRecord {
  seq += 1;
  return {
    v: 1,
    workspace_id: "default",
    seq,
    prev_hash: hash,
    kind: "patch",
    event_type: type,
    ts: at(seq),
    actor: "token:x",
    batch_id: `batch-of-${patchId}`,
    order_id: "ORD-1",
    project_id: null,
    patch_id: patchId,
    file: "a.ts",
    op: "append",
    task_id: null,
    ts_check_ok: null,
    diff_path: null,
    log: type === "patch_requested" || type === "patch_failed" ? null : { seq, hash, treeAfter: hash },
    meta: {},
    hash,
    ...fields,
  };
}

function summaryOf(records: CustodyRecord[]) {
  const ledger = new DeliveryLedger();
  for (const record of records) ledger.add(record);
  const summary = ledger.summary();
  expect(DeliverySummarySchema.parse(summary)).toEqual(summary);
  return summary;
}

const failed = (patchId: string, code = "STALE_CONTENT", fields: Fields = {}) =>
  event("patch_failed", patchId, { meta: { error: { code, message: "why" } }, ...fields });

describe("what an order's events come to", () => {
  test("a patch counts by its last word, and the rate is of those whose outcome is known", () => {
    const summary = summaryOf([
      event("patch_requested", "a"),
      event("patch_applied", "a", { meta: { lines_added: 3, lines_removed: 1, duration_ms: 4 } }),
      event("patch_requested", "b"),
      failed("b"),
      event("patch_requested", "c"),
      event("patch_applied", "d", { ts_check_ok: false }),
      event("patch_applied", "e", { ts_check_ok: true }),
      event("patch_validated", "e", { ts_check_ok: true, meta: { lines_added: 2 } }),
      event("patch_applied", "f"),
      event("patch_reverted", "f", { meta: { requester: "ann", reason: "no" } }),
    ]);
    expect(summary.patches).toEqual({
      total: 6,
      requested: 1,
      applied: 2,
      validated: 1,
      failed: 1,
      reverted: 1,
      succeeded: 2,
    });
    expect(summary).toMatchObject({ success_rate: 40, lines_added: 5, lines_removed: 1, engine_ms: 4 });
    expect(summary.checks.types).toEqual({ passed: 1, failed: 1, not_run: 4 });
    expect(summary.reverts.items).toMatchObject([{ patch_id: "f", requester: "ann", reason: "no" }]);
    expect(summary.files.items).toEqual([{ file: "a.ts", patches: 3, lines_added: 5, lines_removed: 1 }]);
  });

  test("no patch at all has no rate", () => {
    expect(summaryOf([])).toMatchObject({ success_rate: null, duration_ms: null, first_event: null });
  });

  test.each<[string, () => CustodyRecord[], string | null]>([
    [
      "the same patch, sent again",
      () => [failed("a"), event("patch_requested", "a"), event("patch_applied", "a")],
      "again",
    ],
    ["its correction", () => [failed("a"), event("patch_applied", "a.corrected", { file: "b.ts" })], "corrected"],
    ["a later patch of its file", () => [failed("a"), event("patch_applied", "z")], "replaced"],
    [
      "a later patch of its task and file before one of its file alone",
      () => [
        failed("a", "STALE_CONTENT", { task_id: "t" }),
        event("patch_applied", "y"),
        event("patch_applied", "z", { task_id: "t" }),
      ],
      "replaced",
    ],
    [
      "nothing: an earlier patch that is only checked later",
      () => [event("patch_applied", "z"), failed("a"), event("patch_validated", "z")],
      null,
    ],
    [
      "nothing: a later patch that was reverted",
      () => [failed("a"), event("patch_applied", "z"), event("patch_reverted", "z")],
      null,
    ],
    [
      "nothing: a patch of another workspace",
      () => [failed("a"), event("patch_applied", "z", { workspace_id: "other" })],
      null,
    ],
  ])("a failure is resolved by %s", (_, records, how) => {
    expect(summaryOf(records()).failures.items[0]?.resolution?.how ?? null).toBe(how);
  });

  test("a refused batch is one failure, told by the patch at fault and not by those it took with it", () => {
    const batch = { batch_id: "b" };
    const { failures } = summaryOf([
      failed("innocent", "BATCH_REFUSED", batch),
      failed("guilty", "SYNTAX_ERROR", batch),
      failed("also-innocent", "BATCH_REFUSED", batch),
    ]);
    expect(failures.items).toMatchObject([{ patch_id: "guilty", code: "SYNTAX_ERROR", patches: 3, resolution: null }]);
  });

  test("the workspace's own checks are counted by name", () => {
    const { checks } = summaryOf([
      event("patch_applied", "a", { meta: { checks: ["build", "test"], failed_checks: ["test"] } }),
      event("patch_validated", "b", { meta: { checks: ["build", "test"] } }),
    ]);
    expect(checks.workspace.items).toEqual([
      { name: "build", passed: 2, failed: 0 },
      { name: "test", passed: 1, failed: 1 },
    ]);
  });

  test("events in a shape nobody foresaw are counted, and break nothing", () => {
    const odd = {
      checks: "x",
      failed_checks: 1,
      error: ["x"],
      lines_added: 1.5,
      lines_removed: -1,
      duration_ms: "x",
      phase: 7,
    };
    const summary = summaryOf([event("patch_failed", "a", { meta: odd }), event("patch_applied", "b", { meta: odd })]);
    expect(summary.failures.items[0]).toMatchObject({ code: "UNKNOWN" });
    expect(summary.lines_added).toBe(0);
  });

  test("lists end where their room ends, and say how much is left out", () => {
    const summary = summaryOf(
      Array.from({ length: 3_000 }, (_, n) => event("patch_applied", `${n}`, { file: `${n}${"f".repeat(300)}` })),
    );
    const { items, omitted } = summary.patch_list;
    expect(items.length + omitted).toBe(3_000);
    expect(JSON.stringify(items).length).toBeLessThanOrEqual(LIST_BUDGET.patches + 2);
    expect(omitted).toBeGreaterThan(0);
  });
});
