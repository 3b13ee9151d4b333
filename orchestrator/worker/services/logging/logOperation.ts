import { waitUntil } from "cloudflare:workers";
import type { OperationEntryInput } from "@shared/contracts";
import { type ServiceContext, systemActor } from "../../context.ts";
import { writeLogs } from "./writeLogs.ts";

/**
 * A line about what this Worker did, written after the answer: neither the work nor its caller waits or fails for it. The
 * source is the part that did it; who asked stands in the line's meta.
 */
export function logOperation(ctx: ServiceContext, part: string, entry: OperationEntryInput): void {
  waitUntil(writeOperation(ctx, part, entry));
}

/** The same for who can wait: a schedule, a queue. Never throws. */
export async function writeOperation(ctx: ServiceContext, part: string, entry: OperationEntryInput): Promise<void> {
  try {
    const meta = ctx.actor.kind === "system" ? entry.meta : { ...entry.meta, by: ctx.actor.id };
    const line = { ...entry, ...(meta === undefined ? {} : { meta }) };
    const written = await writeLogs({ ...ctx, actor: systemActor(part) }, { entries: [line] });
    if (!written.ok) ctx.log.error("a line was not logged", { operation: entry.operation, error: written.error });
  } catch (error) {
    ctx.log.error("a line was not logged", { operation: entry.operation, error });
  }
}
