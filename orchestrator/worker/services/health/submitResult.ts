import {
  fail,
  findIllFormedString,
  HealthResultSchema,
  MAX_HEALTH_RESULT_BYTES,
  type Result,
  validationError,
} from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { nonceHashOf } from "./nonce.ts";
import { settle } from "./settle.ts";

/** By which way a result came: a binding names the Worker behind it, a signature only says that it is one of ours. */
export type Sender = { kind: "binding"; worker: string } | { kind: "signed" };

/**
 * Takes the result of one Worker's check, once. The nonce binds it: it was given to that Worker for that check alone.
 * Errors: VALIDATION_FAILED, BODY_TOO_LARGE, HEALTH_CALLBACK_FORGED (no check bears this nonce), HEALTH_CALLBACK_MISMATCHED
 * (another check or Worker does), HEALTH_CALLBACK_REPEATED, HEALTH_CALLBACK_LATE.
 */
export async function submitResult(
  ctx: ServiceContext,
  input: unknown,
  sender: Sender,
): Promise<Result<{ status: string }>> {
  const parsed = HealthResultSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const result = parsed.data;
  if (findIllFormedString(result)) return fail("ILL_FORMED_UNICODE", "a text holds half of a surrogate pair");
  if (JSON.stringify(result).length > MAX_HEALTH_RESULT_BYTES) {
    return fail("BODY_TOO_LARGE", `a result has at most ${MAX_HEALTH_RESULT_BYTES} bytes`);
  }
  const refused = (code: Parameters<typeof fail>[0], message: string) => {
    ctx.log.warn("a health callback was refused", { code, worker: result.worker, check: result.worker_check_uuid });
    return fail(code, message);
  };
  const row = await resultTarget(ctx.db, nonceHashOf(result.nonce)).executeTakeFirst();
  if (!row) return refused("HEALTH_CALLBACK_FORGED", "no check bears this nonce");
  const isFor = row.uuid === result.worker_check_uuid && row.worker_name === result.worker;
  if (!isFor || (sender.kind === "binding" && sender.worker !== row.worker_name)) {
    return refused("HEALTH_CALLBACK_MISMATCHED", "the nonce is that of another check");
  }
  if (row.settled_by?.startsWith("result:"))
    return refused("HEALTH_CALLBACK_REPEATED", "this result was taken already");
  if (row.status !== "pending" || ctx.now().toISOString() > row.deadline_at) {
    return refused("HEALTH_CALLBACK_LATE", "this check is over: its result came too late");
  }
  const last = result.attempts.at(-1);
  const passed = result.status === "passed";
  const ended = await settle(ctx, {
    uuid: row.uuid,
    checkUuid: row.check_uuid,
    worker: row.worker_name,
    status: result.status,
    code: passed ? null : (last?.code ?? "PROFILE_THREW"),
    message: passed ? null : (last?.message ?? null),
    workerType: result.worker_type,
    version: result.version,
    attempts: result.attempts,
    results: result.results,
    startedAt: result.started_at,
    durationMs: result.duration_ms,
    by: "result",
  });
  return ended
    ? { ok: true, status: result.status }
    : refused("HEALTH_CALLBACK_REPEATED", "this result was taken already");
}

export const resultTarget = (db: ServiceContext["db"], nonceHash: string) =>
  db.health
    .selectFrom("worker_health_checks")
    .select(["uuid", "check_uuid", "worker_name", "status", "deadline_at", "settled_by"])
    .where("nonce_hash", "=", nonceHash);
