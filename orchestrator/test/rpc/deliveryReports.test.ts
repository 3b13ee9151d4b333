import { linesOf, verifyReport } from "@shared/client";
import {
  CustodyRecordSchema,
  type CustodyRecord,
  DeliveryLedger,
  type DeliveryReport,
  DeliveryReportSchema,
  type DeliveryReportsRpc,
  GENESIS_HASH,
} from "@shared/contracts";
import { canonicalText, hashOf } from "patch-engine/core";
import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { systemActor } from "../../worker/context.ts";
import type { WorkspaceRpc } from "../../worker/durable-objects/workspace/rpc.ts";
import { scheduled } from "../../worker/schedule.ts";
import { generateReports } from "../../worker/services/delivery/generateReports.ts";
import { getLatestReports } from "../../worker/services/delivery/getLatestReports.ts";
import { getReport } from "../../worker/services/delivery/getReport.ts";
import { regenerateReports } from "../../worker/services/delivery/regenerateReports.ts";
import { createOrder } from "../../worker/services/order/createOrder.ts";
import { setOrderStatus } from "../../worker/services/order/setOrderStatus.ts";
import { exportCustody } from "../../worker/services/patch/exportCustody.ts";
import { publish } from "../../worker/services/phase/publish.ts";
import { aLine, apply, context, delivered, mint, rows, value } from "./workspaceHarness.ts";

const engine = inject("engine");

/** An order with a workspace of its own of 200 lines in `src/index.ts`. */
async function anOrder(fields: Record<string, unknown> = {}): Promise<{ orderId: string; workspaceId: string }> {
  const orderId = mint("ORD");
  const created = value(
    await createOrder(context(), {
      id: orderId,
      title: "a sample",
      description: "200 lines, some of them better",
      factory: "agent-factory",
      source: { kind: "path", path: engine.source },
      ...fields,
    }),
  );
  return { orderId, workspaceId: created.order.workspace_id };
}

const reportOf = async (orderId: string): Promise<{ report: DeliveryReport; markdown: string; version: number }> => {
  const { report } = value(await getReport(context(), { orderId }));
  return {
    report: DeliveryReportSchema.parse(JSON.parse(report.report_json)),
    markdown: report.report_md,
    version: report.version,
  };
};

/** The report with the seal that its content asks for. */
const seal = <T extends object>(report: T): T => {
  const { sha256: _, ...rest } = report as T & { sha256: string };
  return { ...rest, sha256: hashOf(rest) } as never;
};

async function exported(orderId: string): Promise<string[]> {
  const { ndjson } = value(await exportCustody(context(), { order_id: orderId }));
  const lines: string[] = [];
  for await (const line of linesOf(ndjson)) lines.push(line);
  return lines;
}

/** A context before whose every reading of an order's events something happens. */
function withWorkspaces(before: (orderId: string) => Promise<void>) {
  const ctx = context();
  const getByName = (name: string) => {
    const object = env.WORKSPACE.getByName(name) as unknown as WorkspaceRpc;
    return {
      alias: () => object.alias(),
      eventsOfOrder: async (orderId: string, after: number, limit: number) => {
        await before(orderId);
        return object.eventsOfOrder(orderId, after, limit);
      },
    };
  };
  return { ...ctx, env: { ...ctx.env, WORKSPACE: { getByName } } as never };
}

