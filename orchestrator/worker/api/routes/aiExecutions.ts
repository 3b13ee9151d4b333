import {
  AgentRunEventSchema,
  DeadLetterSchema,
  ExecuteTaskSchema,
  ExecutionDetailSchema,
  ExecutionSchema,
  HilRequestSchema,
} from "@shared/contracts";
import { respond } from "@shared/worker-kit";
import { z } from "zod";
import { cancelExecution, CancelExecutionSchema } from "../../services/ai-providers/cancelExecution.ts";
import { discardDeadLetter } from "../../services/ai-providers/deadLetters/discardDeadLetter.ts";
import { listDeadLetters, ListDeadLettersSchema } from "../../services/ai-providers/deadLetters/listDeadLetters.ts";
import { redriveDeadLetter } from "../../services/ai-providers/deadLetters/redriveDeadLetter.ts";
import { executeTask } from "../../services/ai-providers/executeTask.ts";
import { getExecution } from "../../services/ai-providers/getExecution.ts";
import { ExecutionOutputSchema, getExecutionOutput } from "../../services/ai-providers/getExecutionOutput.ts";
import { listExecutions, ListExecutionsSchema } from "../../services/ai-providers/listExecutions.ts";
import { retryExecution, RetryExecutionSchema } from "../../services/ai-providers/retryExecution.ts";
import { createHilRequest, CreateHilRequestSchema } from "../../services/hil/createHilRequest.ts";
import { type App, fieldsOf, route } from "../route.ts";

const ok = z.literal(true);
const tag = "AI executions";
const one = { name: "ExecutionBriefly", schema: z.object({ ok, execution: ExecutionSchema }) };
const letter = { name: "DeadLetterAnswer", schema: z.object({ ok, deadLetter: DeadLetterSchema }) };
/** Whoever asks by this door asks a question; plans and failures are brought before people by the runs themselves. */
const ClarifySchema = CreateHilRequestSchema.omit({ kind: true });

export function aiExecutionRoutes(app: App): void {
  route(
    app,
    {
      method: "post",
      path: "/api/ai/execute",
      scope: "ai:write",
      tag,
      summary: "Queue a task's execution; the same executionId again answers with the one there is",
      body: { name: "ExecuteTask", schema: ExecuteTaskSchema },
      // Instructions may be 100,000 characters.
      maxBodyBytes: 512 * 1024,
      response: one,
    },
    async (c, ctx, { body }) => respond(c, await executeTask(ctx, body)),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/ai/executions/{executionId}/cancel",
      scope: "ai:write",
      tag,
      summary: "Cancel an execution; one that has ended is answered as it ended",
      body: { name: "CancelExecution", schema: CancelExecutionSchema },
      emptyBody: {},
      response: one,
    },
    async (c, ctx, { params, body }) =>
      respond(c, await cancelExecution(ctx, { ...fieldsOf(body), executionId: params.executionId ?? "" })),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/ai/executions/{executionId}/retry",
      scope: "ai:write",
      tag,
      summary: "Execute the same task again, by the same provider or another, as an execution of its own",
      body: { name: "RetryExecution", schema: RetryExecutionSchema },
      emptyBody: {},
      response: one,
    },
    async (c, ctx, { params, body }) =>
      respond(c, await retryExecution(ctx, { ...fieldsOf(body), executionId: params.executionId ?? "" })),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/ai/executions",
      scope: "ai:read",
      tag,
      summary: "Executions, newest first",
      query: ListExecutionsSchema,
      response: {
        name: "ExecutionList",
        schema: z.object({ ok, executions: z.array(ExecutionSchema), cursor: z.string().nullable() }),
      },
    },
    async (c, ctx, { query }) => respond(c, await listExecutions(ctx, query)),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/ai/executions/{executionId}",
      scope: "ai:read",
      tag,
      summary: "An execution with its attempts, its change and the decision that chose its provider",
      response: { name: "ExecutionAnswer", schema: z.object({ ok, execution: ExecutionDetailSchema }) },
    },
    async (c, ctx, { params }) => respond(c, await getExecution(ctx, { executionId: params.executionId ?? "" })),
  );
  route(
    app,
    {
      method: "get",
      path: "/api/ai/executions/{executionId}/output",
      scope: "ai:read",
      tag,
      summary: "What an attempt of an execution said, in its order; `after` is the last answer's `next`",
      query: ExecutionOutputSchema,
      response: {
        name: "ExecutionOutput",
        schema: z.object({
          ok,
          attempt: z.number(),
          events: z.array(AgentRunEventSchema),
          next: z.number(),
          more: z.boolean(),
          ended: z.boolean(),
        }),
      },
    },
    async (c, ctx, { params, query }) =>
      respond(c, await getExecutionOutput(ctx, { ...query, executionId: params.executionId ?? "" })),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/ai/clarify",
      scope: "ai:write",
      tag,
      summary: "Ask people about an execution, a task or an order",
      body: { name: "Clarify", schema: ClarifySchema },
      status: 201,
      response: { name: "Clarified", schema: z.object({ ok, request: HilRequestSchema, created: z.boolean() }) },
    },
    async (c, ctx, { body }) => {
      const asked = await createHilRequest(ctx, { ...fieldsOf(body), kind: "clarification" });
      return respond(c, asked, asked.ok && asked.created ? 201 : 200);
    },
  );
  route(
    app,
    {
      method: "get",
      path: "/api/ai/dead-letters",
      scope: "ai:read",
      tag,
      summary: "Messages that no consumer could work off, newest first",
      query: ListDeadLettersSchema,
      response: {
        name: "DeadLetterList",
        schema: z.object({ ok, deadLetters: z.array(DeadLetterSchema), cursor: z.string().nullable() }),
      },
    },
    async (c, ctx, { query }) => respond(c, await listDeadLetters(ctx, query)),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/ai/dead-letters/{id}/redrive",
      scope: "ai:write",
      tag,
      summary: "Send a dead message to its queue again, once",
      response: letter,
    },
    async (c, ctx, { params }) => respond(c, await redriveDeadLetter(ctx, { id: params.id ?? "" })),
  );
  route(
    app,
    {
      method: "post",
      path: "/api/ai/dead-letters/{id}/discard",
      scope: "ai:write",
      tag,
      summary: "Put a dead message aside for good",
      response: letter,
    },
    async (c, ctx, { params }) => respond(c, await discardDeadLetter(ctx, { id: params.id ?? "" })),
  );
}
