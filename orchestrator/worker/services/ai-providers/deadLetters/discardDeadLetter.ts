import type { DeadLetter, Result } from "@shared/contracts";
import type { ServiceContext } from "../../../context.ts";
import { deadLetterOfRow, refusalOf, requireDeadLetters } from "./deadLetterOfRow.ts";

/** Puts a dead message aside for good; its row stays. Needs `ai:write`, for everything. Errors: NOT_FOUND, CONFLICT (decided already). */
export async function discardDeadLetter(
  ctx: ServiceContext,
  { id }: { id: string },
): Promise<Result<{ deadLetter: DeadLetter }>> {
  const denied = requireDeadLetters(ctx, "ai:write");
  if (denied) return denied;
  // Conditional, so that of a discard and a redrive at once exactly one decides.
  const row = await ctx.db.ops
    .updateTable("ai_dead_letters")
    .set({ status: "discarded" })
    .where("id", "=", id)
    .where("status", "=", "dead")
    .returningAll()
    .executeTakeFirst();
  return row ? { ok: true, deadLetter: deadLetterOfRow(row) } : refusalOf(ctx, id);
}
