import { fail, type OpsIssue, type Result } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { issueOfRow } from "./opsRows.ts";

/** An issue by its number here. Errors: NOT_FOUND. */
export async function findIssue(
  ctx: Pick<ServiceContext, "db" | "now">,
  id: string,
): Promise<Result<{ issue: OpsIssue }>> {
  const row = /^[1-9]\d{0,14}$/.test(id)
    ? await ctx.db.ops.selectFrom("ops_issues").selectAll().where("id", "=", Number(id)).executeTakeFirst()
    : undefined;
  return row ? { ok: true, issue: issueOfRow(row, ctx.now()) } : fail("NOT_FOUND", "there is no such ops issue");
}