describe("the report of an order", () => {
  let orderId: string;
  let workspaceId: string;
  beforeAll(async () => {
    ({ orderId, workspaceId } = await anOrder());
    const phase = { orderId, phase: "first", requester: "agent-7", reason: "as planned" };
    value(await publish(context(), { type: "phase_implementing", orderId, phase: "first" }));
    await apply(aLine(workspaceId, 3, "edited", { ...phase, batchId: `${orderId}.one` }));
    // One bad patch refuses its batch; the same patch, corrected, stands.
    await apply({
      workspaceId,
      ...phase,
      batchId: `${orderId}.two`,
      patches: [
        { op: "replace-block", file: "src/index.ts", start: 900, end: 901, block: "bad\n", id: `${orderId}.bad` },
        { op: "append", file: "README.md", block: "more\n", id: `${orderId}.bystander` },
      ],
    });
    await apply({
      workspaceId,
      ...phase,
      batchId: `${orderId}.three`,
      patches: [
        {
          op: "replace-block",
          file: "src/index.ts",
          start: 9,
          end: 10,
          block: "// good\n",
          id: `${orderId}.bad.corrected`,
          metadata: { provider: "jules", model: "m-1" },
        },
      ],
    });
    await env.DB_OPS.prepare(
      `INSERT INTO ai_provider_executions (execution_id, provider_name, task_uuid, status, order_id, model, input_tokens,
         output_tokens, cost_usd, duration_ms) VALUES (?1, 'jules', 't', 'completed', ?2, 'm-1', 1200, 300, 0.25, 61000)`,
    )
      .bind(mint("x"), orderId)
      .run();
    await delivered(workspaceId);
    value(await generateReports(context(), { orderId }));
  });

  it("says what was asked, phases, patches, files, failures with their correction, checks, providers, cost and custody", async () => {
    const { report } = await reportOf(orderId);
    expect(report.asked.order).toMatchObject({ title: "a sample", factory: "agent-factory" });
    const { delivered: said } = report;
    expect(said.patches).toMatchObject({ total: 4, applied: 2, failed: 2, succeeded: 2, requested: 0 });
    expect(said.success_rate).toBe(50);
    expect(said.phases.items).toMatchObject([
      { phase: "first", patches: 4, succeeded: 2, failed: 2, messages: 1, last_message: "phase_implementing" },
    ]);
    expect(said.files.items).toEqual([{ file: "src/index.ts", patches: 2, lines_added: 2, lines_removed: 3 }]);
    expect(said.failures.items).toMatchObject([
      {
        batch_id: `${orderId}.two`,
        patch_id: `${orderId}.bad`,
        code: "RANGE_OUT_OF_BOUNDS",
        patches: 2,
        resolution: { how: "corrected", patch_id: `${orderId}.bad.corrected` },
      },
    ]);
    expect(said.checks.types).toEqual({ passed: 0, failed: 0, not_run: 4 });
    expect(said.providers.items).toEqual([{ provider: "jules", model: "m-1", patches: 1, succeeded: 1, failed: 0 }]);
    expect(report.costs.items).toMatchObject([
      { provider: "jules", model: "m-1", executions: 1, cost_usd: 0.25, input_tokens: 1200, duration_ms: 61_000 },
    ]);
    expect(said.duration_ms).toBeGreaterThanOrEqual(0);
    const [head] = await rows<{ seq: number; hash: string }>(
      "SELECT seq, hash FROM workspace_cursors WHERE workspace_id = ?",
      workspaceId,
    );
    expect(report.custody).toEqual([{ workspace_id: workspaceId, head }]);
  });

  it("says the same on a page for people, with how to verify it", async () => {
    const { report, markdown } = await reportOf(orderId);
    for (const part of ["## What was asked", "## Phases", "## Files", "## Failures", "## Checks", "## Providers"]) {
      expect(markdown).toContain(part);
    }
    expect(markdown).toContain(report.custody[0]!.head.hash);
    expect(markdown).toContain("node scripts/verifyReport.ts report.json events.ndjson");
    expect(markdown).toContain("$0.2500");
  });

  it("is borne out by the export of its chains, for whoever has only these two", async () => {
    const { report } = await reportOf(orderId);
    const lines = await exported(orderId);
    expect(await verifyReport(report, lines)).toMatchObject({ ok: true, orderId, records: lines.length });
  });

  describe("tampered with", () => {
    type Member = { path: (string | number)[]; value: unknown };
    /** Every member of a JSON value, the containers too. */
    const membersOf = (value: unknown, path: (string | number)[] = []): Member[] => [
      ...(path.length === 0 ? [] : [{ path, value }]),
      ...(typeof value === "object" && value !== null
        ? Object.entries(value).flatMap(([key, child]) =>
            membersOf(child, [...path, Array.isArray(value) ? Number(key) : key]),
          )
        : []),
    ];
    const other = (value: unknown): unknown => {
      if (typeof value === "number") return value + 1;
      if (typeof value === "boolean") return !value;
      if (value === null) return "x";
      if (Array.isArray(value)) return [...value, "x"];
      if (typeof value === "object") return { ...value, x: "x" };
      if (typeof value !== "string") throw new TypeError("no JSON value");
      return /^[0-9a-f]{64}$/.test(value) ? value.replace(/./, (c) => (c === "0" ? "1" : "0")) : `${value}x`;
    };
    const withMember = <T>(value: T, path: (string | number)[], made: unknown): T => {
      const copy = structuredClone(value) as never as Record<string | number, unknown>;
      let at = copy;
      for (const key of path.slice(0, -1)) at = at[key] as typeof at;
      at[path.at(-1)!] = made;
      return copy as never;
    };
    const hashed = (record: CustodyRecord): CustodyRecord => {
      const { hash: _, ...rest } = record;
      return { ...rest, hash: hashOf(rest) };
    };
    let report: DeliveryReport;
    let lines: string[];
    let records: CustodyRecord[];
    beforeAll(async () => {
      ({ report } = await reportOf(orderId));
      lines = await exported(orderId);
      records = lines.map((line) => JSON.parse(line));
    });
    const put = (index: number, line: string) => lines.map((own, at) => (at === index ? line : own));

    it("in any member of any event: the first broken link is that one", { timeout: 60_000 }, async () => {
      for (const [index, record] of records.entries()) {
        for (const { path, value: was } of membersOf(record)) {
          const line = canonicalText(withMember(record, path, other(was)));
          const verdict = await verifyReport(report, put(index, line));
          expect(verdict.ok, path.join(".")).toBe(false);
          // An event that says it is another workspace's is missing in its own.
          if (path[0] !== "workspace_id") expect(verdict).toMatchObject({ link: { workspaceId, seq: record.seq } });
        }
      }
    });

    it("and hashed anew: the link after it does not follow, or the head is another", async () => {
      for (const [index, record] of records.entries()) {
        const verdict = await verifyReport(
          report,
          put(index, canonicalText(hashed({ ...record, actor: "someone-else" }))),
        );
        const seq = index + 1 === records.length ? record.seq : record.seq + 1;
        expect(verdict).toMatchObject({ ok: false, link: { workspaceId, seq } });
      }
    });

    it("and the whole chain hashed anew: the head is not the report's", async () => {
      let previous = GENESIS_HASH;
      const forged = records.map((record) => {
        const made = hashed({ ...record, prev_hash: previous, actor: "someone-else" });
        previous = made.hash;
        return canonicalText(made);
      });
      expect(await verifyReport(report, forged)).toMatchObject({ ok: false, link: { seq: records.length } });
    });

    it("by an event left out, moved, cut off, doubled, or said twice in one line", async () => {
      const seqOf = async (changed: string[]) => {
        const verdict = await verifyReport(report, changed);
        return verdict.ok ? "holds" : (verdict.link?.seq ?? verdict.reason);
      };
      for (const index of records.keys()) {
        expect(await seqOf(lines.filter((_, at) => at !== index))).toBe(index + 1);
        expect(await seqOf([...lines.slice(0, index + 1), lines[index]!, ...lines.slice(index + 1)])).not.toBe("holds");
        expect(await seqOf(lines.slice(0, index))).toBe(index + 1);
      }
      expect(await seqOf([lines[1]!, lines[0]!, ...lines.slice(2)])).toBe(1);
      expect(await seqOf(put(1, lines[1]!.replace("{", '{"actor":"someone-else",')))).toBe(2);
      expect(await seqOf(put(1, lines[1]!.slice(0, 40)))).toContain("line 2");
      expect(await seqOf([])).toBe(1);
    });

    it("in any member of the report: its seal is broken", { timeout: 60_000 }, async () => {
      for (const { path, value: was } of membersOf(report)) {
        const verdict = await verifyReport(withMember(report, path, other(was)), lines);
        expect(verdict.ok, path.join(".")).toBe(false);
      }
    });

    it(
      "in anything the report says of the events or the chain, and sealed anew: it names the member",
      { timeout: 60_000 },
      async () => {
        for (const { path, value: was } of membersOf({ delivered: report.delivered, custody: report.custody })) {
          const verdict = await verifyReport(seal(withMember(report, path, other(was))), lines);
          // What the schema does not know is no statement.
          if (typeof was === "object" && was !== null && !Array.isArray(was)) continue;
          expect(verdict.ok, path.join(".")).toBe(false);
        }
        const boasted = seal(withMember(report, ["delivered", "patches", "failed"], 0));
        expect(await verifyReport(boasted, lines)).toMatchObject({ ok: false, member: "delivered.patches.failed" });
      },
    );
  });

  it("made again without new events is no new version; after one, the earlier one is kept", async () => {
    const before = await reportOf(orderId);
    expect(value(await generateReports(context(), { orderId }))).toMatchObject({ generated: 0 });
    expect((await reportOf(orderId)).version).toBe(before.version);
    await apply(aLine(workspaceId, 5, "later", { orderId }));
    await delivered(workspaceId);
    value(await generateReports(context()));
    const after = await reportOf(orderId);
    expect(after.version).toBeGreaterThan(before.version);
    const count = await rows<{ n: number }>("SELECT count(*) AS n FROM delivery_reports WHERE order_id = ?", orderId);
    expect(count).toEqual([{ n: 1 }]);
    const earlier = value(await getReport(context(), { orderId, version: before.version }));
    expect(JSON.parse(earlier.report.report_json)).toEqual(before.report);
  });

  it("made by several at once is one report whose versions have no hole", async () => {
    const order = await anOrder();
    await apply(aLine(order.workspaceId, 1, "first", { orderId: order.orderId }));
    await Promise.all(Array.from({ length: 6 }, () => generateReports(context(), { orderId: order.orderId })));
    const { version, report } = await reportOf(order.orderId);
    expect(report.delivered.patches.total).toBe(1);
    expect(version).toBe(1);
  });

  it("made from what was read before another was made does not take that one's place", async () => {
    const { orderId, workspaceId } = await anOrder();
    await apply(aLine(workspaceId, 1, "read early", { orderId }));
    let isFirst = true;
    const late = withWorkspaces(async () => {
      if (!isFirst) return;
      isFirst = false;
      await env.DB_PROJECTS.prepare("UPDATE orders SET status = 'delivered' WHERE id = ?").bind(orderId).run();
      value(await generateReports(context(), { orderId }));
    });
    value(await generateReports(late, { orderId }));
    expect(isFirst).toBe(false);
    expect((await reportOf(orderId)).report.asked.order?.status).toBe("delivered");
  });

  it("stands in the bucket as the current one, also where an earlier one is pushed at the same time", async () => {
    const { orderId, workspaceId } = await anOrder();
    await apply(aLine(workspaceId, 1, "pushed late", { orderId }));
    const ctx = context();
    let isFirst = true;
    const put = async (key: string, body: string) => {
      if (isFirst && key.endsWith("current.json")) {
        isFirst = false;
        await apply(aLine(workspaceId, 2, "pushed early", { orderId }));
        value(await generateReports(context(), { orderId }));
      }
      return env.REPORTS.put(key, body);
    };
    value(await generateReports({ ...ctx, env: { ...ctx.env, REPORTS: { put } } as never }, { orderId }));
    const { version } = await reportOf(orderId);
    expect(version).toBe(2);
    const current = await env.REPORTS.get(`reports/${orderId}/current.json`);
    expect(await current?.json()).toMatchObject({ version });
  });

  it("is pushed to the bucket, each version and the current one", async () => {
    const { version, markdown } = await reportOf(orderId);
    const pushed = await env.REPORTS.get(`reports/${orderId}/${version}.md`);
    expect(await pushed?.text()).toBe(markdown);
    const current = await env.REPORTS.get(`reports/${orderId}/current.json`);
    expect(await current?.json()).toMatchObject({ order_id: orderId, version });
  });

  it("is made where the deployment binds neither bucket nor queue", async () => {
    const order = await anOrder();
    await apply(aLine(order.workspaceId, 1, "bare", { orderId: order.orderId }));
    const ctx = context();
    const bare = { ...ctx, env: { ...ctx.env, REPORTS: undefined, REPORTS_QUEUE: undefined } as never };
    expect(value(await generateReports(bare, { orderId: order.orderId }))).toMatchObject({ generated: 1 });
  });

  it("covers an order's patches in every workspace they went to", async () => {
    const order = await anOrder();
    const other = await anOrder();
    await apply(aLine(order.workspaceId, 1, "home", { orderId: order.orderId }));
    await apply(aLine(other.workspaceId, 1, "abroad", { orderId: order.orderId }));
    await Promise.all([delivered(order.workspaceId), delivered(other.workspaceId)]);
    value(await generateReports(context()));
    const { report } = await reportOf(order.orderId);
    expect(report.delivered.patches.total).toBe(2);
    expect(report.custody).toHaveLength(2);
    const lines = await exported(order.orderId);
    expect(await verifyReport(report, lines)).toMatchObject({ ok: true });

    // A report that keeps quiet about where else it worked, sealed as if it were whole.
    const atHome = report.custody.filter(({ workspace_id: id }) => id === order.workspaceId);
    const ledger = new DeliveryLedger();
    for (const line of lines) {
      const record = CustodyRecordSchema.parse(JSON.parse(line));
      if (record.workspace_id === order.workspaceId && record.order_id === order.orderId) ledger.add(record);
    }
    const quiet = seal({ ...report, custody: atHome, delivered: ledger.summary() });
    expect(await verifyReport(quiet, lines)).toMatchObject({
      ok: false,
      member: "custody",
      link: { workspaceId: other.workspaceId },
    });
  });
});

