import type { ServiceContext } from "../../context.ts";
import { batch } from "../../database/batch.ts";
import type { HilRow } from "./hilRow.ts";

/** Who is said to have asked where no provider did. */
const NO_PROVIDER = "vibehq";

/**
 * Writes a request as a conversation under the request's id: the question, the answer where there is one, and whether it
 * waits. Written again it changes nothing. Returns false, and says so in the log, where the database did not take it:
 * the request itself stands elsewhere, and `expireHilRequests` writes it again.
 */
export async function recordConversation(ctx: ServiceContext, row: HilRow): Promise<boolean> {
  try {
    const { chats, ops } = ctx.db;
    const execution =
      row.execution_id === null
        ? undefined
        : await ops
            .selectFrom("ai_provider_executions")
            .select("provider_name")
            .where("execution_id", "=", row.execution_id)
            .executeTakeFirst();
    const isOpen = row.status === "open";
    const said = (seq: number, role: "assistant" | "user", content: string, at: string, meta: object) =>
      chats
        .insertInto("messages")
        .values({ conversation_id: row.id, seq, role, content, meta: JSON.stringify(meta), created_at: at })
        .onConflict((conflict) => conflict.columns(["conversation_id", "seq"]).doNothing());
    await batch(ctx.env.DB_CHATS, [
      chats
        .insertInto("ai_provider_conversations")
        .values({
          id: row.id,
          provider_name: execution?.provider_name ?? NO_PROVIDER,
          task_uuid: row.task_uuid,
          order_id: row.order_id,
          execution_id: row.execution_id,
          status: "waiting",
          created_at: row.created_at,
          updated_at: row.created_at,
        })
        .onConflict((conflict) => conflict.column("id").doNothing()),
      said(1, "assistant", row.question, row.created_at, { kind: row.kind }),
      ...(row.answer === null
        ? []
        : [said(2, "user", row.answer, row.answered_at ?? row.created_at, { by: row.answered_by })]),
      ...(isOpen
        ? []
        : [
            chats
              .updateTable("ai_provider_conversations")
              .set({ status: "closed", updated_at: row.answered_at ?? ctx.now().toISOString() })
              .where("id", "=", row.id)
              .where("status", "!=", "closed"),
          ]),
    ]);
    return true;
  } catch (error) {
    ctx.log.warn("a request to people was not written as a conversation", { id: row.id, error });
    return false;
  }
}
