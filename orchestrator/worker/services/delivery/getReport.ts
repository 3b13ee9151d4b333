import {
  type DeliveryReportRow,
  DeliveryReportRowSchema,
  fail,
  OrderIdSchema,
  type Result,
  validationError,
} from "@shared/contracts";
import { z } from "zod";
import { requireScope, type ServiceContext } from "../../context.ts";
import { requireReportAccess } from "./access.ts";
import { REPORT_COLUMNS } from "./storeReport.ts";

export const GetReportSchema = z.object({
  orderId: OrderIdSchema,
  /** Absent: the current one. */
  version: z.coerce.number().int().positive().optional(),
});

/** An order's report, the current one or an earlier version. Needs `delivery:read`. Errors: NOT_FOUND, FORBIDDEN. */
export async function getReport(ctx: ServiceContext, input: unknown): Promise<Result<{ report: DeliveryReportRow }>> {
  const denied = requireScope(ctx, "delivery:read");
  if (denied) return denied;
  const parsed = GetReportSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const { orderId, version } = parsed.data;
  const current = await currentReportQuery(ctx.db, orderId).executeTakeFirst();
  if (!current) return fail("NOT_FOUND", "there is no report of such an order yet");
  const refused = requireReportAccess(ctx, current);
  if (refused) return refused;
  if (version === undefined || version === current.version) {
    return { ok: true, report: DeliveryReportRowSchema.parse(current) };
  }
  const earlier = await ctx.db.ops
    .selectFrom("delivery_report_versions")
    .selectAll()
    .where("order_id", "=", orderId)
    .where("version", "=", version)
    .executeTakeFirst();
  if (!earlier) return fail("NOT_FOUND", `version ${version} of this report is not kept`);
  return { ok: true, report: DeliveryReportRowSchema.parse({ ...earlier, id: current.id }) };
}

export const currentReportQuery = (db: ServiceContext["db"], orderId: string) =>
  db.ops.selectFrom("delivery_reports").select(REPORT_COLUMNS).where("order_id", "=", orderId);
