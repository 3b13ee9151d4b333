import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { factoryActor } from "../../worker/context.ts";
import { queue } from "../../worker/queues.ts";
import { discardDeadLetter } from "../../worker/services/ai-providers/deadLetters/discardDeadLetter.ts";
import { listDeadLetters } from "../../worker/services/ai-providers/deadLetters/listDeadLetters.ts";
import { redriveDeadLetter } from "../../worker/services/ai-providers/deadLetters/redriveDeadLetter.ts";
import { storeDeadLetters } from "../../worker/services/ai-providers/deadLetters/storeDeadLetters.ts";
import { codeOf, contextWith, Tasks } from "./deskHarness.ts";
import { value } from "./workspaceHarness.ts";

let made = 0;
const task = () => ({ task_id: "ORD-1.1", provider: "codex", factory: "agent-factory", execution_id: `E-${++made}` });

/** A message as a queue hands it over; `said` is what was done with it. */
function message(body: unknown, id = `m-${++made}`) {
  const said: string[] = [];
  return {
    id,
    body,
    attempts: 6,
    ack: () => void said.push("ack"),
    retry: () => void said.push("retry"),
    said,
  };
}
async function stored(body: unknown): Promise<string> {
  const dead = message(body);
  await storeDeadLetters(contextWith(), [dead]);
  expect(dead.said).toEqual(["ack"]);
  return dead.id;
}
const statusOf = (id: string) =>
  env.DB_OPS.prepare("SELECT status FROM ai_dead_letters WHERE id = ?1").bind(id).first("status");

describe("dead letters", () => {
  it("are kept once each, however often they are delivered", async () => {
    const body = task();
    const twice = [message(body, "m-twice"), message(body, "m-twice")];
    await queue({ queue: "ai-provider-tasks-dlq", messages: twice } as unknown as MessageBatch, env);
    await storeDeadLetters(contextWith(), [message(body, "m-twice")]);
    expect(twice.map(({ said }) => said)).toEqual([["ack"], ["ack"]]);
    const { deadLetters } = value(await listDeadLetters(contextWith(), { limit: 500 }));
    expect(deadLetters.filter(({ id }) => id === "m-twice")).toMatchObject([
      { queue: "ai-provider-tasks", message: body, execution_id: body.execution_id, attempts: 6, status: "dead" },
    ]);
  });

  it("that come again after they were decided on stay as decided", async () => {
    const body = task();
    const id = await stored(body);
    value(await discardDeadLetter(contextWith(), { id }));
    await storeDeadLetters(contextWith(), [message(body, id)]);
    expect(await statusOf(id)).toBe("discarded");
  });

  it("that the database does not take are asked for again, and do not hold up the others", async () => {
    const ctx = contextWith();
    const broken = { ...ctx, db: { ...ctx.db, ops: ctx.db.logs as unknown as typeof ctx.db.ops } };
    const dead = [message(task()), message(task())];
    await storeDeadLetters(broken, dead);
    expect(dead.map(({ said }) => said)).toEqual([["retry"], ["retry"]]);
  });

  it("of no use to the queue are kept with what they are, and never redriven", async () => {
    for (const body of [undefined, "text", { task_id: "x" }, { big: "x".repeat(300_000) }]) {
      const id = await stored(body);
      expect(codeOf(await redriveDeadLetter(contextWith(), { id }))).toBe("VALIDATION_FAILED");
      expect(codeOf(await discardDeadLetter(contextWith(), { id }))).toBe("ok");
    }
  });

  it("are redriven once: of ten at the same time one sends", async () => {
    const tasks = new Tasks();
    const body = task();
    const id = await stored(body);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => redriveDeadLetter(contextWith({ tasks }), { id })),
    );
    expect(answers.map(codeOf).toSorted()).toEqual([...Array.from({ length: 9 }, () => "CONFLICT"), "ok"]);
    expect(tasks.sent).toEqual([body]);
  });

  it("are either redriven or discarded, not both", async () => {
    const tasks = new Tasks();
    for (let round = 0; round < 10; round += 1) {
      const id = await stored(task());
      const sent = tasks.sent.length;
      const [redriven, discarded] = await Promise.all([
        redriveDeadLetter(contextWith({ tasks }), { id }),
        discardDeadLetter(contextWith(), { id }),
      ]);
      expect([codeOf(redriven), codeOf(discarded)].toSorted()).toEqual(["CONFLICT", "ok"]);
      expect(tasks.sent.length - sent).toBe(redriven.ok ? 1 : 0);
      expect(await statusOf(id)).toBe(redriven.ok ? "redriven" : "discarded");
    }
  });

  it("that the queue does not take are dead as before, and can be redriven later", async () => {
    const tasks = new Tasks();
    const id = await stored(task());
    tasks.full = true;
    expect(codeOf(await redriveDeadLetter(contextWith({ tasks }), { id }))).toBe("UPSTREAM_UNAVAILABLE");
    expect(await statusOf(id)).toBe("dead");
    tasks.full = false;
    expect(codeOf(await redriveDeadLetter(contextWith({ tasks }), { id }))).toBe("ok");
    expect(tasks.sent).toHaveLength(1);
  });

  it("are for those alone who may see all factories and workspaces", async () => {
    const id = await stored(task());
    const scopes = new Set(["ai:read", "ai:write"] as const);
    for (const actor of [factoryActor("agent-factory"), { kind: "token" as const, scopes, workspaceId: "w" }]) {
      const ctx = contextWith({ actor });
      const answers = [
        await listDeadLetters(ctx, {}),
        await redriveDeadLetter(ctx, { id }),
        await discardDeadLetter(ctx, { id }),
      ];
      expect(answers.map(codeOf)).toEqual(["FORBIDDEN", "FORBIDDEN", "FORBIDDEN"]);
    }
    expect(codeOf(await redriveDeadLetter(contextWith(), { id: "m-none" }))).toBe("NOT_FOUND");
    expect(codeOf(await discardDeadLetter(contextWith(), { id: "m-none" }))).toBe("NOT_FOUND");
  });
});
