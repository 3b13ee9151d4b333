import { ListOpsIssuesSchema, type OpsIssue, type Result, validationError } from "@shared/contracts";
import type { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { expireClaims } from "./expireClaims.ts";
import { issueOfRow } from "./opsRows.ts";

/** Issues, the newest first, narrowed as asked. Needs `ops:read`. Errors: VALIDATION_FAILED. */
export async function listOpsIssues(
  ctx: ServiceContext,
  input: unknown,
): Promise<Result<{ issues: OpsIssue[]; cursor: string | null }>> {
  const denied = requireScope(ctx, "ops:read");
  if (denied) return denied;
  const parsed = ListOpsIssuesSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { limit } = parsed.data;
  // So that `status` means what the list shows.
  await expireClaims(ctx);
  const rows = await opsIssuesQuery(ctx.db, parsed.data).execute();
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const now = ctx.now();
  return {
    ok: true,
    issues: shown.map((row) => issueOfRow(row, now)),
    cursor: rows.length > limit && last ? String(last.id) : null,
  };
}

/** One row more than a page holds, so that it is known whether there are more. */
export function opsIssuesQuery(db: ServiceContext["db"], asked: z.infer<typeof ListOpsIssuesSchema>) {
  const { status, kind, severity, worker, repo, limit, cursor } = asked;
  // The first page too begins somewhere, so that each is a range of the key.
  let query = db.ops
    .selectFrom("ops_issues")
    .selectAll()
    .where("id", "<", cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor));
  if (status !== undefined) query = query.where("status", "=", status);
  if (kind !== undefined) query = query.where("kind", "=", kind);
  if (severity !== undefined) query = query.where("severity", "<=", severity);
  if (worker !== undefined) query = query.where("worker", "=", worker);
  if (repo !== undefined) query = query.where("repo", "=", repo);
  return query.orderBy("id", "desc").limit(limit + 1);
}
