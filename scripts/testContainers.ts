import { spawn, spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import path from "node:path";
import { writeDevVars } from "./devVars.ts";
import { ROOT } from "./repository.ts";
import { DOCKER, tryDocker } from "./test-containers/docker.ts";

/**
 * `npm run test:containers`: builds factory-base and each factory's image with whatever Docker engine answers, then
 * runs the suite that uses them. Without an engine it says so in one line and ends with 0: nothing was tested.
 */
function build(file: string, tag: string, ...options: string[]): boolean {
  console.log(`Building ${tag} …`);
  return (
    spawnSync(DOCKER, ["build", "--quiet", ...options, "-f", file, "-t", tag, "."], { cwd: ROOT, stdio: "inherit" })
      .status === 0
  );
}

async function main(): Promise<number> {
  const engine = tryDocker("version", "--format", "{{.Server.Version}}");
  if (!engine.ok) {
    const [reason = "it does not answer"] = engine.stderr.trim().split("\n");
    console.log(`Container tests were not run: no Docker engine (${reason}).`);
    return 0;
  }
  console.log(`Docker engine ${engine.stdout.trim()}`);
  for (const file of writeDevVars()) console.log(`Wrote ${file} with random secrets.`);

  // `CONTAINER_AGENTS=none` leaves the CLI agents out.
  const agents =
    process.env.CONTAINER_AGENTS === undefined ? [] : ["--build-arg", `AGENTS=${process.env.CONTAINER_AGENTS}`];
  if (!build("containers/factory-base/factory-base.Dockerfile", "factory-base:local", ...agents)) return 1;
  for (const file of globSync("apps/*/Dockerfile", { cwd: ROOT }).toSorted()) {
    if (!build(file, `${path.basename(path.dirname(file))}:local`)) return 1;
  }
  const vitest = path.join(ROOT, "node_modules/vitest/vitest.mjs");
  const config = path.join(import.meta.dirname, "test-containers/vitest.config.ts");
  const args = [vitest, "run", "--config", config, "--root", path.dirname(config), ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.once("close", (code) => resolve(code ?? 1)));
}

process.exitCode = await main();
