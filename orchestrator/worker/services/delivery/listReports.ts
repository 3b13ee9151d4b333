import { type DeliveryReportRow, type Generated, OrderIdSchema, type Result, validationError } from "@shared/contracts";
import { z } from "zod";
import type { ServiceContext } from "../../context.ts";
import { generateReports } from "./generateReports.ts";
import { getLatestReports, LatestReportsSchema } from "./getLatestReports.ts";
import { getReport } from "./getReport.ts";

export const ListReportsSchema = LatestReportsSchema.extend({
  order_id: OrderIdSchema.optional(),
  /** Of one order: an earlier version of its report. */
  version: z.coerce.number().int().positive().optional(),
  /** Makes the reports anew first; the caller needs `delivery:write` then. */
  generate: z.enum(["true", "false"]).default("false"),
});

type Listed =
  | { reports: DeliveryReportRow[]; cursor: string | null }
  | { report: DeliveryReportRow }
  | Generated
  | (Generated & { report: DeliveryReportRow });

/**
 * The one address of reports: the newest, an order's, or with `generate` how many were made anew. Needs `delivery:read`,
 * to generate `delivery:write`. Errors: those of the verbs it asks.
 */
export async function listReports(ctx: ServiceContext, input: unknown): Promise<Result<Listed>> {
  const parsed = ListReportsSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { order_id: orderId, version, generate, limit, cursor } = parsed.data;
  const made = generate === "true" ? await generateReports(ctx, { orderId }) : null;
  if (made && (!made.ok || orderId === undefined)) return made;
  if (orderId === undefined) return getLatestReports(ctx, { limit, cursor });
  const found = await getReport(ctx, { orderId, version });
  return found.ok && made?.ok ? { ...made, ...found } : found;
}
