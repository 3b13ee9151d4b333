import type { Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { announceHil } from "./announceHil.ts";
import { recordConversation } from "./conversation.ts";

/**
 * Withdraws what a run still asks of people, as it is over or was answered otherwise. What is decided stays. Nobody is
 * woken: the caller is who ended the run. Needs `ai:write`.
 */
export async function cancelHilRequests(
  ctx: ServiceContext,
  { executionId }: { executionId: string },
): Promise<Result<{ cancelled: number }>> {
  const denied = requireScope(ctx, "ai:write");
  if (denied) return denied;
  const rows = await ctx.db.ops
    .updateTable("hil_requests")
    .set({ status: "cancelled" })
    .where("execution_id", "=", executionId)
    .where("status", "=", "open")
    .returningAll()
    .execute();
  for (const row of rows) await Promise.all([recordConversation(ctx, row), announceHil(ctx, row)]);
  return { ok: true, cancelled: rows.length };
}