describe("the queue of reports", () => {
  /** A batch as the platform hands it over, and what became of each message. */
  const messagesOf = (bodies: unknown[]) => {
    const said: ("ack" | "retry" | null)[] = bodies.map(() => null);
    const messages = bodies.map((body, index) => ({
      body,
      ack: () => void (said[index] = "ack"),
      retry: () => void (said[index] = "retry"),
    }));
    return { messages, said };
  };
  const request = (orderId: string, workspaceId: string, seq: number) => ({ orderId, event: { workspaceId, seq } });
  const ctx = () => context(systemActor("queue"));

  it("makes one report of many messages, and none of those that come again", async () => {
    const { orderId, workspaceId } = await anOrder();
    for (const line of [1, 2, 3]) await apply(aLine(workspaceId, line, `line ${line}`, { orderId }));
    const bodies = [2, 4, 6].map((seq) => request(orderId, workspaceId, seq));
    const first = messagesOf([...bodies, bodies[0]]);
    await regenerateReports(ctx(), first.messages);
    expect(first.said).toEqual(["ack", "ack", "ack", "ack"]);
    expect(await reportOf(orderId)).toMatchObject({ version: 1, report: { delivered: { patches: { total: 3 } } } });
    const again = messagesOf(bodies.toReversed());
    await regenerateReports(ctx(), again.messages);
    expect(again.said).toEqual(["ack", "ack", "ack"]);
    expect((await reportOf(orderId)).version).toBe(1);
  });

  it("is asked by the workspace itself once an order's patches have settled: the report appears", async () => {
    const { orderId, workspaceId } = await anOrder();
    await apply(aLine(workspaceId, 1, "asked for", { orderId }));
    await delivered(workspaceId);
    await expect
      .poll(() => rows("SELECT total_patches FROM delivery_reports WHERE order_id = ?", orderId), { timeout: 20_000 })
      .toEqual([{ total_patches: 1 }]);
  });

  it("throws away what asks for nothing, and says again what could not be made", async () => {
    const { orderId, workspaceId } = await anOrder();
    await apply(aLine(workspaceId, 1, "x", { orderId }));
    const base = ctx();
    const broken = { ...base, env: { ...base.env, WORKSPACE: undefined } as never };
    const { messages, said } = messagesOf([{ tea: true }, request(orderId, workspaceId, 99)]);
    await regenerateReports(broken, messages);
    expect(said).toEqual(["ack", "retry"]);
  });
});

