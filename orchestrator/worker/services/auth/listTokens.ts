import type { Result } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../context.ts";
import { KeysetSchema, type Place, pageOf, readList } from "../keyset.ts";
import { type ApiToken, tokenOfRow } from "./token.ts";

/** The tokens, newest first, revoked and expired ones too. Needs `admin`. */
export async function listTokens(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ tokens: ApiToken[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "admin");
  if (denied) return denied;
  const list = readList(KeysetSchema, input);
  if (!list.ok) return list;
  const { query, after } = list;
  const rows = await tokensQuery(ctx.db, after, query.limit + 1).execute();
  const { items, cursor } = pageOf(rows, query.limit, tokenOfRow);
  return { ok: true, tokens: items, cursor };
}

export function tokensQuery(db: ServiceContext["db"], after: Place | null, limit: number) {
  const query = db.ops.selectFrom("api_tokens").selectAll().orderBy("created_at", "desc").orderBy("id", "desc");
  return (
    after ? query.where((eb) => eb(eb.refTuple("created_at", "id"), "<", eb.tuple(after.createdAt, after.id))) : query
  ).limit(limit);
}
