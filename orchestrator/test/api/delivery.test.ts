import { DeliveryReportRowSchema } from "@shared/contracts";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { answerOf, call, problemOf, tokenWith } from "./caller.ts";

const engine = inject("engine");
const orderId = `ORD-api-${crypto.randomUUID().slice(0, 8)}`;

async function codeOf(response: Response): Promise<string> {
  return response.ok ? "ok" : (await problemOf(response)).code;
}

beforeAll(async () => {
  const source = { kind: "path", path: engine.source };
  const order = { id: orderId, title: "by REST", factory: "ui-factory", source };
  const placed = await call("/api/orders", { body: order });
  if (placed.status !== 201) throw new Error(await placed.text());
  const patches = [{ op: "append", file: "README.md", block: "by REST\n" }];
  const applied = await call("/api/patches/apply", { body: { orderId, patches } });
  if (!applied.ok) throw new Error(await applied.text());
});

describe("reports over HTTP", () => {
  it("GET with generate=true makes them, for who may write them and for nobody else", async () => {
    const reader = (await tokenWith(["delivery:read"])).token;
    const address = `/api/delivery/reports?order_id=${orderId}&generate=true`;
    expect(await codeOf(await call(address, { token: reader }))).toBe("FORBIDDEN");
    const writer = (await tokenWith(["delivery:read", "delivery:write"])).token;
    const made = await answerOf(await call(address, { token: writer }));
    expect(made).toMatchObject({ ok: true, report: { order_id: orderId, total_patches: 1, success_rate: 100 } });
    const all = await answerOf(await call("/api/delivery/reports?generate=true", { token: writer }));
    expect(all).toMatchObject({ ok: true, generated: expect.any(Number) });
  });

  it("POST makes them beside it", async () => {
    const { token } = await tokenWith(["delivery:write"]);
    const one = await call("/api/delivery/reports", { token, body: { orderId } });
    expect(await answerOf(one)).toMatchObject({ ok: true, queued: 0 });
    expect(await answerOf(await call("/api/delivery/reports", { token, method: "POST" }))).toMatchObject({ ok: true });
    expect(await codeOf(await call("/api/delivery/reports", { token, body: { orderId: "ORD-none" } }))).toBe(
      "NOT_FOUND",
    );
    expect(await codeOf(await call("/api/delivery/reports", { token, body: { orderId: "../x" } }))).toBe(
      "VALIDATION_FAILED",
    );
  });

  it("an order's has the columns of the document", async () => {
    const answer = await answerOf(await call(`/api/delivery/reports?order_id=${orderId}`));
    const report = DeliveryReportRowSchema.parse(answer.report);
    expect(report.report_md).toContain("# Delivery report");
    expect(await codeOf(await call("/api/delivery/reports?order_id=ORD-none"))).toBe("NOT_FOUND");
    expect(await codeOf(await call("/api/delivery/reports?limit=51"))).toBe("VALIDATION_FAILED");
    expect(await codeOf(await call("/api/delivery/reports?cursor=tea"))).toBe("VALIDATION_FAILED");
    expect(await answerOf(await call("/api/delivery/reports?limit=1"))).toMatchObject({
      reports: [{ order_id: orderId }],
    });
  });
});

describe("the export of custody chains", () => {
  const linesOf = async (response: Response): Promise<{ seq: number }[]> =>
    (await response.text()).split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));

  it("is NDJSON of whole chains, or of pages that join without a hole", async () => {
    const whole = await call(`/api/patches/custody?order_id=${orderId}`);
    expect(whole.headers.get("content-type")).toMatch(/^application\/x-ndjson/);
    const records = await linesOf(whole);
    expect(records.map((record) => record.seq)).toEqual(records.map((_, index) => index + 1));
    const paged: { seq: number }[] = [];
    for (let after: string | null = "0"; after !== null;) {
      const page = await call(`/api/patches/custody?workspace_id=order:${orderId}&limit=1&after=${after}`);
      paged.push(...(await linesOf(page)));
      after = page.headers.get("x-next-after");
    }
    expect(paged).toEqual(records);
  });

  it("refuses what names nothing or too much", async () => {
    const code = async (query: string) => codeOf(await call(`/api/patches/custody${query}`));
    expect(await code("")).toBe("VALIDATION_FAILED");
    expect(await code(`?order_id=${orderId}&workspace_id=default`)).toBe("VALIDATION_FAILED");
    expect(await code(`?order_id=${orderId}&limit=5`)).toBe("VALIDATION_FAILED");
    expect(await code("?order_id=ORD-none")).toBe("NOT_FOUND");
    expect(await code("?workspace_id=none-such")).toBe("NOT_FOUND");
    const { token } = await tokenWith(["patches:read"], { workspaceId: "elsewhere" });
    expect(await codeOf(await call(`/api/patches/custody?order_id=${orderId}`, { token }))).toBe("FORBIDDEN");
  });
});

describe("replay over HTTP", () => {
  it("lists batches, shows a tree and a file of it", async () => {
    const replay = await answerOf(await call(`/api/orders/${orderId}/replay`));
    expect(replay).toMatchObject({
      ok: true,
      head: 1,
      batches: [{ seq: 1, files: [{ path: "README.md" }] }],
      next: null,
    });
    const tree = await answerOf(await call(`/api/orders/${orderId}/replay/1/tree`));
    expect(tree).toMatchObject({ ok: true, seq: 1, files: 2 });
    const file = await answerOf(await call(`/api/orders/${orderId}/replay/0/files/src/index.ts`));
    expect(file).toMatchObject({ ok: true, file: { path: "src/index.ts", lines: 200 } });
    expect(await codeOf(await call(`/api/orders/${orderId}/replay/2/tree`))).toBe("NOT_FOUND");
    expect(await codeOf(await call(`/api/orders/${orderId}/replay/1/files/none.ts`))).toBe("FILE_NOT_FOUND");
  });
});
