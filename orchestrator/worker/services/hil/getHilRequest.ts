import { fail, type HilRequest, type Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { requireWorkAccess } from "../ai-providers/access.ts";
import { hilOfRow } from "./hilRow.ts";

/** What was asked of people, and how it was answered. Needs `hil:read`. Errors: NOT_FOUND, FORBIDDEN. */
export async function getHilRequest(
  ctx: ServiceContext,
  { id }: { id: string },
): Promise<Result<{ request: HilRequest }>> {
  const denied = requireScope(ctx, "hil:read");
  if (denied) return denied;
  const row = await ctx.db.ops.selectFrom("hil_requests").selectAll().where("id", "=", id).executeTakeFirst();
  if (!row) return fail("NOT_FOUND", "there is no such request");
  return (await requireWorkAccess(ctx, row)) ?? { ok: true, request: hilOfRow(row) };
}
