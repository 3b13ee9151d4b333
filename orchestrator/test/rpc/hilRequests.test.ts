import { type HilRequest, HilRequestSchema } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { factoryActor } from "../../worker/context.ts";
import { scheduled } from "../../worker/schedule.ts";
import { answerHilRequest } from "../../worker/services/hil/answerHilRequest.ts";
import { cancelHilRequests } from "../../worker/services/hil/cancelHilRequests.ts";
import { createHilRequest } from "../../worker/services/hil/createHilRequest.ts";
import { expireHilRequests } from "../../worker/services/hil/expireHilRequests.ts";
import { getHilRequest } from "../../worker/services/hil/getHilRequest.ts";
import { listHilRequests } from "../../worker/services/hil/listHilRequests.ts";
import { createOrder } from "../../worker/services/order/createOrder.ts";
import { getHilTelemetry } from "../../worker/services/telemetry/getHilTelemetry.ts";
import { anExecution, codeOf, contextWith, type Parts, Workflows } from "./deskHarness.ts";
import { HubClient } from "./hubClient.ts";
import { value } from "./workspaceHarness.ts";

beforeAll(async () => {
  for (const [id, factory] of [
    ["ORD-asked", "agent-factory"],
    ["ORD-data", "data-factory"],
  ]) {
    value(await createOrder(contextWith(), { id, factory, title: id, tasks: [{ title: "write", type: "generate" }] }));
  }
});

async function asked(parts: Parts = {}, fields: Record<string, unknown> = {}): Promise<HilRequest> {
  const executionId = await anExecution({ order_id: "ORD-asked", task_uuid: "ORD-asked.1" });
  return value(
    await createHilRequest(contextWith(parts), { executionId, question: "Which of the two queues?", ...fields }),
  ).request;
}

const conversation = async (id: string) => ({
  status: await env.DB_CHATS.prepare("SELECT status FROM ai_provider_conversations WHERE id = ?1")
    .bind(id)
    .first("status"),
  said: (
    await env.DB_CHATS.prepare("SELECT role, content FROM messages WHERE conversation_id = ?1 ORDER BY seq")
      .bind(id)
      .all()
  ).results,
});
const later = (minutes: number) => () => new Date(Date.now() + minutes * 60_000);

