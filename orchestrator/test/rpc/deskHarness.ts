import type { Execution } from "@shared/contracts";
import { env } from "cloudflare:workers";
import { type Actor, createContext, type ServiceContext, systemActor } from "../../worker/context.ts";
import type { HilAnswered } from "../../worker/services/hil/tellExecution.ts";

/** A Workflow of executions that keeps what it is told, and may be away. */
export class Workflows {
  readonly told: { executionId: string; type: string; payload: HilAnswered }[] = [];
  away = false;

  get(executionId: string) {
    if (this.away) return Promise.reject(new Error("the Workflow does not answer"));
    return Promise.resolve({
      sendEvent: (event: { type: string; payload: HilAnswered }) => {
        this.told.push({ executionId, ...event });
        return Promise.resolve();
      },
    });
  }
}

/** A queue that keeps what it is sent, and may be full. */
export class Tasks {
  readonly sent: unknown[] = [];
  full = false;

  send(body: unknown) {
    if (this.full) return Promise.reject(new Error("the queue is full"));
    this.sent.push(body);
    return Promise.resolve();
  }
}

export interface Parts {
  workflows?: Workflows;
  tasks?: Tasks;
  actor?: Partial<Actor>;
  now?: () => Date;
}

/** A context as the system's, or another caller's, over these parts. */
export function contextWith({
  workflows = new Workflows(),
  tasks = new Tasks(),
  actor,
  now,
}: Parts = {}): ServiceContext {
  return createContext({ ...env, AGENT_EXECUTION: workflows, AI_TASKS_QUEUE: tasks } as unknown as Env, {
    actor: { ...systemActor("test"), ...actor },
    ...(now === undefined ? {} : { now }),
  });
}

let made = 0;

/** An execution as its Workflow writes it: one that runs, in a workspace of its own. */
export async function anExecution(
  fields: Partial<Record<keyof Execution | "hil_request_id" | "input", unknown>> = {},
): Promise<string> {
  const id = `E-${++made}-${crypto.randomUUID().slice(0, 8)}`;
  const row = {
    execution_id: id,
    provider_name: "codex",
    task_uuid: "ORD-1.1",
    order_id: null,
    workspace_id: `w-${id}`,
    status: "waiting",
    created_by: "token:t",
    created_at: "2026-05-01T10:00:00.000Z",
    started_at: "2026-05-01T10:00:01.000Z",
    ...fields,
  };
  await insert("ai_provider_executions", row);
  return String(row.execution_id);
}

/** A row of DB_OPS; objects are written as JSON. */
export async function insert(table: string, row: Record<string, unknown>): Promise<void> {
  const names = Object.keys(row);
  const values = Object.values(row).map((value) =>
    typeof value === "object" && value !== null ? JSON.stringify(value) : (value ?? null),
  );
  await env.DB_OPS.prepare(`INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`)
    .bind(...values)
    .run();
}

export const codeOf = (result: { ok: true } | { ok: false; error: { code: string } }): string =>
  result.ok ? "ok" : result.error.code;
