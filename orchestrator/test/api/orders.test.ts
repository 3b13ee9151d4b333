import { CustodyRecordSchema, OrderSchema, TasksFileSchema, TaskSchema } from "@shared/contracts";
import { hashOf } from "patch-engine/core";
import { expect, inject, test } from "vitest";
import { z } from "zod";
import { publish } from "../../worker/services/phase/publish.ts";
import { admin, answerOf, call, problemOf, tokenWith } from "./caller.ts";

const OrderAnswerSchema = z.object({ order: OrderSchema, tasks: z.array(TaskSchema), created: z.boolean().optional() });
const engine = inject("engine");
const source = { kind: "path", path: engine.source };
const TASK = { id: "T-1", title: "write", type: "generate", allowed: [{ files: "src/**" }], maxChangedLines: 40 };

const order = (id: string, more: object = {}) => ({ id, title: "An order", factory: "agent-factory", ...more });
const place = async (body: object) => OrderAnswerSchema.parse(await answerOf(await call("/api/orders", { body })));
const move = (id: string, status: string) => call(`/api/orders/${id}`, { method: "PATCH", body: { status } });
const moveTask = (id: string, status: string) => call(`/api/tasks/${id}`, { method: "PATCH", body: { status } });
const codeOf = async (response: Response) => (response.ok ? response.status : (await problemOf(response)).code);
/** `.mission_control/tasks.json` as it stands on the engine's disk. */
async function tasksIn(workspaceId: string) {
  const response = await fetch(`${engine.control}/read`, {
    method: "POST",
    body: JSON.stringify({ workspaceId, args: [".mission_control/tasks.json"] }),
  });
  const { content } = z.object({ content: z.string() }).parse(await response.json());
  return TasksFileSchema.parse(JSON.parse(content));
}

test("an order opens its workspace and writes into it what each task may touch", async () => {
  const response = await call("/api/orders", { body: order("ORD-tasks", { source, tasks: [TASK] }) });
  expect(response.status).toBe(201);
  const { order: stored, tasks } = OrderAnswerSchema.parse(await answerOf(response));
  expect(stored).toMatchObject({ status: "received", workspace_id: "order:ORD-tasks", created_by: "token:bootstrap" });
  expect(tasks).toMatchObject([{ id: "T-1", status: "pending", max_changed_lines: 40 }]);
  expect(await tasksIn("order:ORD-tasks")).toEqual({
    version: 1,
    orderId: "ORD-tasks",
    tasks: [{ id: "T-1", type: "generate", status: "pending", allowed: [{ files: "src/**" }], maxChangedLines: 40 }],
  });
});

test("a task added later, and one that was cancelled, show in the workspace too", async () => {
  await place(order("ORD-later", { source, tasks: [{ ...TASK, id: "L-1" }] }));
  const body = { id: "L-2", orderId: "ORD-later", title: "mend", type: "fix" };
  expect((await call("/api/tasks", { body })).status).toBe(201);
  expect((await moveTask("L-1", "cancelled")).status).toBe(200);
  const { tasks } = await tasksIn("order:ORD-later");
  expect(tasks.map(({ id, status }) => [id, status])).toEqual([
    ["L-1", "cancelled"],
    ["L-2", "pending"],
  ]);
});

test("two orders in one workspace both have their tasks in it", async () => {
  await place(order("ORD-a", { workspaceId: "shared", source, tasks: [{ ...TASK, id: "A" }] }));
  await place(order("ORD-b", { workspaceId: "shared", source, tasks: [{ ...TASK, id: "B" }] }));
  const file = await tasksIn("shared");
  expect(file.orderId).toBeNull();
  expect(file.tasks.map((task) => task.id).toSorted()).toEqual(["A", "B"]);
});

test("an order that works in another workspace leads its patches there", async () => {
  await place(order("ORD-guest", { workspaceId: "host", source, tasks: [{ ...TASK, id: "G" }] }));
  const response = await call("/api/patches/apply", {
    body: {
      orderId: "ORD-guest",
      patches: [{ op: "create-file", file: "src/new.ts", block: "export {};\n", taskId: "G" }],
    },
  });
  const { outcome } = z
    .object({ outcome: z.object({ workspaceId: z.string(), status: z.string() }) })
    .parse(await answerOf(response));
  expect(outcome).toEqual({ workspaceId: "host", status: "applied" });
});

