import type { CustodyRecord } from "@shared/contracts";
import { z } from "zod";

/** That more of an attempt's output is stored, up to this `seq`. */
export interface OutputHint {
  executionId: string;
  attempt: number;
  seq: number;
}

const DataSchema = z.object({ execution_id: z.string(), attempt: z.number().int(), seq: z.number().int() });

/**
 * What a message says of a run's output; null of any other message. Its text is not taken from it: messages are cut to a
 * bound, while what is stored is numbered and whole. So a message only says how far reading can go.
 */
export function outputHintOf(record: CustodyRecord): OutputHint | null {
  if (record.kind !== "phase") return null;
  const data = DataSchema.safeParse(record.meta.data);
  if (!data.success) return null;
  const { execution_id: executionId, attempt, seq } = data.data;
  return { executionId, attempt, seq };
}

const listeners = new Set<(hint: OutputHint) => void>();

/** Told of each hint the stream brings, until the returned function is called. */
export function onOutputHint(listener: (hint: OutputHint) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function tellOutputHint(hint: OutputHint): void {
  for (const listener of listeners) listener(hint);
}
