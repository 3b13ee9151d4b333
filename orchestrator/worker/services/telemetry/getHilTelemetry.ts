import type { HilTelemetry, Result } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { rowsOf } from "../../database/batch.ts";
import { requireAllPatches } from "../analytics/access.ts";

const DAY_MS = 86_400_000;

/**
 * What waits for a person. Needs `patches:read`. Throws where a database does not answer; the door answers that with
 * DATABASE_UNAVAILABLE.
 */
export async function getHilTelemetry(ctx: ServiceContext): Promise<Result<HilTelemetry>> {
  const denied = requireAllPatches(ctx);
  if (denied) return denied;
  const now = ctx.now();
  const dayAgo = new Date(now.getTime() - DAY_MS).toISOString();
  const { DB_OPS, DB_CHATS, DB_PROJECTS } = ctx.env;
  const [ops, conversations, tasks] = await Promise.all([
    DB_OPS.batch<never>([
      DB_OPS.prepare(WAITING_EXECUTIONS),
      DB_OPS.prepare(OPEN_REQUESTS),
      DB_OPS.prepare(DECIDED_REQUESTS).bind(dayAgo),
    ]),
    DB_CHATS.prepare(WAITING_CONVERSATIONS).first<Waiting>(),
    DB_PROJECTS.prepare(FAILED_TASKS).first<Waiting>(),
  ]);
  const [executions] = rowsOf<Waiting>(ops[0]);
  const [open] = rowsOf<Open>(ops[1]);
  const [decided] = rowsOf<Decided>(ops[2]);
  const since = [executions, conversations, tasks, open].flatMap((part) => part?.since ?? []).toSorted()[0];
  return {
    ok: true,
    ts: now.toISOString(),
    queue: {
      available: true,
      open: open?.number ?? 0,
      clarifications: open?.clarifications ?? 0,
      plans: open?.plans ?? 0,
      failures: open?.failures ?? 0,
      since: open?.since ?? null,
      expires_at: open?.expires_at ?? null,
      answered: decided?.answered ?? 0,
      expired: decided?.expired ?? 0,
      waited_ms: decided?.waited_ms ?? null,
    },
    waiting: {
      executions: executions?.number ?? 0,
      conversations: conversations?.number ?? 0,
      failed_tasks: tasks?.number ?? 0,
      since: since ?? null,
    },
  };
}

interface Waiting {
  number: number;
  since: string | null;
}
interface Open extends Waiting {
  clarifications: number | null;
  plans: number | null;
  failures: number | null;
  expires_at: string | null;
}
interface Decided {
  answered: number | null;
  expired: number | null;
  waited_ms: number | null;
}

const WAITING_EXECUTIONS = `
  SELECT count(*) AS number, min(created_at) AS since FROM ai_provider_executions WHERE status = 'waiting'`;
const OPEN_REQUESTS = `
  SELECT count(*) AS number, min(created_at) AS since, min(expires_at) AS expires_at,
    sum(kind = 'clarification') AS clarifications, sum(kind = 'plan-approval') AS plans, sum(kind = 'failure') AS failures
  FROM hil_requests WHERE status = 'open'`;
/** Julian days are what SQLite subtracts; a day has 86,400,000 ms. */
const DECIDED_REQUESTS = `
  SELECT sum(status = 'answered') AS answered, sum(status = 'expired') AS expired,
    round(avg(CASE status WHEN 'answered' THEN (julianday(answered_at) - julianday(created_at)) * 86400000 END)) AS waited_ms
  FROM hil_requests WHERE answered_at >= ?1`;
const WAITING_CONVERSATIONS = `
  SELECT count(*) AS number, min(updated_at) AS since FROM ai_provider_conversations WHERE status = 'waiting'`;
/** A task of an order that is over waits for no one. */
const FAILED_TASKS = `
  SELECT count(*) AS number, min(tasks.updated_at) AS since FROM tasks JOIN orders ON orders.id = tasks.order_id
  WHERE tasks.status = 'failed' AND orders.status IN ('received', 'in_progress')`;
