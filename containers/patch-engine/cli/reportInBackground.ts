import { spawn } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

/** Where a `patchctl` that stands alone reports: `ORCHESTRATOR_URL` and `ORCHESTRATOR_TOKEN`. */
export interface ReportTarget {
  url: string;
  token: string;
}

export function reportTarget(): ReportTarget | null {
  const { ORCHESTRATOR_URL: url, ORCHESTRATOR_TOKEN: token } = process.env;
  return url !== undefined && url !== "" && token !== undefined && token !== "" ? { url, token } : null;
}

/** Starts `patchctl flush` on its own, so that no edit waits for the network or fails with it. */
export function reportInBackground(root: string): void {
  if (!reportTarget()) return;
  // Beside this file as it is in the repository, and as the image bundles it.
  const program = fileURLToPath(new URL(`patchctl${extname(import.meta.url)}`, import.meta.url));
  const child = spawn(process.execPath, [program, "flush", "--root", root], { detached: true, stdio: "ignore" });
  // The edit is done and in the log; the next edit or flush reports it.
  child.on("error", () => undefined);
  child.unref();
}
