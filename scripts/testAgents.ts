import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { ROOT } from "./repository.ts";

/**
 * `pnpm test:agents`: the real CLI agents against a local model server. They are installed once, outside of the
 * workspace's dependencies, at the versions that the image has. Arguments go to vitest.
 */
const MANIFEST = path.join(ROOT, "containers/factory-base/image/agents/package.json");
const CACHE = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "vibehq/agents");
const INSTALLED = path.join(CACHE, "package.json");
const BIN = path.join(CACHE, "node_modules/.bin");

function install(): boolean {
  const isThere = existsSync(BIN) && existsSync(INSTALLED);
  if (isThere && readFileSync(INSTALLED, "utf8") === readFileSync(MANIFEST, "utf8")) return true;
  console.log("Installing the CLI agents; the first time takes about a minute …");
  mkdirSync(CACHE, { recursive: true });
  copyFileSync(MANIFEST, INSTALLED);
  const args = ["install", "--prefix", CACHE, "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
  const { status } = spawnSync("npm", args, { cwd: CACHE, stdio: "inherit" });
  if (status === 0) copyFileSync(MANIFEST, INSTALLED);
  else rmSync(INSTALLED, { force: true });
  return status === 0;
}

if (install()) {
  const vitest = path.join(ROOT, "node_modules/vitest/vitest.mjs");
  const { status } = spawnSync(
    process.execPath,
    [vitest, "run", "--root", path.join(ROOT, "scripts/test-agents"), ...process.argv.slice(2)],
    { cwd: ROOT, stdio: "inherit", env: { ...process.env, VIBEHQ_AGENTS_BIN: BIN } },
  );
  process.exitCode = status ?? 1;
} else {
  console.error(
    "test:agents was not run: npm could not install the CLI agents (its own words stand above). " +
      `It needs the registry once, for what ${path.relative(ROOT, MANIFEST)} names.`,
  );
  process.exitCode = 1;
}