describe("the nightly run", () => {
  it("makes the reports whose messages were lost, from what was delivered to the database", async () => {
    const { orderId, workspaceId } = await anOrder();
    await apply(aLine(workspaceId, 1, "lost", { orderId }));
    await delivered(workspaceId);
    await env.DB_OPS.prepare("DELETE FROM delivery_reports WHERE order_id = ?").bind(orderId).run();
    await env.DB_OPS.prepare("DELETE FROM delivery_orders WHERE order_id = ?").bind(orderId).run();
    await env.DB_OPS.prepare("UPDATE delivery_cursor SET custody_id = 0").run();
    await scheduled({ cron: "30 2 * * *" }, env);
    expect((await reportOf(orderId)).report.delivered.patches.total).toBe(1);
  });

  it("makes those of the other orders where one cannot be made, and says so", async () => {
    const [bad, good] = await Promise.all([anOrder({ id: mint("ORD-0") }), anOrder({ id: mint("ORD-z") })]);
    for (const { orderId, workspaceId } of [bad, good]) {
      await apply(aLine(workspaceId, 1, "at night", { orderId }));
      await delivered(workspaceId);
    }
    await env.DB_OPS.prepare("UPDATE delivery_orders SET reported_seq = 0").run();
    await env.DB_OPS.prepare("DELETE FROM delivery_reports WHERE order_id = ?").bind(good.orderId).run();
    const ctx = withWorkspaces(async (orderId) => {
      if (orderId === bad.orderId) throw new Error("this chain cannot be read");
    });
    await expect(generateReports(ctx)).rejects.toThrow("this chain cannot be read");
    expect((await reportOf(good.orderId)).version).toBe(1);
  });

  it("makes the report of an order that has moved while there was no queue to ask for it", async () => {
    const { orderId, workspaceId } = await anOrder();
    await apply(aLine(workspaceId, 1, "moved", { orderId }));
    await delivered(workspaceId);
    // All, so that the order's events are known to be covered.
    value(await generateReports(context()));
    const ctx = context();
    const bare = { ...ctx, env: { ...ctx.env, REPORTS_QUEUE: undefined } as never };
    value(await setOrderStatus(bare, { orderId, status: "cancelled" }));
    await scheduled({ cron: "30 2 * * *" }, env);
    expect((await reportOf(orderId)).report.asked.order?.status).toBe("cancelled");
  });
});

