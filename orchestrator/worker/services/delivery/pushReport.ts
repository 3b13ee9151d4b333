import type { ServiceContext } from "../../context.ts";

/**
 * Puts the order's current report into the bucket, where the deployment binds one: `reports/<order>/<version>.json` and
 * `.md`, and the same as `current`. What stands there already is not put again. Throws where the bucket does not take it.
 */
export async function pushReport(ctx: ServiceContext, orderId: string): Promise<void> {
  const bucket = bucketOf(ctx.env);
  if (!bucket) return;
  let row = await toPush(ctx, orderId).executeTakeFirst();
  if (!row || row.pushed_version >= row.version) return;
  for (;;) {
    const { version, report_json, report_md } = row;
    for (const name of [String(version), "current"]) {
      await bucket.put(`reports/${orderId}/${name}.json`, report_json ?? "", {
        httpMetadata: { contentType: "application/json" },
      });
      await bucket.put(`reports/${orderId}/${name}.md`, report_md, {
        httpMetadata: { contentType: "text/markdown; charset=utf-8" },
      });
    }
    await ctx.db.ops
      .updateTable("delivery_reports")
      .set({ pushed_version: version })
      .where("order_id", "=", orderId)
      .where("pushed_version", "<", version)
      .execute();
    // What was made meanwhile may have been pushed before this one: the current one is put last.
    row = await toPush(ctx, orderId).executeTakeFirst();
    if (!row || row.version === version) return;
  }
}

const toPush = ({ db }: ServiceContext, orderId: string) =>
  db.ops
    .selectFrom("delivery_reports")
    .select(["version", "pushed_version", "report_md", "report_json"])
    .where("order_id", "=", orderId);

/** A deployment may leave the bucket out. */
const bucketOf = (env: { INSTANCE: string; REPORTS?: R2Bucket }): R2Bucket | undefined => env.REPORTS;
