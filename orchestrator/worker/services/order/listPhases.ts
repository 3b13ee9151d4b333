import { type CustodyRecord, CustodyRecordSchema, fail, type Result } from "@shared/contracts";
import { type NotNull, sql } from "kysely";
import { requireScope, type ServiceContext } from "../../context.ts";
import { KeysetSchema, type Place, pageOf, readList } from "../keyset.ts";
import { findOrder } from "./getOrder.ts";

export const ListPhasesSchema = KeysetSchema;

/**
 * What was told of an order's phases, newest first: links of its workspaces' chains, as they were hashed and as the hub
 * sends them. Needs `orders:read`. Errors: VALIDATION_FAILED, NOT_FOUND, FORBIDDEN, DATABASE_UNAVAILABLE.
 */
export async function listPhases(
  ctx: ServiceContext,
  orderId: string,
  input: unknown,
): Promise<Result<{ phases: CustodyRecord[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "orders:read");
  if (denied) return denied;
  const list = readList(ListPhasesSchema, input);
  if (!list.ok) return list;
  const { query, after } = list;
  if (after !== null && !Number.isSafeInteger(Number(after.id))) {
    return fail("VALIDATION_FAILED", "cursor: not one of this list's cursors");
  }
  const found = await findOrder(ctx, orderId);
  if (!found.ok) return found;
  let rows;
  try {
    rows = await phasesQuery(ctx, found.order.id, query.limit, after).execute();
  } catch (error) {
    ctx.log.error("DB_OPS does not answer", { error });
    return fail("DATABASE_UNAVAILABLE", "the database does not answer");
  }
  const places = rows.map((row) => ({ ...row, created_at: row.ts, id: String(row.id) }));
  const { items, cursor } = pageOf(places, query.limit, recordOf);
  return { ok: true, phases: items, cursor };
}

/** One row more than the page. A token confined to a workspace sees the links of that one. */
export function phasesQuery(
  ctx: Pick<ServiceContext, "db" | "actor">,
  orderId: string,
  limit: number,
  after: Place | null,
) {
  let query = ctx.db.ops
    .selectFrom("patch_custody")
    .select([
      "id",
      "workspace_id",
      "seq",
      "prev_hash",
      "event_type",
      "ts",
      "factory",
      "order_id",
      "project_id",
      "meta",
      "hash",
    ])
    .where("order_id", "=", orderId)
    // Written out, so that the index that holds these links alone is known to hold them.
    .where(sql<boolean>`kind = 'phase'`)
    .$narrowType<{ ts: NotNull }>();
  if (ctx.actor.workspaceId !== null) query = query.where("workspace_id", "=", ctx.actor.workspaceId);
  if (after) {
    query = query.where((eb) => eb(eb.refTuple("ts", "id"), "<", eb.tuple(after.createdAt, Number(after.id))));
  }
  return query
    .orderBy("ts", "desc")
    .orderBy("id", "desc")
    .limit(limit + 1);
}

type PhaseRow = Omit<Awaited<ReturnType<ReturnType<typeof phasesQuery>["execute"]>>[number], "id">;

/** A phase's link has no patch, no batch and no entry of the engine's log. */
const recordOf = (row: PhaseRow): CustodyRecord =>
  CustodyRecordSchema.parse({
    v: 1,
    workspace_id: row.workspace_id,
    seq: row.seq,
    prev_hash: row.prev_hash,
    kind: "phase",
    event_type: row.event_type,
    ts: row.ts,
    actor: row.factory,
    batch_id: null,
    order_id: row.order_id,
    project_id: row.project_id,
    patch_id: null,
    file: null,
    op: null,
    task_id: null,
    ts_check_ok: null,
    diff_path: null,
    log: null,
    meta: JSON.parse(row.meta ?? "{}"),
    hash: row.hash,
  });
