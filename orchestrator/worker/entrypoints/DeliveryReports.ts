import type { DeliveryReportRow, DeliveryReportsRpc, Failed, Generated, Result } from "@shared/contracts";
import { BaseWorkerEntrypoint } from "@shared/worker-kit";
import type { ServiceContext } from "../context.ts";
import { generateReports } from "../services/delivery/generateReports.ts";
import { getLatestReports } from "../services/delivery/getLatestReports.ts";
import { getReport } from "../services/delivery/getReport.ts";
import { asFactory } from "./asFactory.ts";

/** Delivery reports for factories. The caller is who its binding's props name, and sees its own orders' reports alone. */
export class DeliveryReports extends BaseWorkerEntrypoint<Env> implements DeliveryReportsRpc {
  generateAll(): Promise<Result<Generated>> {
    return this.run("generateAll", (ctx) => generateReports(ctx));
  }

  getRecent(limit = 10): Promise<Result<{ reports: DeliveryReportRow[]; cursor: string | null }>> {
    return this.run("getRecent", (ctx) => getLatestReports(ctx, { limit }));
  }

  getByOrder(orderId: string): Promise<Result<{ report: DeliveryReportRow }>> {
    return this.run("getByOrder", (ctx) => getReport(ctx, { orderId }));
  }

  // An instance property: RPC reaches what stands on the prototype.
  private readonly run = <T>(method: string, verb: (ctx: ServiceContext) => Promise<T>): Promise<T | Failed> =>
    this.answer(method, (call) => asFactory(this.env, call, verb));
}
