import type { ServiceContext } from "../../context.ts";

/**
 * Puts the order's current report into the bucket, where the deployment binds one: `reports/<order>/<version>.json` and
 * `.md`, and the same as `current`. What stands there already is not put again. Throws where the bucket does not take it.
 */
export async function pushReport(ctx: ServiceContext, orderId: string): Promise<void> {
  const bucket = bucketOf(ctx.env);
  if (!bucket) return;
  const row = await ctx.db.ops
    .selectFrom("delivery_reports")
    .select(["version", "pushed_version", "report_md", "report_json"])
    .where("order_id", "=", orderId)
    .executeTakeFirst();
  if (!row || row.pushed_version >= row.version) return;
  for (const name of [String(row.version), "current"]) {
    await bucket.put(`reports/${orderId}/${name}.json`, row.report_json ?? "", {
      httpMetadata: { contentType: "application/json" },
    });
    await bucket.put(`reports/${orderId}/${name}.md`, row.report_md, {
      httpMetadata: { contentType: "text/markdown; charset=utf-8" },
    });
  }
  await ctx.db.ops
    .updateTable("delivery_reports")
    .set({ pushed_version: row.version })
    .where("order_id", "=", orderId)
    .where("pushed_version", "<", row.version)
    .execute();
}

/** A deployment may leave the bucket out. */
const bucketOf = (env: { INSTANCE: string; REPORTS?: R2Bucket }): R2Bucket | undefined => env.REPORTS;
