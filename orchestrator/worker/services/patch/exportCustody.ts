import {
  type CustodyRecord,
  fail,
  OrderIdSchema,
  type Result,
  validationError,
  WorkspaceIdSchema,
} from "@shared/contracts";
import { canonicalText } from "patch-engine/core";
import { z } from "zod";
import { requireScope, requireWorkspace, type ServiceContext } from "../../context.ts";
import { workspacesOfOrder } from "../delivery/workspacesOfOrder.ts";
import { textStream } from "../textStream.ts";
import { resolveWorkspace, stubOf } from "../workspace/workspaceObject.ts";

export const ExportCustodySchema = z.object({
  workspace_id: WorkspaceIdSchema.optional(),
  /** The chains of every workspace in which the order has events, one after the other. */
  order_id: OrderIdSchema.optional(),
  /** Of one workspace: the records after this one. */
  after: z.coerce.number().int().nonnegative().default(0),
  /** Of one workspace: at most so many records. Absent: all, up to where the chain stands now. */
  limit: z.coerce.number().int().min(1).max(1_000_000).optional(),
});

const PAGE = 250;

interface Part {
  workspaceId: string;
  after: number;
  /** The last record it holds. */
  to: number;
}

interface CustodyExport {
  /** One record a line, each as its RFC 8785 text, in the order of their chain: what `verifyReport` reads. */
  ndjson: ReadableStream<Uint8Array>;
  /** Where the next page begins; null where this is the last. */
  next: number | null;
}

/**
 * The custody records of a workspace, or of every workspace an order has events in, whole chains and not the order's
 * links alone: only all links together show that none is missing. Each chain is given up to where it stands when this is
 * asked for. Needs `patches:read`. Errors: VALIDATION_FAILED, WORKSPACE_UNRESOLVED, FORBIDDEN, NOT_FOUND (no events).
 */
export async function exportCustody(ctx: ServiceContext, input: unknown): Promise<Result<CustodyExport>> {
  const denied = requireScope(ctx, "patches:read");
  if (denied) return denied;
  const parsed = ExportCustodySchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { workspace_id: workspaceId, order_id: orderId, after, limit } = parsed.data;
  if ((workspaceId === undefined) === (orderId === undefined)) {
    return fail("VALIDATION_FAILED", "name either a workspace_id or an order_id");
  }
  const isPaged = after > 0 || limit !== undefined;
  if (orderId !== undefined && isPaged) {
    return fail("VALIDATION_FAILED", "pages are of one chain: name its workspace_id with after and limit");
  }

  const named = orderId === undefined ? await ofWorkspace(ctx, workspaceId) : await ofOrder(ctx, orderId);
  if (!named.ok) return named;
  const parts: Part[] = [];
  let next: number | null = null;
  for (const id of named.workspaceIds) {
    const { head } = await stubOf(ctx.env, id).events(0, 0);
    const to = limit === undefined ? head.seq : Math.min(head.seq, after + limit);
    if (to < head.seq) next = to;
    if (head.seq > 0) parts.push({ workspaceId: id, after, to });
  }
  if (parts.length === 0) return fail("NOT_FOUND", "there are no custody records of it");
  return { ok: true, ndjson: textStream(linesOf(ctx, parts)), next };
}

async function ofWorkspace(ctx: ServiceContext, workspaceId?: string): Promise<Result<{ workspaceIds: string[] }>> {
  const resolved = await resolveWorkspace(ctx, { workspaceId });
  return resolved.ok ? { ok: true, workspaceIds: [resolved.workspaceId] } : resolved;
}

async function ofOrder(ctx: ServiceContext, orderId: string): Promise<Result<{ workspaceIds: string[] }>> {
  const row = await ctx.db.projects
    .selectFrom("orders")
    .select("workspace_id")
    .where("id", "=", orderId)
    .executeTakeFirst();
  const workspaceIds = await workspacesOfOrder(ctx, orderId, row?.workspace_id ?? null);
  const denied = workspaceIds.map((id) => requireWorkspace(ctx, id)).find((refusal) => refusal !== null);
  return denied ?? { ok: true, workspaceIds };
}

async function* linesOf(ctx: ServiceContext, parts: readonly Part[]): AsyncGenerator<string> {
  for (const { workspaceId, after, to } of parts) {
    const stub = stubOf(ctx.env, workspaceId);
    for (let seq = after; seq < to;) {
      const { records } = await stub.events(seq, Math.min(PAGE, to - seq));
      const last = records.at(-1);
      if (!last) throw new Error(`the chain of ${workspaceId} ends at ${seq}, its head was ${to}`);
      yield records.map(lineOf).join("");
      seq = last.seq;
    }
  }
}

const lineOf = (record: CustodyRecord): string => `${canonicalText(record)}\n`;
