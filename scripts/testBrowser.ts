import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { ROOT } from "./repository.ts";

/** `pnpm test:browser`: Mission Control in a real browser, which is installed where there is none. Arguments go to vitest. */
const PLACES = [
  process.env.CHROMIUM_PATH ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

function run(program: string, args: string[]): number {
  return spawnSync(program, args, { cwd: ROOT, stdio: "inherit" }).status ?? 1;
}

if (!PLACES.some((place) => place !== "" && existsSync(place))) {
  console.log("There is no chromium on this machine; apt-get installs Debian's.");
  const packages = ["install", "-y", "--no-install-recommends", "chromium"];
  // The lists may be old or absent: read anew only where they do not do.
  const installed =
    run("apt-get", packages) === 0 || (run("apt-get", ["update"]) === 0 && run("apt-get", packages) === 0);
  if (!installed) {
    console.error("chromium could not be installed; name one with CHROMIUM_PATH.");
    process.exit(1);
  }
}
process.exitCode = run(process.execPath, [
  path.join(ROOT, "node_modules/vitest/vitest.mjs"),
  "run",
  "--root",
  path.join(ROOT, "orchestrator/test/browser"),
  ...process.argv.slice(2),
]);
