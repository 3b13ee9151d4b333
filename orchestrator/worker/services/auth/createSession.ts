import { CreateSessionSchema, fail, type Result, type Session, validationError } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { authenticate } from "./authenticate.ts";
import { hashOfToken } from "./secret.ts";
import { sessionOfRow, sessionsWithTokens, tokenIdOf } from "./session.ts";

/** How long a browser stays signed in, unless its token ends before. */
const SESSION_SECONDS = 7 * 24 * 3600;
/** Sessions that ended so long ago are swept when another begins. */
const KEPT_SECONDS = 30 * 24 * 3600;
const MAX_USER_AGENT = 300;

/**
 * Trades a token for a session, which may do what the token may and ends with it. Public: the token is the proof.
 * Errors: VALIDATION_FAILED, UNAUTHENTICATED, DATABASE_UNAVAILABLE.
 */
export async function createSession(
  ctx: ServiceContext,
  input: unknown,
  userAgent: string | null,
): Promise<Result<{ session: Session }>> {
  const parsed = CreateSessionSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  if (!ctx.env.SESSION_SECRET) return fail("FORBIDDEN", "sign-in is off: the instance has no SESSION_SECRET");
  const { token } = parsed.data;
  // Waited for: what a request leaves running ends with it.
  const started: Promise<unknown>[] = [];
  const who = await authenticate(ctx.env, token, { ...ctx, background: (work) => void started.push(work) });
  await Promise.all(started);
  if (!who.ok) return who;
  const { actor } = who;

  const now = ctx.now();
  const after = (seconds: number): string => new Date(now.getTime() + seconds * 1000).toISOString();
  const longest = after(SESSION_SECONDS);
  const tokenEnd = actor.credential?.expiresAt ?? longest;
  const id = ctx.mintId();
  await ctx.db.ops
    .insertInto("sessions")
    .values({
      id,
      actor: actor.id,
      token_id: tokenIdOf(actor.credential?.id ?? ""),
      token_hash: hashOfToken(token),
      user_agent: userAgent === null ? null : userAgent.slice(0, MAX_USER_AGENT),
      created_at: now.toISOString(),
      expires_at: tokenEnd < longest ? tokenEnd : longest,
    })
    .execute();
  await ctx.db.ops.deleteFrom("sessions").where("expires_at", "<", after(-KEPT_SECONDS)).execute();
  const row = await sessionsWithTokens(ctx.db).where("s.id", "=", id).executeTakeFirstOrThrow();
  return { ok: true, session: sessionOfRow(row, id) };
}
