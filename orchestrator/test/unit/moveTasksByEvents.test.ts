import { type CustodyRecord, GENESIS_HASH, type PatchEventType, type TaskStatus } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { moveTasksByEvents } from "../../worker/services/task/moveByEvents.ts";

const TS = "2026-01-01T00:00:00.000Z";
const WORKSPACE = "order:ORD-1";

beforeEach(async () => {
  const db = env.DB_PROJECTS;
  await db.batch([
    db.prepare("DELETE FROM tasks"),
    db.prepare("DELETE FROM orders"),
    db.prepare("DELETE FROM workspace_cursors"),
  ]);
  const order = db.prepare(
    `INSERT INTO orders (id, title, factory, workspace_id, created_by, created_at, updated_at)
     VALUES (?1, 'an order', 'agent-factory', ?2, 'test', '${TS}', '${TS}')`,
  );
  await db.batch([order.bind("ORD-1", WORKSPACE), order.bind("ORD-2", "order:ORD-2")]);
});

async function aTask(id: string, status: TaskStatus = "pending", order = "ORD-1") {
  await env.DB_PROJECTS.prepare(
    `INSERT INTO tasks (id, order_id, title, type, status, allowed, created_at, updated_at)
     VALUES (?1, ?2, 'a task', 'generate', ?3, '[]', '${TS}', '${TS}')`,
  )
    .bind(id, order, status)
    .run();
}
const statusOf = (id: string) =>
  env.DB_PROJECTS.prepare("SELECT status FROM tasks WHERE id = ?").bind(id).first<string>("status");

/** Events from `seq` on, each `[type, task]`. */
const events = (seq: number, ...steps: [PatchEventType, string | null][]): CustodyRecord[] =>
  steps.map(([event_type, task_id], index) => ({
    v: 1,
    workspace_id: WORKSPACE,
    seq: seq + index,
    prev_hash: GENESIS_HASH,
    kind: "patch",
    event_type,
    ts: `2026-01-01T00:00:${String(seq + index).padStart(2, "0")}.000Z`,
    actor: "test",
    batch_id: "b",
    order_id: "ORD-1",
    project_id: null,
    patch_id: `p-${seq + index}`,
    file: "a.ts",
    op: "append",
    task_id,
    ts_check_ok: null,
    diff_path: null,
    log: null,
    meta: {},
    hash: GENESIS_HASH,
  }));
const deliver = async (records: CustodyRecord[], expected: number) =>
  (await moveTasksByEvents(env, WORKSPACE, records, expected, expected + records.length)).seq;

test("a task follows its patches: requested, applied, validated, reverted", async () => {
  await aTask("T");
  await deliver(events(1, ["patch_requested", "T"]), 0);
  expect(await statusOf("T")).toBe("in_progress");
  await deliver(events(2, ["patch_applied", "T"], ["patch_validated", "T"]), 1);
  expect(await statusOf("T")).toBe("validated");
  await deliver(events(4, ["patch_reverted", "T"]), 3);
  expect(await statusOf("T")).toBe("reverted");
});

test("in one delivery, each task takes its own steps in their order", async () => {
  await aTask("A");
  await aTask("B");
  const steps: [PatchEventType, string][] = [
    ["patch_requested", "A"],
    ["patch_requested", "B"],
    ["patch_applied", "A"],
    ["patch_failed", "B"],
    ["patch_requested", "B"],
    ["patch_applied", "B"],
  ];
  expect(await deliver(events(1, ...steps), 0)).toBe(6);
  expect([await statusOf("A"), await statusOf("B")]).toEqual(["applied", "applied"]);
});

test("a move the states do not know is skipped, and what follows it still counts", async () => {
  await aTask("T");
  await deliver(events(1, ["patch_validated", "T"]), 0);
  expect(await statusOf("T")).toBe("pending");
  await deliver(events(2, ["patch_reverted", "T"], ["patch_requested", "T"]), 1);
  expect(await statusOf("T")).toBe("in_progress");
});

test("a cancelled task stays cancelled whatever its patches do", async () => {
  await aTask("T", "cancelled");
  await deliver(events(1, ["patch_requested", "T"], ["patch_applied", "T"]), 0);
  expect(await statusOf("T")).toBe("cancelled");
});

test("the same delivery twice, and two at once, count once", async () => {
  await aTask("T");
  const records = events(1, ["patch_requested", "T"], ["patch_applied", "T"]);
  const seqs = await Promise.all([deliver(records, 0), deliver(records, 0), deliver(records, 0)]);
  expect(seqs).toEqual([2, 2, 2]);
  await deliver(events(3, ["patch_requested", "T"]), 2);
  expect(await deliver(records, 0)).toBe(3);
  expect(await statusOf("T")).toBe("in_progress");
});

test("a delivery that does not follow the last one changes nothing and says where the cursor stands", async () => {
  await aTask("T");
  await deliver(events(1, ["patch_requested", "T"]), 0);
  expect(await deliver(events(5, ["patch_applied", "T"]), 4)).toBe(1);
  expect(await statusOf("T")).toBe("in_progress");
});

test("events without a task only move the cursor, and another workspace's task is out of reach", async () => {
  await aTask("theirs", "pending", "ORD-2");
  expect(await deliver(events(1, ["patch_requested", null], ["patch_requested", "theirs"]), 0)).toBe(2);
  expect(await statusOf("theirs")).toBe("pending");
});

test("a thousand patches of one task are a few statements", async () => {
  await aTask("T");
  const many = Array.from({ length: 1000 }, (): [PatchEventType, string] => ["patch_requested", "T"]);
  const done = Array.from({ length: 1000 }, (): [PatchEventType, string] => ["patch_applied", "T"]);
  const sent: number[] = [];
  const counting = {
    DB_PROJECTS: new Proxy(env.DB_PROJECTS, {
      get: (database, name) =>
        name === "batch"
          ? (statements: D1PreparedStatement[]) => {
              sent.push(statements.length);
              return database.batch(statements);
            }
          : (sql: string) => database.prepare(sql),
    }),
  };
  await moveTasksByEvents(counting, WORKSPACE, events(1, ...many, ...done), 0, 2000);
  expect(sent).toEqual([5]);
  expect(await statusOf("T")).toBe("applied");
});

test("what was only reported, and done by no engine, moves no task", async () => {
  await aTask("T");
  const told = events(1, ["patch_applied", "T"], ["patch_validated", "T"]);
  await deliver(
    told.map((record) => ({ ...record, meta: { external: true } })),
    0,
  );
  expect(await statusOf("T")).toBe("pending");
});
