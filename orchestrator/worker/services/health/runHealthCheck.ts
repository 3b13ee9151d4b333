import {
  type ExecuteHealthCheck,
  HEALTH_CHECK_PATHS,
  type HealthCheck,
  type HealthFault,
  HealthProfileSchema,
  HealthQuickSchema,
  ProblemSchema,
  type Result,
} from "@shared/contracts";
import { callbackUrlOf, type Clock, realClock, retrying, signedHeaders, type Tried, within } from "@shared/worker-kit";
import { z } from "zod";
import type { ServiceContext } from "../../context.ts";
import { nonceOf } from "./nonce.ts";
import { ORCHESTRATOR, ownDoors } from "./ownHealth.ts";
import { checkOfRow } from "./rows.ts";
import { settle } from "./settle.ts";
import { budgetMs } from "./startHealthCheck.ts";
import { submitResult } from "./submitResult.ts";
import { type HealthTarget, healthBindingOf, healthSecretOf, healthTargets } from "./targets.ts";

/** How a Worker is spoken to. */
interface Doors {
  quick(): Promise<Result<{ quick: unknown }>>;
  /** `delivered`: its result has reached us. */
  execute(check: ExecuteHealthCheck): Promise<Result<{ delivered: boolean }>>;
  /** The result as the Worker holds it, where its sending failed; null where it is not to be had so. */
  result: ((uuid: string) => Promise<Result<{ result: unknown }>>) | null;
  /** A Worker behind HTTP answers at once and sends its result later. */
  waits: boolean;
}

/**
 * Carries out a check that is queued: asks every Worker at the same time, and ends what could not be asked. Answers
 * false where somebody else has it. A result may come after this has answered; a Worker that stays silent is noticed by
 * the minute's run.
 */
export async function runHealthCheck(
  ctx: ServiceContext,
  uuid: string,
  clock: Clock = { ...realClock, now: () => ctx.now() },
): Promise<boolean> {
  const { DB_HEALTH } = ctx.env;
  // Conditional, so that of a message delivered twice, and of the minute's run, one carries it out.
  const claimed = await DB_HEALTH.prepare(CLAIM).bind(uuid, ctx.now().toISOString()).run();
  if (claimed.meta.changes === 0) return false;
  const row = await ctx.db.health.selectFrom("health_checks").selectAll().where("uuid", "=", uuid).executeTakeFirst();
  if (!row) return false;
  const check = checkOfRow(row);
  const workerChecks = await ctx.db.health
    .selectFrom("worker_health_checks")
    .select(["uuid", "worker_name"])
    .where("check_uuid", "=", uuid)
    .where("status", "=", "pending")
    .execute();
  const targets = new Map(healthTargets(ctx.env).map((target) => [target.name, target]));
  await Promise.all(
    workerChecks.map(async ({ uuid: workerCheck, worker_name: name }) => {
      try {
        await ask(ctx, clock, check, targets.get(name) ?? { name, url: null }, workerCheck);
      } catch (error) {
        // What went wrong with one keeps no other from its check; this one ends with its time.
        ctx.log.error("a Worker's check broke off", { worker: name, workerCheck, error });
      }
    }),
  );
  return true;
}

/** One Worker: whether it is there and is who it should be, with every retry; then its check, once. */
async function ask(
  ctx: ServiceContext,
  clock: Clock,
  check: HealthCheck,
  target: HealthTarget,
  uuid: string,
): Promise<void> {
  const { timeout_ms, max_retries } = check;
  const started = clock.now();
  const doors = doorsOf(ctx, clock, target);
  const reached = await retrying<null>(
    clock,
    { timeoutMs: timeout_ms, maxRetries: doors === null ? 0 : max_retries },
    () => reach(doors, target),
    () => tried("WORKER_TIMEOUT", `${target.name} did not answer within ${timeout_ms} ms`),
  );
  const end = (fault: NonNullable<Tried<null>["fault"]>) =>
    settle(ctx, {
      uuid,
      checkUuid: check.uuid,
      worker: target.name,
      status: fault.code === "WORKER_TIMEOUT" || fault.code === "WORKER_SILENT" ? "timed_out" : "failed",
      ...fault,
      dispatches: reached.attempts,
      startedAt: started.toISOString(),
      durationMs: Math.max(0, clock.now().getTime() - started.getTime()),
      by: "dispatch",
    });
  if (reached.last.fault !== null || doors === null) {
    await end(reached.last.fault ?? { code: "WORKER_UNBOUND", message: null });
    return;
  }
  await ctx.env.DB_HEALTH.prepare(REACHED).bind(uuid, JSON.stringify(reached.attempts)).run();

  const fault = await execute(ctx, clock, doors, {
    worker_check_uuid: uuid,
    worker: target.name,
    profiles: ProfilesSchema.parse(check.profiles),
    timeout_ms,
    max_retries,
    callback_url: callbackUrlOf(ctx.env) ?? "",
    nonce: nonceOf(ctx.env, uuid),
  });
  if (fault !== null) await end(fault);
}

