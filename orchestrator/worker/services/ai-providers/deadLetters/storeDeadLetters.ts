import { ProviderTaskMessageSchema } from "@shared/contracts";
import { requireScope, type ServiceContext } from "../../../context.ts";

/** What a queue hands over. */
export interface DeadMessage {
  /** The queue's own: the same message delivered twice has it twice. */
  id: string;
  body: unknown;
  attempts: number;
  ack(): void;
  retry(): void;
}

export const TASKS_QUEUE = "ai-provider-tasks";
/** A message is at most 128 KB; what a queue of ours would hold beyond is no message of ours. */
const MAX_CHARACTERS = 256_000;

/**
 * Keeps what no consumer of `ai-provider-tasks` could work off, each message once however often it is delivered. One that
 * could not be kept is asked for again. Needs `ai:write`.
 */
export async function storeDeadLetters(ctx: ServiceContext, messages: readonly DeadMessage[]): Promise<void> {
  if (requireScope(ctx, "ai:write")) throw new Error("the queue's caller may not keep dead letters");
  for (const message of messages) {
    try {
      await store(ctx, message);
      message.ack();
    } catch (error) {
      ctx.log.warn("a dead letter was not kept; it comes again", { messageId: message.id, error });
      message.retry();
    }
  }
}

async function store(ctx: ServiceContext, { id, body, attempts }: DeadMessage): Promise<void> {
  const task = ProviderTaskMessageSchema.safeParse(body);
  const text = jsonText(body);
  await ctx.db.ops
    .insertInto("ai_dead_letters")
    .values({
      id,
      queue: TASKS_QUEUE,
      message: text,
      execution_id: task.data?.execution_id ?? null,
      reason: task.success ? "no consumer could start it" : "not a message of this queue",
      attempts,
      created_at: ctx.now().toISOString(),
    })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
}

/** A body as JSON; what is none, or too long to keep, by a note in its place. */
function jsonText(body: unknown): string {
  try {
    const text = JSON.stringify(body) ?? "null";
    return text.length > MAX_CHARACTERS ? JSON.stringify({ truncated: text.slice(0, 1_000) }) : text;
  } catch {
    // A cycle or a bigint, which no producer of ours sends.
    return JSON.stringify({ unreadable: true });
  }
}
