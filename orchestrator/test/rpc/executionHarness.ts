import {
  type Decision,
  DecisionSchema,
  type Execution,
  fail,
  type ProviderDefinition,
  type ProviderName,
  ProviderDefinitionSchema,
} from "@shared/contracts";
import { env } from "cloudflare:workers";
import { inject } from "vitest";
import { z } from "zod";
import { createContext, type ServiceContext, systemActor } from "../../worker/context.ts";
import { executeTask } from "../../worker/services/ai-providers/executeTask.ts";
import { type ExecutionParts, PARTS } from "../../worker/services/ai-providers/execution/parts.ts";
import { runExecution } from "../../worker/services/ai-providers/execution/runExecution.ts";
import { type StepKind, type Steps, WAKE_EVENT } from "../../worker/services/ai-providers/execution/steps.ts";
import type {
  ProviderStateRpc,
  Reservation,
  Reserved,
  Settlement,
} from "../../worker/durable-objects/provider-state/rpc.ts";
import { createOrder } from "../../worker/services/order/createOrder.ts";
import type { AgentScriptInput } from "./agentScript.ts";
import { linesOf, mint, rows, value } from "./workspaceHarness.ts";

const engine = inject("engine");
const agents = inject("agents");

export const KEYS = {
  CODEX_API_KEY: "canary-key-of-codex-0123456789",
  CLAUDE_API_KEY: "canary-key-of-claude-0123456789",
  GEMINI_API_KEY: "canary-key-of-gemini-0123456789",
} as const;

/** The Worker's environment with keys, and the scripted host for its engine. */
export const agentEnv: Env = { ...env, ...KEYS, ENGINE_URL: agents.url };
export const context = (now?: () => Date): ServiceContext =>
  createContext(agentEnv, { actor: systemActor("test"), ...(now === undefined ? {} : { now }) });

const defined = (name: ProviderName): ProviderDefinition =>
  ProviderDefinitionSchema.parse({
    name,
    type: "cli",
    title: name,
    needs: "workspace",
    capabilities: { generate: 0.5, fix: 0.5, refactor: 0.5, optimize: 0.5 },
    priorStrength: 1,
    secret: `${name.toUpperCase()}_API_KEY`,
    models: ["m"],
    default_model: "m",
    api_endpoint: null,
    cost: { kind: "tokens", inputUsdPerMillion: 1, outputUsdPerMillion: 2, typicalUsd: 0.5 },
    concurrency: 2,
    enabled: true,
  });

/** What the object of all providers promises, and what it was asked: places and money by attempt, given back once. */
export class State implements Pick<ProviderStateRpc, "reserve" | "settle"> {
  readonly reserved = new Map<string, Reservation>();
  readonly settled = new Map<string, Settlement[]>();
  readonly closed = new Map<ProviderName, Reserved>();

  async reserve(reservation: Reservation): Promise<Reserved> {
    const refusal = this.closed.get(reservation.provider);
    if (refusal) return refusal;
    this.reserved.set(`${reservation.executionId}.${reservation.attempt}`, reservation);
    return { ok: true };
  }

  async settle(settlement: Settlement): Promise<void> {
    const key = `${settlement.executionId}.${settlement.attempt}`;
    this.settled.set(key, [...(this.settled.get(key) ?? []), settlement]);
  }
}