describe("the binding of a factory", () => {
  const as = (caller: string): DeliveryReportsRpc => exports.DeliveryReports({ props: { caller } });

  it("makes and shows the reports of the orders that are its own", async () => {
    const { orderId, workspaceId } = await anOrder({ factory: "data-factory" });
    await apply(aLine(workspaceId, 1, "by RPC", { orderId }));
    await delivered(workspaceId);
    expect(await as("data-factory").generateAll()).toMatchObject({ ok: true, queued: 0 });
    expect(value(await as("data-factory").getByOrder(orderId)).report).toMatchObject({ order_id: orderId, version: 1 });
    const recent = value(await as("data-factory").getRecent());
    expect(recent.reports.map((report) => report.factory)).toEqual(recent.reports.map(() => "data-factory"));
    expect(await as("data-factory").getRecent(51)).toMatchObject({ error: { code: "VALIDATION_FAILED" } });
    expect(await as("agent-factory").getByOrder(orderId)).toMatchObject({ error: { code: "FORBIDDEN" } });
    expect(await as("data-factory").getByOrder("ORD-none")).toMatchObject({ error: { code: "NOT_FOUND" } });
  });

  it("refuses a binding that does not name its caller", async () => {
    const nobody: DeliveryReportsRpc = exports.DeliveryReports({ props: {} as never });
    expect(await nobody.generateAll()).toMatchObject({ error: { code: "UNAUTHENTICATED" } });
  });
});

