import type { OpsScan } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { ToldFailure } from "../schedule/schedule.ts";
import { startScan } from "./startScan.ts";

/**
 * A scan of everything, by the clock. One that runs already is no failure. Throws where it was refused otherwise, and
 * where it failed: so the schedule's own row says so.
 */
export async function scheduledScan(ctx: ServiceContext): Promise<OpsScan | { skipped: string }> {
  const scanned = await startScan(ctx, { scope: "full" });
  if (scanned.ok && scanned.scan.outcome !== "failed") return scanned.scan;
  if (scanned.ok) throw new ToldFailure(`scan ${scanned.scan.id} failed: ${scanned.scan.error ?? "no reason given"}`);
  if (scanned.error.code === "CONFLICT") return { skipped: scanned.error.message };
  throw new Error(`the scan was refused: ${scanned.error.code}: ${scanned.error.message}`);
}
