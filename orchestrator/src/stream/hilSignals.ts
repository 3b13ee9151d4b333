import type { CustodyRecord } from "@shared/contracts";
import { z } from "zod";

const DataSchema = z.object({ hil: z.object({ id: z.string(), status: z.string() }) });
const listeners = new Set<() => void>();

/** Told whenever the stream says that something was asked of people, or decided, until the returned function is called. */
export function onHilSignal(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Passes on that a message is about a request to people; others are nothing to it. */
export function tellHilSignal(record: CustodyRecord): void {
  if (record.event_type !== "conversation_state" || !DataSchema.safeParse(record.meta.data).success) return;
  for (const listener of listeners) listener();
}
