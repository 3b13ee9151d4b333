import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  type CustodyRecord,
  DeliveryLedger,
  type DeliveryReport,
  GENESIS_HASH,
  OrderIdSchema,
} from "@shared/contracts";
import { canonicalText, hashOf } from "patch-engine/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../repository.ts";

/** A chain of `count` links, each applying a patch of the order. */
function chainOf(count: number): CustodyRecord[] {
  let previous = GENESIS_HASH;
  return Array.from({ length: count }, (_, index): CustodyRecord => {
    const unhashed = {
      v: 1 as const,
      workspace_id: "order:ORD-1",
      seq: index + 1,
      prev_hash: previous,
      kind: "patch" as const,
      event_type: "patch_applied" as const,
      ts: "2026-01-01T00:00:00.000Z",
      actor: "token:x",
      batch_id: `b${index}`,
      order_id: "ORD-1",
      project_id: null,
      patch_id: `p${index}`,
      file: "src/ünïcode.ts",
      op: "append",
      task_id: null,
      ts_check_ok: null,
      diff_path: null,
      log: { seq: index + 1, hash: "a".repeat(64), treeAfter: "b".repeat(64) },
      meta: { requester: "x", lines_added: 1, lines_removed: 0, duration_ms: 1.5 },
    };
    const hash = hashOf(unhashed);
    previous = hash;
    return { ...unhashed, hash };
  });
}

function reportOf(records: readonly CustodyRecord[]): DeliveryReport {
  const ledger = new DeliveryLedger();
  for (const record of records) ledger.add(record);
  const unsealed = {
    v: 1 as const,
    order_id: OrderIdSchema.parse("ORD-1"),
    version: 1,
    generated_at: "2026-01-01T00:00:00.000Z",
    asked: { order: null, tasks: { items: [], omitted: 0 } },
    delivered: ledger.summary(),
    costs: { items: [], omitted: 0 },
    custody: [{ workspace_id: "order:ORD-1", head: { seq: records.length, hash: records.at(-1)?.hash ?? "" } }],
  };
  return { ...unsealed, sha256: hashOf(unsealed) };
}

describe("verifyReport REPORT.json EVENTS.ndjson", () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(path.join(tmpdir(), "verify-"));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const records = chainOf(3);
  const lines = records.map((record) => `${canonicalText(record)}\n`);
  const report = JSON.stringify(reportOf(records));

  function run(report: string, events: string | Buffer) {
    const files = [path.join(directory, "report.json"), path.join(directory, "events.ndjson")] as const;
    writeFileSync(files[0], report);
    writeFileSync(files[1], events);
    return verify(...files);
  }
  const verify = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [path.join(ROOT, "scripts/verifyReport.ts"), ...args],
      {
        encoding: "utf8",
        env: { ...process.env, NODE_OPTIONS: "--disable-warning=ExperimentalWarning" },
      },
    );
    return { status, stderr, verdict: stdout === "" ? null : JSON.parse(stdout) };
  };

  test("what holds ends with 0 and says how many links, up to which head", () => {
    const { status, stderr, verdict } = run(report, lines.join(""));
    expect({ status, verdict }).toMatchObject({ status: 0, verdict: { ok: true, orderId: "ORD-1", records: 3 } });
    expect(stderr).toContain(records[2]!.hash);
  });

  test("the report may come as the API answered it", () => {
    const answer = JSON.stringify({ ok: true, report: { report_json: report, report_md: "" } });
    expect(run(answer, lines.join("")).status).toBe(0);
  });

  test("links after the report's head are held to the chain and change nothing", () => {
    const longer = chainOf(5).map((record) => `${canonicalText(record)}\n`);
    expect(run(report, longer.join(""))).toMatchObject({ status: 0, verdict: { records: 5 } });
    longer[4] = longer[4]!.replace('"requester":"x"', '"requester":"y"');
    expect(run(report, longer.join(""))).toMatchObject({ status: 1, verdict: { link: { seq: 5 } } });
  });

  test("one letter changed in one event ends with 1 and names the link", () => {
    const { status, stderr, verdict } = run(report, lines.join("").replace('"actor":"token:x"', '"actor":"token:y"'));
    expect({ status, verdict }).toMatchObject({
      status: 1,
      verdict: { ok: false, link: { workspaceId: "order:ORD-1", seq: 1 } },
    });
    expect(stderr).toContain("First broken link: 1 of order:ORD-1");
  });

  test("what is no report, no export or no text ends with 1, not with a stack", () => {
    for (const [given, events] of [
      ["{}", lines.join("")],
      ["tea", lines.join("")],
      ["null", lines.join("")],
      [report, "tea\n"],
      [report, ""],
      [report, Buffer.from([0xff, 0xfe, 0x0a])],
    ] as const) {
      const { status, stderr, verdict } = run(given, events);
      expect({ status, ok: verdict?.ok }).toEqual({ status: 1, ok: false });
      expect(stderr).not.toContain("    at ");
    }
  });

  test("wrong usage ends with 2, a file that is not there with 5", () => {
    expect(verify().status).toBe(2);
    expect(verify("a").status).toBe(2);
    expect(verify(path.join(directory, "none.json"), path.join(directory, "none.ndjson"))).toMatchObject({
      status: 5,
      verdict: null,
    });
    const [there] = [path.join(directory, "report.json")];
    writeFileSync(there, report);
    expect(verify(there, path.join(directory, "none.ndjson")).status).toBe(5);
  });
});
