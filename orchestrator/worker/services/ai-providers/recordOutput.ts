import type { AgentRunEvent } from "@shared/contracts";
import { redactor } from "@shared/worker-kit";
import { sql } from "kysely";
import type { ServiceContext } from "../../context.ts";
import { publish } from "../phase/publish.ts";
import { allSecrets } from "../secrets/secretService.ts";
import type { ProviderRun } from "./driver.ts";

/** What is kept of one attempt's output, in characters of JSON; what comes after is dropped. */
const MAX_KEPT = 4_000_000;
/** The longest text of one stored event, in characters. */
const MAX_TEXT = 16_000;
/** The longest text of one message to the order's room, in characters: of more, its end. */
const MAX_TOLD = 60_000;
/** Commands and words told one by one for each call; the stored output has all. */
const MAX_SINGLE = 20;

type Speaker = Pick<ProviderRun, "executionId" | "attempt" | "order" | "workspaceId"> & {
  provider: Pick<ProviderRun["provider"], "name">;
};

/**
 * Keeps what a run said and tells it to those who watch its order. An event that is kept already is neither kept nor
 * told again. Every secret of the environment is taken out by value, whatever its provider's side did. Needs
 * `events:write`.
 */
export async function recordOutput(ctx: ServiceContext, run: Speaker, events: readonly AgentRunEvent[]): Promise<void> {
  if (events.length === 0) return;
  const redact = redactor(allSecrets(ctx.env));
  const clean = events.map((event): AgentRunEvent => {
    if ("text" in event) return { ...event, text: redact(event.text).slice(0, MAX_TEXT).toWellFormed() };
    if ("command" in event) return { ...event, command: redact(event.command).slice(0, MAX_TEXT).toWellFormed() };
    return event;
  });
  const { executionId, attempt } = run;
  const kept = await sql<{ seq: number }>`
    INSERT INTO ai_execution_output (execution_id, attempt, seq, ts, type, body)
    SELECT ${executionId}, ${attempt}, value ->> 'seq', value ->> 'ts', value ->> 'type', value
    FROM json_each(${JSON.stringify(clean)})
    WHERE (
      SELECT coalesce(sum(length(body)), 0) FROM ai_execution_output
      WHERE execution_id = ${executionId} AND attempt = ${attempt}
    ) < ${MAX_KEPT}
    ON CONFLICT DO NOTHING
    RETURNING seq`.execute(ctx.db.ops);
  const fresh = new Set(kept.rows.map(({ seq }) => seq));
  await tell(
    ctx,
    run,
    clean.filter(({ seq }) => fresh.has(seq)),
  );
}

/** What a terminal shows goes out as one message, the rest one by one. A room that cannot be told holds up no run. */
async function tell(ctx: ServiceContext, run: Speaker, events: readonly AgentRunEvent[]): Promise<void> {
  const { order, workspaceId, executionId, attempt, provider } = run;
  const address = {
    workspaceId,
    ...(order === null ? {} : { orderId: order.id }),
    ...(order?.project_id ? { projectId: order.project_id } : {}),
    phase: "ai-execution",
  };
  const origin = { execution_id: executionId, attempt, provider: provider.name };
  const shown = events.filter((event) => event.type === "terminal_output");
  const [first, last] = [shown[0], shown.at(-1)];
  const messages: { type: string; data: Record<string, unknown> }[] = [];
  if (first && last) {
    const text = shown.map((event) => event.text).join("");
    messages.push({
      type: "terminal_output",
      data: { ...origin, from_seq: first.seq, seq: last.seq, text: text.slice(-MAX_TOLD).toWellFormed() },
    });
  }
  const said = events.filter((event) => event.type !== "terminal_output" && event.type !== "state");
  for (const { type, ...event } of said.slice(0, MAX_SINGLE)) messages.push({ type, data: { ...origin, ...event } });
  for (const message of messages) {
    const published = await publish(ctx, { ...address, ...message });
    if (!published.ok) ctx.log.warn("a run's output was not told", { executionId, code: published.error.code });
  }
}
