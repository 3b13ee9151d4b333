import { z } from "zod";
import type { StreamEvent } from "./event.ts";
import type { PatchRow } from "./PatchBook.ts";

const text = z.string().min(1).max(200).optional().catch(undefined);

/** What the list is narrowed to, as the address bar holds it. */
export const StreamFilterSchema = z.object({
  q: text,
  factory: text,
  file: text,
  op: text,
  requester: text,
  status: text,
  order: text,
});
export type StreamFilter = z.infer<typeof StreamFilterSchema>;

export const isEmpty = (filter: StreamFilter): boolean => Object.values(filter).every((value) => value === undefined);

const holds = (text: string | null, needle: string): boolean => text !== null && text.toLowerCase().includes(needle);

export function passes(row: PatchRow, filter: StreamFilter): boolean {
  if (filter.status !== undefined && row.status !== filter.status) return false;
  if (filter.order !== undefined && row.orderId !== filter.order) return false;
  if (filter.op !== undefined && row.op !== filter.op) return false;
  if (filter.requester !== undefined && row.requester !== filter.requester) return false;
  if (filter.factory !== undefined && row.factory !== filter.factory) return false;
  if (filter.file !== undefined && !holds(row.file, filter.file.toLowerCase())) return false;
  if (filter.q === undefined) return true;
  const needle = filter.q.toLowerCase();
  return (
    holds(row.file, needle) ||
    holds(row.patchId, needle) ||
    holds(row.op, needle) ||
    holds(row.requester, needle) ||
    holds(row.taskId, needle) ||
    holds(row.orderId, needle) ||
    row.events.some(
      (event) => holds(event.message, needle) || holds(event.errorCode, needle) || holds(event.reason, needle),
    )
  );
}

/** A phase message belongs to an order and to nothing else that can be asked for. */
export const phasePasses = (event: StreamEvent, filter: StreamFilter): boolean =>
  isEmpty({ ...filter, order: undefined }) && (filter.order === undefined || event.orderId === filter.order);
