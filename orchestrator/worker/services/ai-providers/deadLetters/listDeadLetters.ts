import { type DeadLetter, DeadLetterSchema, type Result } from "@shared/contracts";
import type { z } from "zod";
import type { ServiceContext } from "../../../context.ts";
import { KeysetSchema, pageOf, type Place, readList } from "../../keyset.ts";
import { deadLetterOfRow, requireDeadLetters } from "./deadLetterOfRow.ts";

export const ListDeadLettersSchema = KeysetSchema.extend({ status: DeadLetterSchema.shape.status.optional() });
type ListDeadLetters = z.infer<typeof ListDeadLettersSchema>;

/** Messages that were given up, the newest first. Needs `ai:read`, for everything. */
export async function listDeadLetters(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ deadLetters: DeadLetter[]; cursor: string | null }>> {
  const denied = requireDeadLetters(ctx, "ai:read");
  if (denied) return denied;
  const list = readList(ListDeadLettersSchema, input);
  if (!list.ok) return list;
  const { query, after } = list;
  const rows = await deadLettersQuery(ctx, query, after).execute();
  const { items, cursor } = pageOf(rows, query.limit, deadLetterOfRow);
  return { ok: true, deadLetters: items, cursor };
}

export function deadLettersQuery(ctx: Pick<ServiceContext, "db">, filter: ListDeadLetters, after: Place | null) {
  let query = ctx.db.ops.selectFrom("ai_dead_letters").selectAll();
  if (filter.status !== undefined) query = query.where("status", "=", filter.status);
  if (after) query = query.where((eb) => eb(eb.refTuple("created_at", "id"), "<", eb.tuple(after.createdAt, after.id)));
  return query
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(filter.limit + 1);
}
