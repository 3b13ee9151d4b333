import { fail, type Result, SCOPES, type WhoAmI } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { sessionOfRow, sessionsWithTokens } from "./session.ts";

/** Who the caller is and what they may do. Anyone signed in may ask. Errors: UNAUTHENTICATED. */
export async function whoAmI(ctx: ServiceContext): Promise<Result<{ who: WhoAmI }>> {
  const { id, scopes, requesters, workspaceId, credential } = ctx.actor;
  if (!credential || credential.kind === "ticket") return fail("UNAUTHENTICATED", "nobody is signed in");
  const row =
    credential.kind === "session"
      ? await sessionsWithTokens(ctx.db).where("s.id", "=", credential.id).executeTakeFirst()
      : undefined;
  return {
    ok: true,
    who: {
      actor: id,
      via: credential.kind,
      // In the contract's order, whatever order they were given in.
      scopes: SCOPES.filter((scope) => scopes.has(scope)),
      requesters: requesters === null ? null : [...requesters],
      workspaceId,
      expiresAt: credential.expiresAt,
      session: row === undefined ? null : sessionOfRow(row, credential.id),
      githubUrl: ctx.env.GITHUB_WEB_URL,
    },
  };
}
