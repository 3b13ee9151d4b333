import { spawnSync } from "node:child_process";
import { listWorkers, relative, ROOT } from "./repository.ts";
import { devNull } from "node:os";
import path from "node:path";

const WRANGLER = path.join(ROOT, "node_modules/wrangler/bin/wrangler.js");

/**
 * Each Worker's worker-configuration.d.ts, from its wrangler.jsonc. Runtime types come from @cloudflare/workers-types,
 * and vars are typed as strings, since a deployment sets its own. Answers with what is wrong, one line a Worker.
 */
export function generateTypes(options: { check: boolean }): string[] {
  return listWorkers().flatMap((worker) => {
    const args = [
      "types",
      "--include-runtime=false",
      "--strict-vars=false",
      // What somebody keeps in .dev.vars of secrets that a Worker may do without makes no other types.
      "--env-file",
      devNull,
      ...(options.check ? ["--check"] : []),
    ];
    const run = spawnSync(process.execPath, [WRANGLER, ...args], {
      cwd: worker.directory,
      encoding: "utf8",
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", CI: "true", NO_COLOR: "1" },
    });
    if (run.status === 0) return [];
    const said = `${run.stdout}${run.stderr}`.trim();
    return [
      `${relative(worker.directory)}: ${options.check ? "run npm run generate:types" : "wrangler types failed"}\n${said}`,
    ];
  });
}

if (import.meta.main) {
  const problems = generateTypes({ check: process.argv.includes("--check") });
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