test("placing the same order twice changes nothing; another one under its id is a conflict", async () => {
  const body = order("ORD-twice", { tasks: [{ title: "write", type: "generate" }] });
  expect((await call("/api/orders", { body })).status).toBe(201);
  const again = await call("/api/orders", { body });
  expect(again.status).toBe(200);
  const { tasks, created } = OrderAnswerSchema.parse(await answerOf(again));
  expect(created).toBe(false);
  expect(tasks.map((task) => task.id)).toEqual(["ORD-twice.1"]);
  expect(await codeOf(await call("/api/orders", { body: { ...body, title: "Another" } }))).toBe("CONFLICT");
});

test("a task's id belongs to one order, and a refused order leaves nothing behind", async () => {
  await place(order("ORD-owner", { tasks: [{ ...TASK, id: "taken" }] }));
  const body = order("ORD-thief", {
    tasks: [
      { ...TASK, id: "free" },
      { ...TASK, id: "taken" },
    ],
  });
  expect(await codeOf(await call("/api/orders", { body }))).toBe("CONFLICT");
  expect(await codeOf(await call("/api/orders/ORD-thief"))).toBe("NOT_FOUND");
  expect(await codeOf(await call("/api/tasks/free"))).toBe("NOT_FOUND");
});

test("an order of a project needs that project", async () => {
  expect(await codeOf(await call("/api/orders", { body: order("ORD-p", { projectId: "P-1" }) }))).toBe("NOT_FOUND");
  expect((await call("/api/projects", { body: { id: "P-1", name: "One" } })).status).toBe(201);
  expect(await codeOf(await call("/api/projects", { body: { id: "P-1", name: "Other" } }))).toBe("CONFLICT");
  expect((await place(order("ORD-p", { projectId: "P-1" }))).order.project_id).toBe("P-1");
});

test("an order moves along its states and no other way", async () => {
  await place(order("ORD-move"));
  expect(await codeOf(await move("ORD-move", "delivered"))).toBe("INVALID_TRANSITION");
  expect(await codeOf(await move("ORD-move", "in_progress"))).toBe(200);
  expect(await codeOf(await move("ORD-move", "delivered"))).toBe(200);
  expect(await codeOf(await move("ORD-move", "cancelled"))).toBe("INVALID_TRANSITION");
  expect(await codeOf(await move("ORD-move", "nonsense"))).toBe("VALIDATION_FAILED");
  expect(await codeOf(await move("ORD-nowhere", "in_progress"))).toBe("NOT_FOUND");
});

test("of many who move an order at once exactly one does", async () => {
  await place(order("ORD-race"));
  const answers = await Promise.all(Array.from({ length: 8 }, () => move("ORD-race", "in_progress")));
  const codes = await Promise.all(answers.map(codeOf));
  expect(codes.filter((code) => code === 200)).toHaveLength(1);
  expect(codes.filter((code) => code === "INVALID_TRANSITION")).toHaveLength(7);
});

test("a cancelled order takes its open tasks with it and takes no more", async () => {
  await place(order("ORD-off", { tasks: [{ ...TASK, id: "off-1" }] }));
  expect((await move("ORD-off", "cancelled")).status).toBe(200);
  expect(await answerOf(await call("/api/tasks/off-1"))).toMatchObject({ task: { status: "cancelled" } });
  const body = { orderId: "ORD-off", title: "late", type: "fix" };
  expect(await codeOf(await call("/api/tasks", { body }))).toBe("INVALID_TRANSITION");
  expect(await codeOf(await moveTask("off-1", "in_progress"))).toBe("INVALID_TRANSITION");
});

