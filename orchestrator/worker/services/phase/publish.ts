import {
  fail,
  findIllFormedString,
  JsonObjectSchema,
  OrderIdSchema,
  PhaseMessageTypeSchema,
  ProjectIdSchema,
  type Result,
  validationError,
} from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { addressed, inWorkspace } from "../workspace/workspaceObject.ts";

/** UTF-16 units of JSON that a message's data may have: it becomes one row and one socket message. */
const MAX_DATA = 200_000;

const ReportPhaseSchema = z.object({
  type: PhaseMessageTypeSchema,
  orderId: OrderIdSchema.optional(),
  workspaceId: z.string().optional(),
  projectId: ProjectIdSchema.optional(),
  phase: z.string().max(200).optional(),
  message: z.string().max(4000).optional(),
  data: JsonObjectSchema.optional(),
});

/**
 * Publishes a message about a factory's work: a link in the workspace's custody chain, from there a row in D1 and a
 * message in its rooms. Needs `events:write`. Not idempotent: each call is a message.
 */
export async function publish(ctx: ServiceContext, input: unknown): Promise<Result<{ seq: number }>> {
  const denied = requireScope(ctx, "events:write");
  if (denied) return denied;
  const parsed = ReportPhaseSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  if (findIllFormedString(parsed.data)) return fail("ILL_FORMED_UNICODE", "a text holds half of a surrogate pair");
  const { type, orderId, workspaceId, projectId, phase, message, data } = parsed.data;
  if (data !== undefined && JSON.stringify(data).length > MAX_DATA) {
    return fail("BODY_TOO_LARGE", `data: at most ${MAX_DATA} characters of JSON`);
  }
  const named = addressed({ workspaceId, orderId, projectId });
  if (!named.ok) return named;
  const draft = {
    kind: "phase" as const,
    event_type: type,
    ts: ctx.now().toISOString(),
    actor: ctx.actor.id,
    batch_id: null,
    order_id: orderId ?? null,
    project_id: projectId ?? null,
    patch_id: null,
    file: null,
    op: null,
    task_id: null,
    ts_check_ok: null,
    diff_path: null,
    log: null,
    meta: {
      ...(phase === undefined ? {} : { phase }),
      ...(message === undefined ? {} : { message }),
      ...(data === undefined ? {} : { data }),
    },
  };
  const published = await inWorkspace(ctx, named.workspaceId, (stub, id) => stub.publish(id, draft));
  return published.ok ? { ok: true, seq: published.answer.seq } : published;
}
