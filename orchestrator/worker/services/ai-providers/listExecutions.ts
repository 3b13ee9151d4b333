import {
  type Execution,
  EXECUTION_STATUSES,
  OrderIdSchema,
  ProviderNameSchema,
  type Result,
  TaskIdSchema,
} from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { KeysetSchema, pageOf, type Place, readList } from "../keyset.ts";
import { requireListAccess } from "./access.ts";
import { EXECUTION_COLUMNS, executionOfRow } from "./executionOfRow.ts";

export const ListExecutionsSchema = KeysetSchema.extend({
  status: z.enum(EXECUTION_STATUSES).optional(),
  provider: ProviderNameSchema.optional(),
  task_id: TaskIdSchema.optional(),
  order_id: OrderIdSchema.optional(),
});
type ListExecutions = z.infer<typeof ListExecutionsSchema>;

/**
 * Executions, the newest first. Needs `ai:read`. A factory lists by order; a token confined to a workspace is shown that
 * workspace's. Errors: VALIDATION_FAILED, FORBIDDEN.
 */
export async function listExecutions(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ executions: Execution[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "ai:read");
  if (denied) return denied;
  const list = readList(ListExecutionsSchema, input);
  if (!list.ok) return list;
  const { query, after } = list;
  const refused = await requireListAccess(ctx, query.order_id);
  if (refused) return refused;
  const rows = await executionsQuery(ctx, query, after).execute();
  const { items, cursor } = pageOf(
    rows.map((row) => ({ row, created_at: row.created_at, id: row.execution_id })),
    query.limit,
    ({ row }) => executionOfRow(row),
  );
  return { ok: true, executions: items, cursor };
}

export function executionsQuery(
  ctx: Pick<ServiceContext, "db" | "actor">,
  filter: ListExecutions,
  after: Place | null,
) {
  let query = ctx.db.ops.selectFrom("ai_provider_executions").select(EXECUTION_COLUMNS);
  const { workspaceId } = ctx.actor;
  if (workspaceId !== null) query = query.where("workspace_id", "=", workspaceId);
  if (filter.status !== undefined) query = query.where("status", "=", filter.status);
  if (filter.provider !== undefined) query = query.where("provider_name", "=", filter.provider);
  if (filter.task_id !== undefined) query = query.where("task_uuid", "=", filter.task_id);
  if (filter.order_id !== undefined) query = query.where("order_id", "=", filter.order_id);
  if (after) {
    query = query.where((eb) =>
      eb(eb.refTuple("created_at", "execution_id"), "<", eb.tuple(after.createdAt, after.id)),
    );
  }
  return query
    .orderBy("created_at", "desc")
    .orderBy("execution_id", "desc")
    .limit(filter.limit + 1);
}
