import { spawn } from "node:child_process";
import path from "node:path";
import { buildClient } from "./buildClient.ts";
import { writeDevVars } from "./devVars.ts";
import { ROOT } from "./repository.ts";

/** `npm test`: sets up, then one vitest over all projects of vitest.config.ts. Further arguments go to vitest. */
for (const file of writeDevVars()) console.log(`Wrote ${file} with random secrets.`);
if ((await buildClient()) === "built") console.log("Built Mission Control.");

const vitest = path.join(ROOT, "node_modules/vitest/vitest.mjs");
const child = spawn(process.execPath, [vitest, "run", ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: "inherit",
  env: { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
child.once("close", (code) => process.exit(code ?? 1));