describe("a request to people", () => {
  it("is decided once: of twenty answers at once one stands, its run is woken once, the others are CONFLICT", async () => {
    const workflows = new Workflows();
    const { id, execution_id } = await asked();
    const people = Array.from({ length: 20 }, (_, person) => `person ${person}`);
    const answers = await Promise.all(
      people.map((person) =>
        answerHilRequest(contextWith({ workflows, actor: { id: `user:${person}` } }), {
          id,
          answer: `as ${person} says`,
        }),
      ),
    );
    expect(answers.map(codeOf).toSorted()).toEqual([...Array.from({ length: 19 }, () => "CONFLICT"), "ok"]);
    const stands = value(await getHilRequest(contextWith(), { id })).request;
    expect(stands).toEqual(answers.flatMap((answer) => (answer.ok ? [answer.request] : []))[0]);
    expect(stands.answered_by).toBe(`user:${stands.answer?.slice("as ".length, -" says".length)}`);
    expect(workflows.told).toEqual([
      {
        executionId: execution_id,
        type: "hil-answer",
        payload: { requestId: id, status: "answered", answer: stands.answer, answeredBy: stands.answered_by },
      },
    ]);
    expect(await conversation(id)).toEqual({
      status: "closed",
      said: [
        { role: "assistant", content: "Which of the two queues?" },
        { role: "user", content: stands.answer },
      ],
    });
  });

  it("whose run cannot be woken is answered all the same, and its run is woken later, once", async () => {
    const workflows = new Workflows();
    workflows.away = true;
    const { id } = await asked();
    expect(codeOf(await answerHilRequest(contextWith({ workflows }), { id, answer: "the second" }))).toBe("ok");
    workflows.away = false;
    // Whoever stored the answer may still be telling.
    value(await expireHilRequests(contextWith({ workflows })));
    expect(workflows.told).toEqual([]);
    value(await expireHilRequests(contextWith({ workflows, now: later(2) })));
    value(await expireHilRequests(contextWith({ workflows, now: later(3) })));
    expect(workflows.told.map(({ payload }) => payload)).toEqual([
      expect.objectContaining({ requestId: id, answer: "the second" }),
    ]);
  });

  it("of a run that is over wakes nobody", async () => {
    const workflows = new Workflows();
    const { id, execution_id } = await asked();
    await env.DB_OPS.prepare("UPDATE ai_provider_executions SET status = 'cancelled' WHERE execution_id = ?1")
      .bind(execution_id)
      .run();
    expect(codeOf(await answerHilRequest(contextWith({ workflows }), { id, answer: "too late" }))).toBe("ok");
    value(await expireHilRequests(contextWith({ workflows, now: later(2) })));
    expect(workflows.told).toEqual([]);
  });

  it("ends when its time is over: its run is told that nobody answered, and no answer is taken any more", async () => {
    const workflows = new Workflows();
    const { id } = await asked({}, { expiresInSeconds: 60 });
    const now = later(2);
    expect(await answerHilRequest(contextWith({ workflows, now }), { id, answer: "late" })).toMatchObject({
      ok: false,
      error: { code: "CONFLICT", message: "the time to answer this is over" },
    });
    const runs = await Promise.all([1, 2, 3].map(() => expireHilRequests(contextWith({ workflows, now }))));
    expect(runs.map((run) => value(run).expired).reduce((sum, each) => sum + each)).toBe(1);
    expect(workflows.told.map(({ payload }) => payload)).toEqual([
      { requestId: id, status: "expired", answer: null, answeredBy: null },
    ]);
    expect(await conversation(id)).toMatchObject({ status: "closed", said: [{ role: "assistant" }] });
    expect(codeOf(await answerHilRequest(contextWith(), { id, answer: "later" }))).toBe("CONFLICT");
  });

  it("asked for twice under one id is one request; another question under it is refused", async () => {
    const executionId = await anExecution();
    const ask = (question: string) =>
      createHilRequest(contextWith(), { id: `${executionId}.1.q1`, executionId, question });
    const both = await Promise.all([ask("Go on?"), ask("Go on?")]);
    expect(both.filter((each) => value(each).created)).toHaveLength(1);
    expect(value(both[0]).request).toEqual(value(both[1]).request);
    expect(codeOf(await ask("Stop?"))).toBe("IDEMPOTENCY_CONFLICT");
  });

  it("that offers a choice is answered with one of its options; a clarification with any words", async () => {
    const options = ["approve", "refuse"];
    const plan = await asked({}, { kind: "plan-approval", options });
    expect(codeOf(await answerHilRequest(contextWith(), { id: plan.id, answer: "Approve." }))).toBe(
      "VALIDATION_FAILED",
    );
    expect(codeOf(await answerHilRequest(contextWith(), { id: plan.id, answer: "approve" }))).toBe("ok");
    const question = await asked({}, { options });
    expect(codeOf(await answerHilRequest(contextWith(), { id: question.id, answer: "neither" }))).toBe("ok");
  });

  it("is told of in the order's room and in that of all, when it is asked and when it is answered", async () => {
    const rooms = await Promise.all([HubClient.open("room=order:ORD-asked"), HubClient.open("room=all")]);
    const { id } = await asked();
    expect(codeOf(await answerHilRequest(contextWith(), { id, answer: "yes" }))).toBe("ok");
    for (const room of rooms) {
      const told = () =>
        room.events.flatMap(({ type, payload }) => {
          const hil = (payload?.meta.data as { hil?: { id: string; status: string } } | undefined)?.hil;
          return type === "conversation_state" && hil?.id === id ? [hil.status] : [];
        });
      await room.until(() => told().length === 2);
      expect(told()).toEqual(["open", "answered"]);
    }
  });

  it("is withdrawn with its run, and what is decided stays", async () => {
    const open = await asked();
    const executionId = open.execution_id ?? "";
    const other = value(await createHilRequest(contextWith(), { executionId, question: "And this?" })).request;
    value(await answerHilRequest(contextWith(), { id: other.id, answer: "yes" }));
    expect(value(await cancelHilRequests(contextWith(), { executionId })).cancelled).toBe(1);
    expect(value(await cancelHilRequests(contextWith(), { executionId })).cancelled).toBe(0);
    const { requests } = value(await listHilRequests(contextWith(), { execution_id: executionId }));
    expect(new Map(requests.map(({ id, status }) => [id, status]))).toEqual(
      new Map([
        [open.id, "cancelled"],
        [other.id, "answered"],
      ]),
    );
    expect(await answerHilRequest(contextWith(), { id: open.id, answer: "x" })).toMatchObject({
      error: { code: "CONFLICT", message: "this is not asked any more" },
    });
  });

  it("whose conversation could not be written has it after the next run", async () => {
    const { id } = await asked();
    await env.DB_CHATS.prepare("DELETE FROM messages WHERE conversation_id = ?1").bind(id).run();
    await env.DB_OPS.prepare(
      "UPDATE hil_requests SET status = 'answered', answer = 'so', answered_at = created_at WHERE id = ?1",
    )
      .bind(id)
      .run();
    await scheduled({ cron: "*/5 * * * *" }, env);
    expect(await conversation(id)).toMatchObject({
      status: "closed",
      said: [{ content: "Which of the two queues?" }, { content: "so" }],
    });
  });
});