/** Null where the result is here, or will come by itself. */
async function execute(
  ctx: ServiceContext,
  clock: Clock,
  doors: Doors,
  check: ExecuteHealthCheck,
): Promise<NonNullable<Tried<null>["fault"]> | null> {
  const budget = budgetMs(check.timeout_ms, check.max_retries) / 2;
  try {
    const outcome = await within(clock, budget, () => doors.execute(check));
    if (outcome.late) return { code: "WORKER_TIMEOUT", message: `no result within ${budget} ms` };
    const { value } = outcome;
    if (!value.ok)
      return { code: "WORKER_REFUSED", message: `${value.error.code}: ${value.error.message}`.slice(0, 300) };
    if (value.delivered || doors.waits) return null;
    const held = await doors.result?.(check.worker_check_uuid);
    if (held?.ok) {
      const taken = await submitResult(ctx, held.result, { kind: "binding", worker: check.worker });
      if (taken.ok || taken.error.code === "HEALTH_CALLBACK_REPEATED") return null;
    }
    return { code: "WORKER_SILENT", message: "it ran its check and its result did not come" };
  } catch (error) {
    return { code: "WORKER_UNREACHABLE", message: `its check broke off: ${nameOf(error)}` };
  }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : "something that is no error");

const tried = (code: HealthFault, message: string): Tried<null> => ({
  value: null,
  fault: { code, message: message.slice(0, 300) },
});

async function reach(doors: Doors | null, { name }: HealthTarget): Promise<Tried<null>> {
  if (doors === null) return tried("WORKER_UNBOUND", `${name} has neither a binding nor an address`);
  try {
    const answer = await doors.quick();
    if (!answer.ok) {
      const isRefusal = answer.error.code === "UNAUTHENTICATED" || answer.error.code === "NOT_FOUND";
      return tried(isRefusal ? "WORKER_REFUSED" : "WORKER_UNREACHABLE", `${name} answers ${answer.error.code}`);
    }
    const quick = HealthQuickSchema.safeParse(answer.quick);
    if (!quick.success) return tried("WORKER_UNREACHABLE", `${name} answers in another shape`);
    return { value: null, fault: null };
  } catch (error) {
    return tried("WORKER_UNREACHABLE", `${name} cannot be called: ${nameOf(error)}`);
  }
}

function doorsOf(ctx: ServiceContext, clock: Clock, target: HealthTarget): Doors | null {
  if (target.url !== null) return doorsAt(ctx, target.url);
  if (target.name === ORCHESTRATOR) {
    const own = ownDoors(ctx, clock);
    return {
      quick: async () => own.quick(),
      execute: async (check) => {
        const accepted = own.accept(check);
        return accepted.ok ? { ok: true, delivered: await accepted.run() } : accepted;
      },
      result: async (uuid) => own.result({ worker_check_uuid: uuid }),
      waits: false,
    };
  }
  const binding = healthBindingOf(ctx.env, target.name);
  if (binding === null) return null;
  return {
    quick: () => binding.quick(),
    execute: (check) => binding.execute(check),
    result: (uuid) => binding.result({ worker_check_uuid: uuid }),
    waits: false,
  };
}

const AnswerSchema = z.looseObject({ ok: z.literal(true) });

/** A Worker elsewhere: each request is signed with the secret it shares with us. */
function doorsAt(ctx: ServiceContext, base: string): Doors {
  const secret = healthSecretOf(ctx.env) ?? "";
  const send = async (method: "GET" | "POST", path: string, body = ""): Promise<Result<Record<string, unknown>>> => {
    const response = await fetch(new URL(path, base), {
      method,
      headers: {
        ...signedHeaders(secret, { method, path, body }, ctx.now()),
        ...(method === "POST" ? { "content-type": "application/json" } : {}),
      },
      ...(method === "POST" ? { body } : {}),
      // Signed for this address alone.
      redirect: "manual",
    });
    const answer: unknown = await response.json();
    const problem = ProblemSchema.safeParse(answer);
    if (problem.success) return { ok: false, error: problem.data.error };
    return AnswerSchema.parse(answer);
  };
  return {
    quick: async () => {
      const answer = await send("GET", HEALTH_CHECK_PATHS.quick);
      return answer.ok ? { ok: true, quick: answer.quick } : answer;
    },
    execute: async (check) => {
      const answer = await send("POST", HEALTH_CHECK_PATHS.execute, JSON.stringify(check));
      return answer.ok ? { ok: true, delivered: false } : answer;
    },
    result: null,
    waits: true,
  };
}

const ProfilesSchema = z.array(HealthProfileSchema);

const CLAIM = `UPDATE health_checks SET status = 'running', started_at = ?2 WHERE uuid = ?1 AND status = 'queued'`;
const REACHED = `UPDATE worker_health_checks SET dispatches = ?2 WHERE uuid = ?1 AND status = 'pending'`;
