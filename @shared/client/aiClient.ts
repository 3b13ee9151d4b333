import type { DeadLetter, ExecuteTaskInput, Execution, HilRequest, ProviderName } from "@shared/contracts";
import {
  AssignedAnswerSchema,
  ClarifiedAnswerSchema,
  DeadLetterAnswerSchema,
  DeadLettersAnswerSchema,
  ExecutionAnswerSchema,
  ExecutionDetailAnswerSchema,
  ExecutionOutputAnswerSchema,
  ExecutionsAnswerSchema,
  ExplainedAnswerSchema,
  HilRequestAnswerSchema,
  HilRequestsAnswerSchema,
  ProviderAnswerSchema,
  ProvidersAnswerSchema,
} from "./answers.ts";
import { at, type CallOptions, type Get, type ListQuery, type Send } from "./request.ts";

/** What a deployment has otherwise than a provider's definition; null or absent: as defined. It replaces what was said before. */
export interface ProviderOverrides {
  enabled?: boolean;
  default_model?: string | null;
  api_endpoint?: string | null;
  rate_limits?: { concurrency?: number; usdPerDay?: number; unitsPerDay?: number } | null;
  /** USD, of input and output alike. */
  cost_per_token?: number | null;
}

/** What runs providers, and what runs ask of people. */
export const aiClient = (get: Get, send: Send) => ({
  ai: {
    providers: {
      list: (call?: CallOptions) => get("/api/ai/providers", ProvidersAnswerSchema, {}, call),
      get: (name: ProviderName, call?: CallOptions) => get(at("ai", "providers", name), ProviderAnswerSchema, {}, call),
      /** Asks the provider's service whether it works, with the key there is. */
      probe: (name: ProviderName, call?: CallOptions) =>
        send("POST", at("ai", "providers", name, "probe"), ProviderAnswerSchema, {}, call),
      configure: (name: ProviderName, config: ProviderOverrides, call?: CallOptions) =>
        send("PUT", at("ai", "providers", name, "config"), ProviderAnswerSchema, config, call),
    },
    /** Gives a task to a provider, and answers with why it was this one. */
    assign: (input: { taskId: string; preferredProvider?: ProviderName }, call?: CallOptions) =>
      send("POST", "/api/ai/assign", AssignedAnswerSchema, input, call),
    /** The decision that chose a task's provider. */
    explain: (taskId: string, call?: CallOptions) =>
      get("/api/ai/assign/explain", ExplainedAnswerSchema, { task_id: taskId }, call),
    /** Queues a task's execution; the same `executionId` again answers with the one there is. */
    execute: (input: Omit<ExecuteTaskInput, "taskId"> & { taskId: string }, call?: CallOptions) =>
      send("POST", "/api/ai/execute", ExecutionAnswerSchema, input, call),
    executions: {
      list: (
        query: ListQuery & {
          status?: Execution["status"];
          provider?: ProviderName;
          task_id?: string;
          order_id?: string;
        } = {},
        call?: CallOptions,
      ) => get("/api/ai/executions", ExecutionsAnswerSchema, { ...query }, call),
      get: (id: string, call?: CallOptions) => get(at("ai", "executions", id), ExecutionDetailAnswerSchema, {}, call),
      /** What an attempt said, from a place on; default: the last attempt, from its beginning. */
      output: (id: string, query: { attempt?: number; after?: number; limit?: number } = {}, call?: CallOptions) =>
        get(at("ai", "executions", id, "output"), ExecutionOutputAnswerSchema, { ...query }, call),
      /** One that has ended is answered as it ended. */
      cancel: (id: string, reason = "", call?: CallOptions) =>
        send(
          "POST",
          at("ai", "executions", id, "cancel"),
          ExecutionAnswerSchema,
          reason === "" ? {} : { reason },
          call,
        ),
      /** The same task again, as another execution; with another provider where one is named. */
      retry: (id: string, input: { provider?: ProviderName } = {}, call?: CallOptions) =>
        send("POST", at("ai", "executions", id, "retry"), ExecutionAnswerSchema, input, call),
    },
    deadLetters: {
      list: (query: ListQuery & { status?: DeadLetter["status"] } = {}, call?: CallOptions) =>
        get("/api/ai/dead-letters", DeadLettersAnswerSchema, { ...query }, call),
      /** Sends the message to its queue again, once. */
      redrive: (id: string, call?: CallOptions) =>
        send("POST", at("ai", "dead-letters", id, "redrive"), DeadLetterAnswerSchema, undefined, call),
      discard: (id: string, call?: CallOptions) =>
        send("POST", at("ai", "dead-letters", id, "discard"), DeadLetterAnswerSchema, undefined, call),
    },
  },
  hil: {
    /** Asks people about an execution, a task or an order. The same `id` with the same question again is one request. */
    ask: (
      input: {
        id?: string;
        question: string;
        options?: string[];
        executionId?: string;
        taskId?: string;
        orderId?: string;
        expiresInSeconds?: number;
      },
      call?: CallOptions,
    ) => send("POST", "/api/ai/clarify", ClarifiedAnswerSchema, input, call),
    list: (
      query: ListQuery & { status?: HilRequest["status"]; order_id?: string; execution_id?: string } = {},
      call?: CallOptions,
    ) => get("/api/hil", HilRequestsAnswerSchema, { ...query }, call),
    get: (id: string, call?: CallOptions) => get(at("hil", id), HilRequestAnswerSchema, {}, call),
    /** The first answer decides; another is CONFLICT. */
    answer: (id: string, answer: string, call?: CallOptions) =>
      send("POST", at("hil", id, "response"), HilRequestAnswerSchema, { answer }, call),
  },
});
