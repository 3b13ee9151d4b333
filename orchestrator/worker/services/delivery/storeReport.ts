import type { DeliveryReportRow } from "@shared/contracts";
import { hashOf } from "patch-engine/core";
import type { ServiceContext } from "../../context.ts";
import { type ReportContent, sealReport } from "./buildReport.ts";
import { coverStatements } from "./deliveryOrders.ts";
import type { Delivery } from "./readDelivery.ts";
import { reportMarkdown } from "./reportMarkdown.ts";

/** Versions kept of an order, beside the current one. */
const KEPT_VERSIONS = 100;

export const REPORT_COLUMNS = [
  "id",
  "order_id",
  "report_md",
  "report_json",
  "success_rate",
  "total_patches",
  "created_at",
  "version",
  "workspace_id",
  "factory",
  "events",
] as const satisfies readonly (keyof DeliveryReportRow)[];

const VERSION_COLUMNS = `order_id, version, report_md, report_json, success_rate, total_patches, workspace_id, factory,
  events, created_at`;

const KEEP = `
  INSERT INTO delivery_report_versions (${VERSION_COLUMNS})
  SELECT ${VERSION_COLUMNS} FROM delivery_reports WHERE order_id = ?1 AND version = ?2
  ON CONFLICT (order_id, version) DO NOTHING`;

const FORGET = "DELETE FROM delivery_report_versions WHERE order_id = ?1 AND version < ?2";

// The version says which report was looked at: of two writers that looked at the same one, exactly one writes.
const PUT = `
  INSERT INTO delivery_reports (${VERSION_COLUMNS}, content_hash)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
  ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, report_md = excluded.report_md,
    report_json = excluded.report_json, success_rate = excluded.success_rate, total_patches = excluded.total_patches,
    workspace_id = excluded.workspace_id, factory = excluded.factory, events = excluded.events,
    created_at = excluded.created_at, content_hash = excluded.content_hash
  WHERE delivery_reports.version = excluded.version - 1
  RETURNING version`;

export const STORE_STATEMENTS = [KEEP, FORGET, PUT] as const;

/**
 * What became of a content: it is a new version; it says what the current one says; or another was written since the
 * current one was looked at, so that what this one says may be older.
 */
type Stored = { outcome: "written" | "known" | "overtaken" };

/**
 * Makes a content the order's current report. `seen` is the version that was current before anything of the content was
 * read (0: none): only then does the content take its place, which is kept as a version.
 */
export async function storeReport(
  ctx: ServiceContext,
  content: ReportContent,
  { custody, seen }: { custody: Delivery["custody"]; seen: number },
): Promise<Stored> {
  const database = ctx.env.DB_OPS;
  const orderId = content.order_id;
  const { chains } = content.delivered;
  const events = chains.reduce((sum, chain) => sum + chain.events, 0);
  const contentHash = hashOf(content);
  const covered = chains.map((chain) => ({ workspaceId: chain.workspace_id, seq: chain.last.seq }));
  const current = await currentQuery(ctx.db, orderId).executeTakeFirst();
  const cover = async (): Promise<void> => {
    if (covered.length > 0) await database.batch(coverStatements(database, orderId, covered));
  };
  if (current?.content_hash === contentHash) {
    await cover();
    return { outcome: "known" };
  }
  if ((current?.version ?? 0) !== seen) return { outcome: "overtaken" };
  const version = seen + 1;
  const generatedAt = ctx.now().toISOString();
  const report = sealReport(content, { version, generatedAt, custody });
  const { order } = content.asked;
  const written = await database.batch<{ version: number }>([
    database.prepare(KEEP).bind(orderId, seen),
    database.prepare(FORGET).bind(orderId, version - KEPT_VERSIONS),
    database
      .prepare(PUT)
      .bind(
        orderId,
        version,
        reportMarkdown(report),
        JSON.stringify(report),
        content.delivered.success_rate,
        content.delivered.patches.total,
        workspaceOf(content),
        order?.factory ?? null,
        events,
        generatedAt,
        contentHash,
      ),
  ]);
  if (written[2]?.results[0]?.version !== version) return { outcome: "overtaken" };
  await cover();
  return { outcome: "written" };
}

/** The one workspace that a report is about; null where its events stand in several. */
export function workspaceOf({ asked, delivered }: Pick<ReportContent, "asked" | "delivered">): string | null {
  const workspaces = new Set(delivered.chains.map((chain) => chain.workspace_id));
  if (asked.order !== null) workspaces.add(asked.order.workspace_id);
  const [only = null] = workspaces.size === 1 ? workspaces : [];
  return only;
}

export const currentQuery = (db: ServiceContext["db"], orderId: string) =>
  db.ops.selectFrom("delivery_reports").select(["version", "content_hash"]).where("order_id", "=", orderId);
