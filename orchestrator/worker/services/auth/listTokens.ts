import type { Result } from "@shared/contracts";
import { isAdmin, requireScope, type ServiceContext } from "../../context.ts";
import { KeysetSchema, type Place, pageOf, readList } from "../keyset.ts";
import { type ApiToken, tokenOfRow } from "./token.ts";

/** The tokens the caller has made, newest first, revoked and expired ones too; to an administrator, all. Needs `tokens:read`. */
export async function listTokens(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ tokens: ApiToken[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "tokens:read");
  if (denied) return denied;
  const list = readList(KeysetSchema, input);
  if (!list.ok) return list;
  const { query, after } = list;
  const maker = isAdmin(ctx.actor) ? null : ctx.actor.id;
  const rows = await tokensQuery(ctx.db, maker, after, query.limit + 1).execute();
  const { items, cursor } = pageOf(rows, query.limit, tokenOfRow);
  return { ok: true, tokens: items, cursor };
}

/** `maker` null: anyone's. */
export function tokensQuery(db: ServiceContext["db"], maker: string | null, after: Place | null, limit: number) {
  let query = db.ops.selectFrom("api_tokens").selectAll().orderBy("created_at", "desc").orderBy("id", "desc");
  if (maker !== null) query = query.where("created_by", "=", maker);
  if (after) {
    query = query.where((eb) => eb(eb.refTuple("created_at", "id"), "<", eb.tuple(after.createdAt, after.id)));
  }
  return query.limit(limit);
}
