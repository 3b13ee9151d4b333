import {
  type ApplyResult,
  BatchOutcomeSchema,
  fail,
  FulfilPhaseSchema,
  PatchEventSchema,
  validationError,
  VibeErrorSchema,
} from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { factoryOf } from "../../integrations/factories.ts";
import { findOrder } from "./getOrder.ts";

const results = z.array(PatchEventSchema);
const AnswerSchema = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), outcome: BatchOutcomeSchema, results }),
  z.object({
    ok: z.literal(false),
    error: VibeErrorSchema,
    outcome: BatchOutcomeSchema.optional(),
    results: results.optional(),
  }),
]);

/**
 * Hands a phase to the order's factory and answers with what became of its batch. Needs `orders:write`.
 * Errors: NOT_FOUND, FORBIDDEN, FACTORY_UNAVAILABLE (in doubt: ask again with the same batchId), and the factory's own.
 */
export async function fulfilPhase(ctx: ServiceContext, input: unknown): Promise<ApplyResult> {
  const denied = requireScope(ctx, "orders:write");
  if (denied) return denied;
  const parsed = FulfilPhaseSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const phase = parsed.data;
  const found = await findOrder(ctx, phase.orderId);
  if (!found.ok) return found;
  const { order } = found;
  const factory = factoryOf(ctx.env, order.factory);
  const silent = fail("FACTORY_UNAVAILABLE", `${order.factory} did not answer; the phase may have reached it`, {
    nothingWritten: null,
  });
  if (!factory) return silent;
  try {
    const answer = AnswerSchema.safeParse(await factory.fulfilPhase(phase));
    if (answer.success) return answer.data;
    ctx.log.error("a factory answered out of shape", { factory: order.factory, error: answer.error });
  } catch (error) {
    ctx.log.error("a factory did not answer", { factory: order.factory, error });
  }
  return silent;
}
