import type { Result } from "@shared/contracts";
import { sql } from "kysely";
import { requireScope, type ServiceContext } from "../../context.ts";
import { announceHil } from "./announceHil.ts";
import { recordConversation } from "./conversation.ts";
import { tellExecution } from "./tellExecution.ts";

/** Requests worked off in one run; what is left is the next run's. */
const PAGE = 100;
/** An answer younger than this is being told by whoever stored it. */
const TELLING_MS = 60_000;
/** A run that could not be told for so long is not there any more. */
const GIVE_UP_MS = 7 * 86_400_000;
/** Conversations looked at in one run. */
const CONVERSATIONS = 1_000;

/**
 * Ends requests whose time is over, and makes good what a decision could not do at its time: wakes the runs that were not
 * told, and closes conversations that were left waiting. Run every few minutes; twice at once does no harm. Needs `ai:write`.
 */
export async function expireHilRequests(
  ctx: ServiceContext,
): Promise<Result<{ expired: number; told: number; closed: number }>> {
  const denied = requireScope(ctx, "ai:write");
  if (denied) return denied;
  const { ops } = ctx.db;
  const now = ctx.now();
  const at = now.toISOString();
  // `answered_at` is when it was decided, by whatever.
  const expired = await ops
    .updateTable("hil_requests")
    .set({ status: "expired", answered_at: at })
    .where("status", "=", "open")
    .where("id", "in", (eb) =>
      eb
        .selectFrom("hil_requests")
        .select("id")
        .where("status", "=", "open")
        .where("expires_at", "<=", at)
        .orderBy("expires_at")
        .limit(PAGE),
    )
    .returningAll()
    .execute();
  for (const row of expired) {
    await Promise.all([tellExecution(ctx, row), recordConversation(ctx, row), announceHil(ctx, row)]);
  }

  const since = (ms: number): string => new Date(now.getTime() - ms).toISOString();
  const untold = await untoldQuery(ctx, since(GIVE_UP_MS), since(TELLING_MS)).execute();
  let told = 0;
  for (const row of untold) if (await tellExecution(ctx, row)) told += 1;
  return { ok: true, expired: expired.length, told, closed: await closeConversations(ctx) };
}

export const untoldQuery = (ctx: Pick<ServiceContext, "db">, after: string, before: string) =>
  ctx.db.ops
    .selectFrom("hil_requests")
    .selectAll()
    .where("told_at", "is", null)
    .where("answered_at", ">", after)
    .where("answered_at", "<", before)
    .orderBy("answered_at")
    .limit(PAGE);

/** Conversations that wait although their request is decided. */
async function closeConversations(ctx: ServiceContext): Promise<number> {
  const waiting = await ctx.db.chats
    .selectFrom("ai_provider_conversations")
    .select("id")
    .where("status", "=", "waiting")
    .orderBy("updated_at")
    .limit(CONVERSATIONS)
    .execute();
  if (waiting.length === 0) return 0;
  const decided = await ctx.db.ops
    .selectFrom("hil_requests")
    .selectAll()
    .where(sql<boolean>`id IN (SELECT value FROM json_each(${JSON.stringify(waiting.map(({ id }) => id))}))`)
    .where("status", "!=", "open")
    .execute();
  let closed = 0;
  for (const row of decided) if (await recordConversation(ctx, row)) closed += 1;
  return closed;
}
