import { type OpsScan, type OpsScope, type Result, StartScanSchema, validationError } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { OpsMonitorService } from "./OpsMonitorService.ts";

/** A scan as a door asks for it. Errors: VALIDATION_FAILED, FORBIDDEN, CONFLICT while one runs, DATABASE_UNAVAILABLE. */
export async function startScan(ctx: ServiceContext, input: unknown): Promise<Result<{ scan: OpsScan }>> {
  const parsed = StartScanSchema.safeParse(input);
  return parsed.success ? scan(ctx, parsed.data.scope) : { ok: false, error: validationError(parsed.error) };
}

export const scan = (ctx: ServiceContext, scope: OpsScope): Promise<Result<{ scan: OpsScan }>> =>
  new OpsMonitorService(ctx).runScan(scope);
