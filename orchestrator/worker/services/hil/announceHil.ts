import { WebSocketMessageResponses } from "@shared/contracts";
import { type ServiceContext, systemActor } from "../../context.ts";
import { publish } from "../phase/publish.ts";
import type { HilRow } from "./hilRow.ts";

const WORDS: Record<HilRow["status"], string> = {
  open: "Waits for a person",
  answered: "Answered",
  expired: "Nobody answered in time",
  cancelled: "Not asked any more",
};

/**
 * Tells the rooms `all` and the order's own of a request as it now stands: a `conversation_state` message, its `data.hil`
 * the request without its texts. A hint: who missed it finds the same in the list, so a failure is only logged.
 */
export async function announceHil(ctx: ServiceContext, row: HilRow): Promise<void> {
  // Whoever asks or answers need not be able to write events; that this happened is the house's own word.
  const system = { ...ctx, actor: systemActor("hil") };
  try {
    const told = await publish(system, {
      type: WebSocketMessageResponses.CONVERSATION_STATE,
      ...(row.workspace_id === null ? {} : { workspaceId: row.workspace_id }),
      ...(row.order_id === null ? {} : { orderId: row.order_id }),
      message: WORDS[row.status],
      data: {
        hil: {
          id: row.id,
          kind: row.kind,
          status: row.status,
          executionId: row.execution_id,
          taskId: row.task_uuid,
          answeredBy: row.answered_by,
        },
      },
    });
    if (!told.ok) ctx.log.warn("a request to people was not announced", { id: row.id, code: told.error.code });
  } catch (error) {
    ctx.log.warn("a request to people was not announced", { id: row.id, error });
  }
}
