import {
  fail,
  findIllFormedString,
  type LogEntry,
  LogEntrySchema,
  OrderIdSchema,
  type PatchEvent,
  PatchEventSchema,
  ProjectIdSchema,
  type Result,
  validationError,
} from "@shared/contracts";
import { z } from "zod";
import { requireRequester, requireScope, type ServiceContext } from "../../context.ts";
import { addressed, inWorkspace } from "../workspace/workspaceObject.ts";

/** UTF-16 units of JSON that one event may have: it becomes one row. */
const MAX_EVENT = 64_000;

const ReportSchema = z.object({
  workspaceId: z.string().optional(),
  orderId: OrderIdSchema.optional(),
  projectId: ProjectIdSchema.optional(),
  branch: z.string().optional(),
  /** The body's limit is theirs too: one entry of a large batch alone has ten thousand. */
  events: z.array(PatchEventSchema).max(100_000),
  entries: z.array(LogEntrySchema).max(1000).default([]),
});
/** Several events with the log entries they stand on; or one event alone, as the documents' patch manager posts it. */
export const RecordEventsSchema = z.union([ReportSchema, PatchEventSchema.transform(reportOfOne)]);

function reportOfOne(event: z.infer<typeof PatchEventSchema>): z.infer<typeof ReportSchema> {
  return { events: [event], entries: [] };
}

/**
 * Takes events from an engine that stood alone, with the log entries that applied and reverted ones stand on. Known ones
 * change nothing. Needs `events:write`. Errors: HEAD_MISMATCH (entries are missing in between; the message says from
 * which to send), CHAIN_BROKEN (the workspace has another history here, or its engine does not hold these entries),
 * CONFLICT (an event without an entry contradicts an engine's log), FORBIDDEN (a requester that is not the caller's),
 * VALIDATION_FAILED.
 */
export async function recordEvents(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ recorded: number; known: number }>> {
  const denied = requireScope(ctx, "events:write");
  if (denied) return denied;
  if (findIllFormedString(input)) return fail("ILL_FORMED_UNICODE", "a text holds half of a surrogate pair");
  const schema = typeof input === "object" && input !== null && "events" in input ? ReportSchema : RecordEventsSchema;
  const parsed = schema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { events, entries, ...address } = parsed.data;
  // An event with an entry is made from the entry; one without becomes a row as it is.
  const large = events.findIndex((event) => !event.log && JSON.stringify(event).length > MAX_EVENT);
  if (large !== -1)
    return fail("BODY_TOO_LARGE", `events.${large}: an event is at most ${MAX_EVENT} characters of JSON`);
  const undated = events.findIndex(({ ts }) => ts !== undefined && Number.isNaN(Date.parse(ts)));
  if (undated !== -1) return fail("VALIDATION_FAILED", `events.${undated}.ts: not a time`);
  for (const requester of requestersOf(events, entries)) {
    const mayNot = requireRequester(ctx, requester);
    if (mayNot) return mayNot;
  }
  const named = addressed(address);
  if (!named.ok) return named;
  const reported = {
    actor: ctx.actor.id,
    orderId: address.orderId ?? null,
    projectId: address.projectId ?? null,
    events,
    entries,
  };
  const recorded = await inWorkspace(ctx, named.workspaceId, (stub, id) => stub.record(id, reported));
  return recorded.ok ? recorded.answer : recorded;
}

/** Everyone the report speaks for. */
function requestersOf(events: readonly PatchEvent[], entries: readonly LogEntry[]): Set<string> {
  const named = entries.map((entry) => entry.requester);
  for (const { meta } of events) {
    if (typeof meta !== "object" || meta === null || Array.isArray(meta)) continue;
    if (typeof meta.requester === "string") named.push(meta.requester);
  }
  return new Set(named);
}
