import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { buildClient } from "./buildClient.ts";
import { runWrangler } from "./deployment/wrangler.ts";
import { listWorkers, relative } from "./repository.ts";

/**
 * `npm run deploy:check`: `wrangler deploy --dry-run` of every Worker, and of the orchestrator with containers: bundled and
 * checked as for an upload, without an account and without an upload. Images are not built here: test:containers does.
 */
if ((await buildClient()) === "built") console.log("Built Mission Control.");
const configs = listWorkers().flatMap(({ directory, configPath, name }) =>
  name === "vibehq-orchestrator" ? [configPath, path.join(directory, "wrangler.containers.jsonc")] : [configPath],
);
const out = mkdtempSync(path.join(tmpdir(), "vibehq-deploy-"));
const queue = [...configs.entries()];
let failed = 0;
await Promise.all(
  Array.from({ length: Math.min(availableParallelism(), 4) }, async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [index, config] = next;
      const started = performance.now();
      const ran = await runWrangler([
        "deploy",
        "--dry-run",
        "--containers-rollout",
        "none",
        "--config",
        config,
        "--outdir",
        path.join(out, String(index)),
      ]);
      const size = /Total Upload: .*/.exec(ran.said)?.[0] ?? "";
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(`${ran.code === 0 ? "ok  " : "FAIL"} ${relative(config)} (${seconds} s) ${size}`);
      if (ran.code === 0) continue;
      failed += 1;
      console.log(ran.said.trim().replaceAll(/^/gm, "     "));
    }
  }),
);
rmSync(out, { recursive: true, force: true });
console.log(
  failed === 0 ? `All ${configs.length} can be deployed.` : `${failed} of ${configs.length} cannot be deployed.`,
);
process.exitCode = failed === 0 ? 0 : 1;