/** The parts of executions as these tests have them: three CLI agents, and whoever is named first is assigned. */
export function partsWith(state: State, chain: readonly ProviderName[]): ExecutionParts {
  return {
    ...PARTS,
    definitionOf: async (_, name) => (["codex", "claude", "gemini"].includes(name) ? defined(name) : null),
    providerState: () => state,
    async assignProvider(ctx, { taskId, preferredProvider }) {
      const order = preferredProvider === undefined ? chain : [preferredProvider];
      const [first, ...rest] = order;
      if (first === undefined) return fail("PROVIDER_UNAVAILABLE", "nobody");
      const decision = decisionFor(taskId, first, rest);
      await ctx.db.ops
        .updateTable("ai_provider_assignments")
        .set({ status: "cancelled" })
        .where("task_uuid", "=", taskId)
        .where("status", "in", ["pending", "assigned"])
        .execute();
      const { id } = await ctx.db.ops
        .insertInto("ai_provider_assignments")
        .values({
          task_uuid: taskId,
          provider_name: first,
          provider_type: "cli",
          status: "assigned",
          decision: JSON.stringify(decision),
        })
        .returning("id")
        .executeTakeFirstOrThrow();
      const at = ctx.now().toISOString();
      return {
        ok: true,
        decision,
        assignment: {
          id,
          task_uuid: decision.task_uuid,
          order_id: null,
          provider_name: first,
          provider_type: "cli",
          status: "assigned",
          execution_id: null,
          decision,
          created_at: at,
          updated_at: at,
        },
      };
    },
    async createHilRequest(ctx, { id, kind, question, options, executionId, expiresInSeconds }) {
      const now = ctx.now();
      const expires_at = new Date(now.getTime() + expiresInSeconds * 1_000).toISOString();
      const created_at = now.toISOString();
      await ctx.db.ops
        .insertInto("hil_requests")
        .values({
          id,
          kind,
          question,
          options: JSON.stringify(options),
          execution_id: executionId,
          created_at,
          expires_at,
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      return {
        ok: true,
        request: {
          id,
          kind,
          status: "open",
          order_id: null,
          task_uuid: null,
          execution_id: executionId,
          question,
          options,
          answer: null,
          answered_by: null,
          created_at,
          answered_at: null,
          expires_at,
        },
      };
    },
  };
}

const decisionFor = (taskId: string, provider: ProviderName, rest: readonly ProviderName[]): Decision =>
  DecisionSchema.parse({
    task_uuid: taskId,
    provider,
    model: "m",
    chain: rest.map((name) => ({ provider: name, model: "m" })),
    by: "score",
    seed: "s",
    inputs: {
      type: "fix",
      language: "ts",
      priority: "normal",
      cost_profile: "balanced",
      preferredModel: null,
      preferred: null,
      repository: null,
      branch: null,
      branchOnGithub: false,
    },
    candidates: [],
    decided_at: "2026-11-21T00:00:00.000Z",
  });

export type Scripts = Partial<Record<ProviderName, AgentScriptInput[]>>;

/** A unified diff that replaces line `line` of `src/index.ts` (200 lines `export const vN = N;`). */
export const diffOf = (line: number, text: string, file = "src/index.ts"): string =>
  [
    `--- a/${file}`,
    `+++ b/${file}`,
    `@@ -${line},1 +${line},1 @@`,
    `-export const v${line - 1} = ${line - 1};`,
    `+${text}`,
    "",
  ].join("\n");

/** An execution that is queued, in an order and a workspace of its own. */
export interface Case {
  executionId: string;
  taskId: string;
  orderId: string;
  workspaceId: string;
  state: State;
  parts: ExecutionParts;
}

export async function aCase(
  scripts: Scripts,
  options: {
    chain?: ProviderName[];
    race?: ProviderName[];
    allowed?: string;
    maxCostUsd?: number;
    /** What the order says it may cost in all. */
    maxOrderUsd?: number;
    instructions?: string;
    source?: string;
  } = {},
): Promise<Case> {
  const ctx = context();
  const state = new State();
  const parts = partsWith(state, options.chain ?? ["codex", "claude", "gemini"]);
  const orderId = mint("ORD");
  const taskId = mint("TSK");
  const executionId = mint("exe");
  const workspaceId = mint("ws");
  value(
    await createOrder(ctx, {
      id: orderId,
      title: "An order",
      factory: "agent-factory",
      workspaceId,
      source: { kind: "path", path: options.source ?? engine.source },
      ...(options.maxOrderUsd === undefined ? {} : { routing: { maxCostUsd: options.maxOrderUsd } }),
      tasks: [{ id: taskId, title: "A task", type: "fix", allowed: [{ files: options.allowed ?? "src/**" }] }],
    }),
  );
  // Queued without its message, so that the test alone carries it out.
  const quiet: ServiceContext = {
    ...ctx,
    env: { ...ctx.env, AI_TASKS_QUEUE: { ...ctx.env.AI_TASKS_QUEUE, send: async () => undefined as never } },
  };
  value(
    await executeTask(
      quiet,
      {
        taskId,
        executionId,
        instructions: `SCRIPT ${JSON.stringify(scripts)}\n${options.instructions ?? ""}`,
        ...(options.race === undefined ? {} : { race: options.race }),
        ...(options.maxCostUsd === undefined ? {} : { maxCostUsd: options.maxCostUsd }),
      },
      parts,
    ),
  );
  return { executionId, taskId, orderId, workspaceId, state, parts };
}

/** Where a run is cut: its process is gone before a step's work, or after it and before its answer is kept. */
export interface Cut {
  step: string;
  when: "before" | "after";
}

const TRIES: Record<StepKind, number> = { once: 1, brief: 6, durable: 13 };

/**
 * Steps kept in memory, as the platform keeps them: a run that is cut never comes back to its caller, and the next one
 * passes over the steps that had answered.
 */
export class Journal {
  readonly answers = new Map<string, string>();
  /** Every step that was begun, in order. */
  readonly begun: string[] = [];
  /** Before each try of a step. */
  onTry: (step: string, attempt: number) => void | Promise<void> = () => undefined;
  onWait: (step: string) => void | Promise<void> = () => undefined;

  /** Carries the execution out until it ends or is cut. */
  async run(
    { executionId, parts }: Pick<Case, "executionId" | "parts">,
    cut: Cut | null = null,
    ctx: ServiceContext = context(),
  ): Promise<string | null> {
    const gone = Promise.withResolvers<"cut">();
    const life = { isOver: false };
    const end = (): Promise<never> => {
      life.isOver = true;
      gone.resolve("cut");
      return new Promise(() => undefined);
    };
    const steps: Steps = {
      do: async <T>(name: string, kind: StepKind, work: () => Promise<T>): Promise<T> => {
        if (life.isOver) return end();
        const kept = this.answers.get(name);
        if (kept !== undefined) return JSON.parse(kept);
        this.begun.push(name);
        for (let attempt = 1; ; attempt += 1) {
          await this.onTry(name, attempt);
          if (cut?.step === name && cut.when === "before") return end();
          try {
            const answer = JSON.stringify(await work());
            if (life.isOver || (cut?.step === name && cut.when === "after")) return end();
            this.answers.set(name, answer);
            return JSON.parse(answer);
          } catch (error) {
            if (life.isOver) return end();
            if (attempt >= TRIES[kind]) throw error;
          }
        }
      },
      sleep: async (name) => {
        if (life.isOver) return end();
        this.begun.push(name);
      },
      wait: async (name, _, event) => {
        if (life.isOver) return end();
        if (this.answers.has(name)) return;
        this.begun.push(name);
        if (event === WAKE_EVENT) await this.onWait(name);
        this.answers.set(name, "null");
      },
    };
    return Promise.race([gone.promise, runExecution(steps, ctx, parts, executionId)]);
  }
}

const RunsSchema = z.array(
  z.object({
    runId: z.string(),
    provider: z.string(),
    state: z.string(),
    class: z.string().nullable(),
    starts: z.number(),
    apiKey: z.string(),
    redact: z.array(z.string()),
  }),
);
async function steer(name: string, input: object): Promise<unknown> {
  return (await fetch(`${agents.url}/__agents/${name}`, { method: "POST", body: JSON.stringify(input) })).json();
}
/** The runs the host was asked to start for the execution. */
export const runsOf = async ({ executionId }: Pick<Case, "executionId">) =>
  RunsSchema.parse(await steer("runs", { execution: executionId }));
export const release = (runId: string) => steer("release", { runId });
export const lose = (runId: string) => steer("lose", { runId });
/** The host has no place for runs whose ids hold this, until `empty`. */
export const fill = (runId: string) => steer("fill", { runId });
export const empty = (runId: string) => steer("empty", { runId });
export const silence = (runId: string) => steer("silence", { runId });

export const executionOf = async ({ executionId }: Pick<Case, "executionId">) =>
  (
    await rows<Execution & { cancel_reason: string | null }>(
      "SELECT * FROM ai_provider_executions WHERE execution_id = ?",
      executionId,
    )
  )[0]!;
export const attemptsOf = ({ executionId }: Pick<Case, "executionId">) =>
  rows<{
    attempt: number;
    provider_name: string;
    status: string;
    class: string | null;
    cost_usd: number | null;
    error: string | null;
  }>("SELECT * FROM ai_provider_attempts WHERE execution_id = ? ORDER BY attempt", executionId);
/** The edits that stand: lines of the workspace that are not as they were. */
export const changedLines = async ({ workspaceId }: Pick<Case, "workspaceId">): Promise<string[]> =>
  (await linesOf(workspaceId)).filter((line, index) => line !== "" && line !== `export const v${index} = ${index};`);
