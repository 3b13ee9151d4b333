import { type FactoryOpsRpc, OrderSchema, type PhaseMessageType } from "@shared/contracts";
import { env, exports } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { admin } from "../api/caller.ts";
import { workspaceObject } from "../../worker/durable-objects/workspace/rpc.ts";
import { createOrder } from "../../worker/services/order/createOrder.ts";

/** The entrypoint as a Worker with these props on its binding reaches it. */
const as = (caller: string): FactoryOpsRpc => exports.FactoryOps({ props: { caller } });
const codeOf = (result: { ok: true } | { ok: false; error: { code: string } }) =>
  result.ok ? "ok" : result.error.code;

beforeAll(async () => {
  for (const [id, factory] of [
    ["ORD-agent", "agent-factory"],
    ["ORD-data", "data-factory"],
  ]) {
    const created = await createOrder(admin(), {
      id,
      factory,
      title: id,
      tasks: [{ title: "write", type: "generate" }],
    });
    if (!created.ok) throw new Error(created.error.message);
  }
});

test("a factory reads and moves its own orders and tasks", async () => {
  const factory = as("agent-factory");
  const found = await factory.getOrder({ orderId: "ORD-agent" });
  expect(found).toMatchObject({ ok: true, order: { id: "ORD-agent" }, tasks: [{ id: "ORD-agent.1" }] });
  const moved = await factory.setOrderStatus({ orderId: "ORD-agent", status: "in_progress", reason: "phase one" });
  expect(moved.ok && OrderSchema.parse(moved.order).status).toBe("in_progress");
  expect(codeOf(await factory.setTaskStatus({ taskId: "ORD-agent.1", status: "applied" }))).toBe("INVALID_TRANSITION");
});

test("a factory may not touch another factory's order, whatever it asks", async () => {
  const factory = as("agent-factory");
  const orderId = "ORD-data";
  expect(codeOf(await factory.getOrder({ orderId }))).toBe("FORBIDDEN");
  expect(codeOf(await factory.setOrderStatus({ orderId, status: "in_progress" }))).toBe("FORBIDDEN");
  expect(codeOf(await factory.setTaskStatus({ taskId: "ORD-data.1", status: "in_progress" }))).toBe("FORBIDDEN");
  expect(codeOf(await factory.reportPhase({ type: "generation_started", orderId }))).toBe("FORBIDDEN");
});

test("a caller that is no factory has no orders, and a binding without props no caller", async () => {
  expect(codeOf(await as("somebody").getOrder({ orderId: "ORD-agent" }))).toBe("FORBIDDEN");
  expect(codeOf(await as("").getOrder({ orderId: "ORD-agent" }))).toBe("UNAUTHENTICATED");
});

test("a phase message becomes a link in the chain of the order's own workspace, whatever it says", async () => {
  const factory = as("agent-factory");
  const report = {
    type: "generation_started" as const,
    orderId: "ORD-agent",
    workspaceId: "elsewhere",
    message: "on it",
  };
  const first = await factory.reportPhase(report);
  expect(first.ok && first.seq).toBeGreaterThan(0);
  const { records } = await workspaceObject(env, "order:ORD-agent").events(0, 100);
  expect(records.at(-1)).toMatchObject({
    kind: "phase",
    event_type: "generation_started",
    actor: "factory:agent-factory",
    order_id: "ORD-agent",
    workspace_id: "order:ORD-agent",
  });
});

test("a message that is none is refused, not thrown", async () => {
  const factory = as("agent-factory");
  const type = "nonsense" as PhaseMessageType;
  expect(codeOf(await factory.reportPhase({ type, orderId: "ORD-agent" }))).toBe("VALIDATION_FAILED");
  expect(codeOf(await factory.reportPhase({ type: "error" }))).toBe("VALIDATION_FAILED");
  expect(codeOf(await factory.getOrder({ orderId: "no\0" }))).toBe("NOT_FOUND");
});