describe("who may see reports", () => {
  const factory = (name: string) =>
    context({
      id: `factory:${name}`,
      kind: "factory",
      scopes: new Set(["delivery:read", "delivery:write"]),
      requesters: null,
      workspaceId: null,
    });

  it("a factory sees and makes those of its own orders", async () => {
    const { orderId, workspaceId } = await anOrder();
    await apply(aLine(workspaceId, 1, "mine", { orderId }));
    await delivered(workspaceId);
    expect(await generateReports(factory("ui-factory"), { orderId })).toMatchObject({ error: { code: "FORBIDDEN" } });
    value(await generateReports(factory("agent-factory"), { orderId }));
    expect(await getReport(factory("ui-factory"), { orderId })).toMatchObject({ error: { code: "FORBIDDEN" } });
    expect(value(await getReport(factory("agent-factory"), { orderId })).report.order_id).toBe(orderId);
    const others = value(await getLatestReports(factory("ui-factory"), {}));
    expect(others.reports.map((report) => report.order_id)).not.toContain(orderId);
  });

  it("a factory that has all of its own made has nothing read of another's", async () => {
    const { orderId, workspaceId } = await anOrder();
    await apply(aLine(workspaceId, 1, "not yours", { orderId }));
    await delivered(workspaceId);
    const read: string[] = [];
    const { env: watched } = withWorkspaces(async (id) => void read.push(id));
    value(await generateReports({ ...factory("ui-factory"), env: watched }));
    expect(read).not.toContain(orderId);
  });

  it("a caller confined to a workspace sees and exports that workspace's alone", async () => {
    const { orderId, workspaceId } = await anOrder();
    await apply(aLine(workspaceId, 1, "mine", { orderId }));
    value(await generateReports(context(), { orderId }));
    const confined = context({ ...systemActor("test"), workspaceId: "elsewhere" });
    expect(await getReport(confined, { orderId })).toMatchObject({ error: { code: "FORBIDDEN" } });
    expect(await exportCustody(confined, { order_id: orderId })).toMatchObject({ error: { code: "FORBIDDEN" } });
    expect(value(await getLatestReports(confined, {})).reports).toEqual([]);
    const inside = context({ ...systemActor("test"), workspaceId });
    expect(value(await getReport(inside, { orderId })).report.order_id).toBe(orderId);
  });

  it("lists the newest first, in pages without doubles or holes", async () => {
    const all: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = value(await getLatestReports(context(), { limit: 2, ...(cursor ? { cursor } : {}) }));
      all.push(...page.reports.map((report) => report.order_id));
      ({ cursor } = page);
    }
    const kept = await rows<{ order_id: string }>(
      "SELECT order_id FROM delivery_reports ORDER BY created_at DESC, order_id DESC",
    );
    expect(all).toEqual(kept.map((row) => row.order_id));
    expect(new Set(all).size).toBe(all.length);
  });
});
