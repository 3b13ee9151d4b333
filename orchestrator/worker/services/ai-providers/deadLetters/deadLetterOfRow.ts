import { type DeadLetter, DeadLetterSchema, fail, type Failed } from "@shared/contracts";
import type { Selectable } from "kysely";
import { requireScope, type ServiceContext } from "../../../context.ts";
import type { OpsDatabase } from "../../../database/schema.ts";
import { requireEverything } from "../access.ts";

export const deadLetterOfRow = (row: Selectable<OpsDatabase["ai_dead_letters"]>): DeadLetter =>
  DeadLetterSchema.parse({ ...row, message: JSON.parse(row.message) });

/** FORBIDDEN unless the caller has the scope for all: a queue's letters are of all workspaces and factories. */
export const requireDeadLetters = (ctx: ServiceContext, scope: "ai:read" | "ai:write"): Failed | null =>
  requireScope(ctx, scope) ?? requireEverything(ctx);

/** Why a letter that is not dead was not decided on: NOT_FOUND, or CONFLICT with what was decided. */
export async function refusalOf(ctx: ServiceContext, id: string): Promise<Failed> {
  const row = await ctx.db.ops.selectFrom("ai_dead_letters").select("status").where("id", "=", id).executeTakeFirst();
  return row
    ? fail("CONFLICT", `this message was ${row.status} already`)
    : fail("NOT_FOUND", "there is no such message");
}
