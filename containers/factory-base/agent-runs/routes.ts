import {
  AgentRunRequestSchema,
  validationError,
  WorkspaceIdSchema,
  type AgentRunInfo,
  type Result,
} from "@shared/contracts";
import { Hono } from "hono";
import { z } from "zod";
import { readJson } from "../body.ts";
import { respond, type HostContext, type HostVariables } from "../respond.ts";
import type { AgentRuns } from "./AgentRuns.ts";
import type { EventLog } from "./EventLog.ts";

/** The longest that one request listens, in ms. */
const MAX_WAIT_MS = 300_000;
/** Bytes of events in one answer, one event more or less. Who has read so many asks again for what comes after. */
const MAX_ANSWER_BYTES = 1024 * 1024;
const EventsQuerySchema = z.object({
  after: z.coerce.number().int().nonnegative().default(0),
  waitMs: z.coerce.number().int().nonnegative().max(MAX_WAIT_MS).default(0),
});

/** `/v1/workspaces/:id/agent-runs`, as `@shared/contracts/agentRuns.ts` says. Below the host's own check of the token. */
export function agentRunRoutes(runs: AgentRuns, bodyLimit: number): Hono<HostVariables> {
  const routes = new Hono<HostVariables>();

  routes.post("/:id/agent-runs", async (c) => {
    const workspace = WorkspaceIdSchema.safeParse(c.req.param("id"));
    if (!workspace.success) return respond(c, { ok: false, error: validationError(workspace.error) });
    const body = await readJson(c.req.raw, bodyLimit, AgentRunRequestSchema);
    if (!body.ok) return respond(c, body);
    return respondWithRun(c, await runs.start(workspace.data, body.value));
  });

  routes.get("/:id/agent-runs/:runId", async (c) =>
    respondWithRun(c, await runs.info(c.req.param("id"), c.req.param("runId"))),
  );

  routes.delete("/:id/agent-runs/:runId", async (c) =>
    respondWithRun(c, await runs.cancel(c.req.param("id"), c.req.param("runId"))),
  );

  routes.get("/:id/agent-runs/:runId/events", async (c) => {
    const query = EventsQuerySchema.safeParse(c.req.query());
    if (!query.success) return respond(c, { ok: false, error: validationError(query.error) });
    const found = await runs.events(c.req.param("id"), c.req.param("runId"));
    if (!found.ok) return respond(c, found);
    const { after, waitMs } = query.data;
    return new Response(streamOf(found.events, after, waitMs), {
      headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" },
    });
  });

  return routes;
}

const respondWithRun = (c: HostContext, result: Result<{ run: AgentRunInfo }>): Response =>
  respond(c, result.ok ? { ok: true, ...result.run } : result);

/**
 * The events after `after` as they come; it ends with the run, or after `waitMs`, or with `MAX_ANSWER_BYTES`, or when
 * the reader leaves.
 */
function streamOf(events: EventLog, after: number, waitMs: number): ReadableStream<Uint8Array> {
  const left = new AbortController();
  const signal = AbortSignal.any([left.signal, AbortSignal.timeout(waitMs)]);
  const encoder = new TextEncoder();
  let sent = after;
  let room = MAX_ANSWER_BYTES;
  return new ReadableStream({
    async pull(controller) {
      await events.beyond(sent, signal);
      // Read before the end is looked at: what came with the end is sent.
      const isLast = events.isEnded || signal.aborted;
      const lines: string[] = [];
      for (const line of events.after(sent)) {
        if (room <= 0) break;
        lines.push(line);
        room -= Buffer.byteLength(line);
      }
      sent += lines.length;
      if (lines.length > 0) controller.enqueue(encoder.encode(`${lines.join("\n")}\n`));
      if (isLast || room <= 0) controller.close();
    },
    cancel: () => left.abort(),
  });
}
