import { fail, type Result, validationError } from "@shared/contracts";
import { z } from "zod";
import { NEWS_EVENT } from "../execution/steps.ts";
import type { ServiceContext } from "../../../context.ts";
import { type SignedDelivery, takeDelivery } from "../../webhooks/takeDelivery.ts";

export const JulesNewsSchema = z.object({
  /** The session of which there is news, as Jules names it. */
  session: z.string().regex(/^sessions\/[\w-]{1,100}$/),
});
export const WokenSchema = z.object({
  ok: z.literal(true),
  /** Whether an execution waits for that session. */
  woken: z.boolean(),
});

/** Both are optional: without the secret nobody is listened to, without the Workflow there is nobody to wake. */
type WebhookEnv = Env & { JULES_WEBHOOK_SECRET?: string; AGENT_EXECUTION?: Pick<Workflow, "get"> };

/**
 * Wakes the execution that polls a session of Jules, so that it looks at once. That is all: what Jules did is read from
 * Jules, and nothing of the delivery but the session's name is used. Errors: NOT_FOUND without a secret,
 * UNAUTHENTICATED, CONFLICT of a delivery that was taken already, MALFORMED_JSON, VALIDATION_FAILED.
 */
export async function wakeSession(
  ctx: Omit<ServiceContext, "env"> & { env: WebhookEnv },
  delivery: SignedDelivery,
): Promise<Result<{ woken: boolean }>> {
  const { JULES_WEBHOOK_SECRET: secret, AGENT_EXECUTION: executions } = ctx.env;
  if (!secret) return fail("NOT_FOUND", "this deployment takes no deliveries for Jules");
  const refused = await takeDelivery(ctx, "jules", secret, delivery);
  if (refused) return refused;
  const body = parseJson(delivery.body);
  if (body === undefined) return fail("MALFORMED_JSON", "the body is not JSON");
  const parsed = JulesNewsSchema.safeParse(body);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };

  const attempt = await runningAttemptQuery(ctx, parsed.data.session).executeTakeFirst();
  if (!attempt || !executions) return { ok: true, woken: false };
  try {
    const instance = await executions.get(attempt.execution_id);
    await instance.sendEvent({ type: NEWS_EVENT, payload: parsed.data });
    return { ok: true, woken: true };
  } catch (error) {
    // Over by now, or not to be reached: it polls by itself all the same.
    ctx.log.info("an execution could not be woken", { executionId: attempt.execution_id, error });
    return { ok: true, woken: false };
  }
}

export const runningAttemptQuery = (ctx: Pick<ServiceContext, "db">, session: string) =>
  ctx.db.ops
    .selectFrom("ai_provider_attempts")
    .select("execution_id")
    .where("external_id", "=", session)
    .where("provider_name", "=", "jules")
    .where("status", "=", "running")
    .limit(1);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
