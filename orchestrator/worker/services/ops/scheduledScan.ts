import type { OpsScan } from "@shared/contracts";
import type { ServiceContext } from "../../context.ts";
import { startScan } from "./startScan.ts";

/** A scan of everything, by the clock. One that runs already is no failure. Throws where it was refused otherwise. */
export async function scheduledScan(ctx: ServiceContext): Promise<OpsScan | { skipped: string }> {
  const scanned = await startScan(ctx, { scope: "full" });
  if (scanned.ok) return scanned.scan;
  if (scanned.error.code === "CONFLICT") return { skipped: scanned.error.message };
  throw new Error(`the scan was refused: ${scanned.error.code}: ${scanned.error.message}`);
}
