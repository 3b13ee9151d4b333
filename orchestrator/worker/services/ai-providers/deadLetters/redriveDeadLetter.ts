import { type DeadLetter, fail, ProviderTaskMessageSchema, type Result } from "@shared/contracts";
import type { ServiceContext } from "../../../context.ts";
import { deadLetterOfRow, refusalOf, requireDeadLetters } from "./deadLetterOfRow.ts";

/** Where redriven messages go: the queue whose consumers gave them up. */
interface TasksQueue {
  INSTANCE: string;
  AI_TASKS_QUEUE?: Pick<Queue, "send">;
}

/**
 * Sends a dead message to its queue again, once. It is claimed before it is sent, so of several callers one sends; one
 * that the queue did not take is dead again. Executions are idempotent by their id, so a message whose execution has gone
 * on otherwise changes nothing. Needs `ai:write`, for everything. Errors: NOT_FOUND, CONFLICT (decided already),
 * VALIDATION_FAILED (no message that this queue could work off), UPSTREAM_UNAVAILABLE (the queue did not take it).
 */
export async function redriveDeadLetter(
  ctx: ServiceContext,
  { id }: { id: string },
): Promise<Result<{ deadLetter: DeadLetter }>> {
  const denied = requireDeadLetters(ctx, "ai:write");
  if (denied) return denied;
  const { ops } = ctx.db;
  const found = await ops.selectFrom("ai_dead_letters").select("message").where("id", "=", id).executeTakeFirst();
  if (!found) return fail("NOT_FOUND", "there is no such message");
  const message = ProviderTaskMessageSchema.safeParse(JSON.parse(found.message));
  if (!message.success)
    return fail("VALIDATION_FAILED", "this is no message that the queue could work off; discard it");
  const env: TasksQueue = ctx.env;
  const queue = env.AI_TASKS_QUEUE;
  if (!queue) return fail("UPSTREAM_UNAVAILABLE", "this deployment has no queue for providers' tasks");

  const claimed = await ops
    .updateTable("ai_dead_letters")
    .set({ status: "redriven", redriven_at: ctx.now().toISOString() })
    .where("id", "=", id)
    .where("status", "=", "dead")
    .returningAll()
    .executeTakeFirst();
  if (!claimed) return refusalOf(ctx, id);
  try {
    await queue.send(message.data, { contentType: "json" });
  } catch (error) {
    ctx.log.error("a dead letter was not taken by its queue", { id, error });
    await ops
      .updateTable("ai_dead_letters")
      .set({ status: "dead", redriven_at: null })
      .where("id", "=", id)
      .where("status", "=", "redriven")
      .where("redriven_at", "=", claimed.redriven_at)
      .execute();
    return fail("UPSTREAM_UNAVAILABLE", "the queue did not take the message; it is dead as before");
  }
  return { ok: true, deadLetter: deadLetterOfRow(claimed) };
}
