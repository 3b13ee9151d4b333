import { fail, type Result, type RevertTarget } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";

/** The latest event of a patch, by its id. */
export const patchQuery = (db: ServiceContext["db"], patchId: string) =>
  db.ops
    .selectFrom("patch_events")
    .select(["workspace_id", "seq"])
    .where("patch_id", "=", patchId)
    .orderBy("created_at", "desc")
    .limit(1);

export const batchQuery = (db: ServiceContext["db"], batchId: string) =>
  db.ops.selectFrom("patch_events").select(["workspace_id", "seq"]).where("batch_id", "=", batchId).limit(1);

export const taskQuery = (db: ServiceContext["db"], taskId: string) =>
  db.ops
    .selectFrom("patch_events")
    .select(["workspace_id", "seq"])
    .where("task_id", "=", taskId)
    .orderBy("created_at", "desc")
    .limit(1);

/**
 * The workspace that holds a patch, a batch or a task's patches, by what was delivered to D1. PATCH_NOT_FOUND,
 * BATCH_NOT_FOUND or UNKNOWN_TASK where none does; DATABASE_UNAVAILABLE where D1 does not answer.
 */
export async function locate(ctx: ServiceContext, target: RevertTarget): Promise<Result<{ workspaceId: string }>> {
  const query = { patch: patchQuery, batch: batchQuery, task: taskQuery }[target.by](ctx.db, target.id);
  try {
    const row = await query.executeTakeFirst();
    if (row) return { ok: true, workspaceId: row.workspace_id };
  } catch (error) {
    ctx.log.error("DB_OPS does not answer", { error });
    return fail("DATABASE_UNAVAILABLE", "the database does not answer; name the workspace to do without it");
  }
  const code = { patch: "PATCH_NOT_FOUND", batch: "BATCH_NOT_FOUND", task: "UNKNOWN_TASK" } as const;
  return fail(
    code[target.by],
    `no ${target.by} ${target.id} is in the database yet: name its workspaceId or orderId to look there`,
  );
}
