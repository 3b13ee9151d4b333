import type { HilTelemetry, Result } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { requireAllPatches } from "../analytics/access.ts";

/**
 * What waits for a person. Needs `patches:read`. Throws where a database does not answer; the door answers that with
 * DATABASE_UNAVAILABLE.
 */
export async function getHilTelemetry(ctx: ServiceContext): Promise<Result<HilTelemetry>> {
  const denied = requireAllPatches(ctx);
  if (denied) return denied;
  const { DB_OPS, DB_CHATS, DB_PROJECTS } = ctx.env;
  const [executions, conversations, tasks] = await Promise.all([
    DB_OPS.prepare(WAITING_EXECUTIONS).first<Waiting>(),
    DB_CHATS.prepare(WAITING_CONVERSATIONS).first<Waiting>(),
    DB_PROJECTS.prepare(FAILED_TASKS).first<Waiting>(),
  ]);
  const parts = [executions, conversations, tasks];
  const since = parts.flatMap((part) => part?.since ?? []).toSorted()[0];
  return {
    ok: true,
    ts: ctx.now().toISOString(),
    queue: { available: false, reason: "requests to a person are not kept yet; what waits otherwise is counted below" },
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

const WAITING_EXECUTIONS = `
  SELECT count(*) AS number, min(created_at) AS since FROM ai_provider_executions WHERE status = 'waiting'`;
const WAITING_CONVERSATIONS = `
  SELECT count(*) AS number, min(updated_at) AS since FROM ai_provider_conversations WHERE status = 'waiting'`;
/** A task of an order that is over waits for no one. */
const FAILED_TASKS = `
  SELECT count(*) AS number, min(tasks.updated_at) AS since FROM tasks JOIN orders ON orders.id = tasks.order_id
  WHERE tasks.status = 'failed' AND orders.status IN ('received', 'in_progress')`;
