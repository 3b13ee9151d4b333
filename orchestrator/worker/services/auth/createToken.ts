import { fail, type Result, ScopeSchema, validationError, WorkspaceIdSchema } from "@shared/contracts";
import { z } from "zod";
import { isAdmin, requireScope, type ServiceContext } from "../../context.ts";
import { hashOfToken, mintToken, randomBytes } from "./secret.ts";
import { type ApiToken, tokenOfRow } from "./token.ts";

const YEAR_SECONDS = 366 * 24 * 3600;

export const CreateTokenSchema = z.strictObject({
  name: z.string().min(1).max(200),
  scopes: z.array(ScopeSchema).min(1),
  /** Whom its holder may name as requester. Absent or null: anyone its maker may. */
  requesters: z.array(z.string().min(1).max(200)).max(100).nullable().default(null),
  /** The one workspace it is for. Absent or null: any its maker may touch. */
  workspaceId: WorkspaceIdSchema.nullable().default(null),
  /** Null: until it is revoked. */
  expiresInSeconds: z
    .number()
    .int()
    .positive()
    .max(YEAR_SECONDS)
    .nullable()
    .default(90 * 24 * 3600),
});
type CreateToken = Omit<z.infer<typeof CreateTokenSchema>, "workspaceId"> & { workspaceId: string | null };

/**
 * Makes a token. `token` is told this once: only its hash is kept. Needs `tokens:write`. Nobody but an administrator
 * gives away more than they have: no other scope, requester or workspace (FORBIDDEN), and no longer than their own
 * credential lasts (cut to it).
 */
export async function createToken(
  ctx: ServiceContext,
  input: unknown,
  random: (bytes: number) => Uint8Array = randomBytes,
): Promise<Result<{ token: string; apiToken: ApiToken }>> {
  const denied = requireScope(ctx, "tokens:write");
  if (denied) return denied;
  const parsed = CreateTokenSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const held = isAdmin(ctx.actor) ? { ok: true as const, wanted: parsed.data } : withinOwn(ctx, parsed.data);
  if (!held.ok) return held;
  const { name, scopes, requesters, workspaceId } = held.wanted;

  const { token, prefix } = mintToken(random);
  const now = ctx.now();
  const row = await ctx.db.ops
    .insertInto("api_tokens")
    .values({
      id: ctx.mintId(),
      name,
      prefix,
      hash: hashOfToken(token),
      scopes: JSON.stringify([...new Set(scopes)]),
      requesters: requesters === null ? null : JSON.stringify(requesters),
      workspace_id: workspaceId,
      created_by: ctx.actor.id,
      created_at: now.toISOString(),
      expires_at: expiryOf(ctx, held.wanted.expiresInSeconds),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return { ok: true, token, apiToken: tokenOfRow(row) };
}

/** What is asked for, if the caller has it; what was left open becomes what the caller has. */
function withinOwn({ actor }: ServiceContext, wanted: CreateToken): Result<{ wanted: CreateToken }> {
  const missing = wanted.scopes.find((scope) => !actor.scopes.has(scope));
  if (missing !== undefined) return fail("FORBIDDEN", `you do not have the scope ${missing} yourself`);
  const requesters = wanted.requesters ?? actor.requesters;
  const stranger = requesters?.find((name) => actor.requesters !== null && !actor.requesters.includes(name));
  if (stranger !== undefined) {
    return fail("FORBIDDEN", `you may not speak for the requester ${JSON.stringify(stranger)} yourself`);
  }
  if (actor.workspaceId !== null && (wanted.workspaceId ?? actor.workspaceId) !== actor.workspaceId) {
    return fail("FORBIDDEN", "you are confined to another workspace yourself");
  }
  return {
    ok: true,
    wanted: {
      ...wanted,
      requesters: requesters === null ? null : [...requesters],
      workspaceId: wanted.workspaceId ?? actor.workspaceId,
    },
  };
}

function expiryOf(ctx: ServiceContext, seconds: number | null): string | null {
  const { actor } = ctx;
  const wanted = seconds === null ? null : new Date(ctx.now().getTime() + seconds * 1000).toISOString();
  const own = isAdmin(actor) ? null : (actor.credential?.expiresAt ?? null);
  if (own === null) return wanted;
  return wanted === null || own < wanted ? own : wanted;
}
