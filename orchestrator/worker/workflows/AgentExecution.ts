import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep, type WorkflowStepConfig } from "cloudflare:workers";
import { createContext, loggerOf, systemActor } from "../context.ts";
import { PARTS } from "../services/ai-providers/execution/parts.ts";
import { runExecution } from "../services/ai-providers/execution/runExecution.ts";
import type { StepKind, Steps } from "../services/ai-providers/execution/steps.ts";

/** What an instance is created with. It holds no key: keys are looked up for each call. */
export interface AgentExecutionParams {
  executionId: string;
}

const CONFIG: Record<StepKind, WorkflowStepConfig> = {
  once: { retries: { limit: 0, delay: 0 }, timeout: "10 minutes" },
  brief: { retries: { limit: 5, delay: "2 seconds", backoff: "exponential" }, timeout: "5 minutes" },
  durable: { retries: { limit: 12, delay: "2 seconds", backoff: "exponential" }, timeout: "10 minutes" },
};

/** One execution of a task by AI providers, in durable steps. Its instance's id is the execution's. */
export class AgentExecution extends WorkflowEntrypoint<Env, AgentExecutionParams> {
  override async run(event: Readonly<WorkflowEvent<AgentExecutionParams>>, step: WorkflowStep): Promise<string | null> {
    const { executionId } = event.payload;
    const log = loggerOf(this.env).child({ executionId });
    const ctx = createContext(this.env, { actor: systemActor("ai-execution"), log });
    return runExecution(durable(step), ctx, PARTS, executionId);
  }
}

/** The platform's steps. What they keep is JSON text: one form for every answer, whatever its type. */
const durable = (step: WorkflowStep): Steps => ({
  async do<T>(name: string, kind: StepKind, work: () => Promise<T>): Promise<T> {
    const kept: string = await step.do(name, CONFIG[kind], async () => JSON.stringify(await work()));
    return JSON.parse(kept);
  },
  sleep: (name, ms) => step.sleep(name, Math.ceil(ms)),
  async wait(name, ms, type) {
    try {
      await step.waitForEvent(name, { type, timeout: Math.ceil(ms) });
    } catch (error) {
      // The time is over: the caller looks for itself whether something has changed.
      if (!isTimeout(error)) throw error;
    }
  },
});

const isTimeout = (error: unknown): boolean =>
  error instanceof Error && /time(?:d )?out/i.test(`${error.name} ${error.message}`);
