import type { Result } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { revokeSession } from "./revokeSession.ts";

/** Signs the caller's browser out. Who came with a token has no session to end, which is what was asked for. */
export async function endSession(ctx: ServiceContext): Promise<Result<object>> {
  const { credential } = ctx.actor;
  return credential?.kind === "session" ? revokeSession(ctx, { id: credential.id }) : { ok: true };
}