test("lists go through everything once, newest first, whatever the page's size", async () => {
  for (let n = 1; n <= 7; n++) await place(order(`ORD-list-${n}`, { factory: "ui-factory" }));
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await call(`/api/orders?factory=ui-factory&limit=3${cursor === null ? "" : `&cursor=${cursor}`}`);
    const answer = z
      .object({ orders: z.array(OrderSchema), cursor: z.string().nullable() })
      .parse(await answerOf(page));
    seen.push(...answer.orders.map(({ id }) => id));
    cursor = answer.cursor;
  } while (cursor !== null);
  expect(seen).toHaveLength(7);
  expect(new Set(seen).size).toBe(7);
  expect(await codeOf(await call("/api/orders?cursor=nonsense"))).toBe("VALIDATION_FAILED");
  expect(await codeOf(await call("/api/orders?limit=0"))).toBe("VALIDATION_FAILED");
});

test("a phase goes to the order's factory, which is told who asked and what", async () => {
  await place(order("ORD-phase", { factory: "data-factory" }));
  const response = await call("/api/orders/ORD-phase/phases", { body: { phase: "one", patches: [] } });
  const problem = await problemOf(response);
  expect(problem.code).toBe("CONFLICT");
  expect(JSON.parse(problem.detail)).toMatchObject({ orderId: "ORD-phase", phase: "one", lastPhase: false });
});

test("a token confined to a workspace sees and moves that workspace's orders alone", async () => {
  await place(order("ORD-mine"));
  await place(order("ORD-other"));
  const { token } = await tokenWith(["orders:read", "orders:write", "tasks:read"], { workspaceId: "order:ORD-mine" });
  expect((await call("/api/orders/ORD-mine", { token })).status).toBe(200);
  expect(await codeOf(await call("/api/orders/ORD-other", { token }))).toBe("FORBIDDEN");
  expect(await codeOf(await call("/api/orders", { token, body: order("ORD-new") }))).toBe("FORBIDDEN");
  const list = await answerOf(await call("/api/orders", { token }));
  expect(list.orders).toMatchObject([{ id: "ORD-mine" }]);
});

test("what was told of an order's phases is listed as it was hashed, newest first, page after page, and the order's alone", async () => {
  const PagesSchema = z.object({ phases: z.array(CustodyRecordSchema), cursor: z.string().nullable() });
  await place(order("ORD-phases"));
  await place(order("ORD-quiet"));
  const told = ["one", "two", "three", "four", "five"];
  for (const [n, phase] of told.entries()) {
    // Two of them in the same millisecond.
    const ctx = { ...admin(), now: () => new Date(Date.UTC(2026, 4, 1, 12, 0, n === 1 ? 0 : n)) };
    const message = `said "${phase}" ✓`;
    const report = { type: "phase_generated", orderId: "ORD-phases", phase, message, data: { files: n } };
    expect(await publish(ctx, report)).toMatchObject({ ok: true });
  }
  expect(await publish(admin(), { type: "phase_generated", orderId: "ORD-quiet", phase: "other" })).toMatchObject({
    ok: true,
  });
  const pageOf = async (query: string) =>
    PagesSchema.parse(await answerOf(await call(`/api/orders/ORD-phases/phases${query}`)));
  await expect.poll(async () => (await pageOf("")).phases.length).toBe(told.length);

  const phases: z.infer<typeof CustodyRecordSchema>[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const page: z.infer<typeof PagesSchema> = await pageOf(`?limit=2${cursor === "" ? "" : `&cursor=${cursor}`}`);
    phases.push(...page.phases);
    cursor = page.cursor;
  }
  expect(phases.map(({ meta }) => meta.phase)).toEqual(told.toReversed());
  expect(phases.at(-1)).toMatchObject({ kind: "phase", event_type: "phase_generated", meta: { data: { files: 0 } } });
  for (const { hash, ...link } of phases) expect(hashOf(link)).toBe(hash);

  expect(await codeOf(await call("/api/orders/ORD-phases/phases?cursor=tea"))).toBe("VALIDATION_FAILED");
  expect(await codeOf(await call("/api/orders/ORD-nowhere/phases"))).toBe("NOT_FOUND");
  const { token } = await tokenWith(["orders:read"], { workspaceId: "elsewhere" });
  expect(await codeOf(await call("/api/orders/ORD-phases/phases", { token }))).toBe("FORBIDDEN");
});
