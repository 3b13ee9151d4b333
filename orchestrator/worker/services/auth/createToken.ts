import { type Result, ScopeSchema, validationError, WorkspaceIdSchema } from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { hashOfToken, mintToken, randomBytes } from "./secret.ts";
import { type ApiToken, tokenOfRow } from "./token.ts";

const YEAR_SECONDS = 366 * 24 * 3600;

export const CreateTokenSchema = z.strictObject({
  name: z.string().min(1).max(200),
  scopes: z.array(ScopeSchema).min(1),
  /** Whom its holder may name as requester. Absent or null: anyone. */
  requesters: z.array(z.string().min(1).max(200)).max(100).nullable().default(null),
  /** The one workspace it is for. Absent or null: any. */
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

/** Makes a token. `token` is told this once: only its hash is kept. Needs `admin`. */
export async function createToken(
  ctx: ServiceContext,
  input: unknown,
  random: (bytes: number) => Uint8Array = randomBytes,
): Promise<Result<{ token: string; apiToken: ApiToken }>> {
  const denied = requireScope(ctx, "admin");
  if (denied) return denied;
  const parsed = CreateTokenSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { name, scopes, requesters, workspaceId, expiresInSeconds } = parsed.data;

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
      expires_at: expiresInSeconds === null ? null : new Date(now.getTime() + expiresInSeconds * 1000).toISOString(),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return { ok: true, token, apiToken: tokenOfRow(row) };
}
