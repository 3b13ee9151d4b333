import { type OpsScanned, type Result, StartScanSchema, validationError } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { OpsMonitorService } from "./OpsMonitorService.ts";

/** A scan as a door asks for it. Errors: VALIDATION_FAILED, FORBIDDEN, CONFLICT while one runs, DATABASE_UNAVAILABLE. */
export async function startScan(ctx: ServiceContext, input: unknown): Promise<Result<OpsScanned>> {
  const parsed = StartScanSchema.safeParse(input);
  if (!parsed.success) return { ok: false, error: validationError(parsed.error) };
  const ran = await new OpsMonitorService(ctx).runScan(parsed.data.scope);
  if (!ran.ok) return ran;
  const { scan } = ran;
  const { worker_logs = 0, build_logs = 0, reviewed = 0, issues_opened = 0 } = scan.totals ?? {};
  return { ok: true, scan, scan_id: scan.id, worker_logs, build_logs, reviewed, issues_opened };
}