describe("who may", () => {
  const own = { ...factoryActor("agent-factory") };

  it("ask: a factory about its own orders alone", async () => {
    const ask = (taskId: string) => createHilRequest(contextWith({ actor: own }), { taskId, question: "Which?" });
    expect(codeOf(await ask("ORD-asked.1"))).toBe("ok");
    expect(codeOf(await ask("ORD-data.1"))).toBe("FORBIDDEN");
    expect(codeOf(await ask("ORD-none.1"))).toBe("NOT_FOUND");
    expect(codeOf(await createHilRequest(contextWith(), { question: "About what?" }))).toBe("VALIDATION_FAILED");
  });

  it("read: a factory its own orders', a confined token its workspace's, page by page", async () => {
    const mine = await asked();
    const theirs = value(await createHilRequest(contextWith(), { orderId: "ORD-data", question: "Theirs?" })).request;
    const factory = contextWith({ actor: own });
    expect(codeOf(await getHilRequest(factory, mine))).toBe("ok");
    expect(codeOf(await getHilRequest(factory, theirs))).toBe("FORBIDDEN");
    expect(codeOf(await listHilRequests(factory, {}))).toBe("FORBIDDEN");
    expect(codeOf(await listHilRequests(factory, { order_id: "ORD-data" }))).toBe("FORBIDDEN");
    expect(value(await listHilRequests(factory, { order_id: "ORD-asked" })).requests).toContainEqual(mine);

    const workspaceId = `w-${mine.execution_id}`;
    const confined = contextWith({
      actor: { id: "token:c", kind: "token", scopes: new Set(["hil:read"]), workspaceId },
    });
    expect(value(await listHilRequests(confined, {})).requests).toEqual([mine]);
    expect(codeOf(await getHilRequest(confined, theirs))).toBe("FORBIDDEN");
  });

  it("answer: nobody who is confined to a factory or a workspace, whatever scopes it has", async () => {
    const { id } = await asked();
    const scopes = new Set(["hil:write"] as const);
    for (const actor of [own, { ...own, scopes }, { kind: "token" as const, scopes, workspaceId: "w" }]) {
      expect(codeOf(await answerHilRequest(contextWith({ actor }), { id, answer: "yes" }))).toBe("FORBIDDEN");
    }
    expect(codeOf(await answerHilRequest(contextWith({ actor: { scopes } }), { id, answer: "yes" }))).toBe("ok");
  });
});

it("telemetry counts what is open, by kind, and how what was decided went", async () => {
  const before = value(await getHilTelemetry(contextWith())).queue;
  const plan = await asked({}, { kind: "plan-approval" });
  await asked({}, { kind: "failure" });
  value(await answerHilRequest(contextWith(), { id: plan.id, answer: "go" }));
  const { queue } = value(await getHilTelemetry(contextWith()));
  if (!before.available || !queue.available) throw new Error("requests are kept");
  expect({
    open: queue.open - before.open,
    failures: queue.failures - before.failures,
    plans: queue.plans - before.plans,
  }).toEqual({ open: 1, failures: 1, plans: 0 });
  expect(queue.answered - before.answered).toBe(1);
  expect(queue.waited_ms).toBeGreaterThanOrEqual(0);
  expect(HilRequestSchema.parse(plan)).toEqual(plan);
});
